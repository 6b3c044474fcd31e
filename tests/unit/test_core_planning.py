"""Which tasks are due, in which order, and what they read (LangGraph D1-D6, D9, B5)."""

from dataclasses import dataclass
from typing import Any, TypedDict

from graphrt.channels import EphemeralValue, LastValue
from graphrt.core.commit import commit_input
from graphrt.core.planning import plan_step
from graphrt.core.state import State
from graphrt.pregel import Pregel
from graphrt.pregel.nodes import PregelNode
from graphrt.types import Command, Send
from tests.unit.core_world import Log, begin, due, graph, returns, says, step, steps, values


def sends(*where: Send) -> Any:
    return Command(goto=list(where))


def test_nothing_is_due_before_an_input():
    plan = graph(Log, says("a"), paths=["START a"]).compile().plan
    assert plan_step(State.empty(plan), None) == []


def test_input_makes_the_hidden_start_node_due():
    plan = graph(Log, says("a"), paths=["START a"]).compile().plan
    state = State.empty(plan)
    commit_input(state, [(plan.channel_index["__start__"], {"log": ["in"]})])
    (task,) = plan_step(state, None)
    assert (task.node.name, task.node.hidden, task.input) == ("__start__", True, {"log": ["in"]})


def test_nodes_are_due_by_name_however_they_were_declared():
    plan = graph(Log, *map(says, "cab"), paths=["START b", "START c", "START a"]).compile().plan
    assert due(begin(plan)) == ["a", "b", "c"]


def test_sends_come_first_in_the_order_they_were_sent():
    router = returns("router", sends(Send("z", 1), Send("a", 2), Send("z", 3)))
    plan = graph(Log, router, says("a"), says("z"), says("m"), paths=["START router m"]).compile().plan
    state = begin(plan)
    step(state)
    assert due(state) == ["z", "a", "z", "m"]


def test_node_that_two_edges_lead_to_is_due_once():
    plan = graph(Log, *map(says, "abc"), paths=["START a c", "START b c"]).compile().plan
    assert steps(begin(plan)) == [["a", "b"], ["c"]]


def test_node_is_due_once_more_for_every_send():
    a = returns("a", sends(Send("b", {}), Send("b", {})))
    plan = graph(Log, a, says("b"), paths=["START a b"]).compile().plan
    assert steps(begin(plan)) == [["a"], ["b", "b", "b"]]


def test_planning_again_gives_the_same_tasks_and_changes_nothing():
    a = returns("a", sends(Send("b", {"x": 1})))
    plan = graph(Log, a, says("b"), paths=["START a b"]).compile().plan
    state = begin(plan, {"log": ["in"]})
    step(state)
    seen = [[(task.path, task.input) for task in plan_step(state, None)] for _ in range(3)]
    assert seen[0] == seen[1] == seen[2]
    assert [path for path, _ in seen[0]] == [("__pregel_push", 0, False), ("__pregel_pull", "b")]


def test_what_a_step_writes_shows_in_the_next_one_only():
    read: dict[str, Any] = {}

    def reader(name: str) -> tuple[str, Any]:
        return name, lambda state: read.update({name: state["log"]}) or {"log": [name]}

    plan = graph(Log, *map(reader, "abc"), paths=["START a c", "START b c"]).compile().plan
    steps(begin(plan, {"log": ["in"]}))
    assert read == {"a": ["in"], "b": ["in"], "c": ["in", "a", "b"]}


def test_tasks_of_one_step_have_inputs_of_their_own():
    plan = graph(Log, *map(says, "ab"), paths=["START a", "START b"]).compile().plan
    first, second = plan_step(begin(plan), None)
    first.input["extra"] = True
    assert "extra" not in second.input


def test_changing_an_input_does_not_change_the_state():
    plan = graph(Log, says("a"), paths=["START a"]).compile().plan
    state = begin(plan, {"log": ["in"]})
    plan_step(state, None)[0].input.clear()
    assert values(state) == {"log": ["in"]}


def test_sent_argument_arrives_as_it_is():
    argument = object()
    plan = graph(Log, returns("a", sends(Send("b", argument))), says("b"), paths=["START a"]).compile().plan
    state = begin(plan)
    step(state)
    assert plan_step(state, None)[0].input is argument


class Two(TypedDict, total=False):
    a: int
    b: int


def test_keys_without_a_value_are_absent():
    plan = graph(Two, returns("n", None), paths=["START n"]).compile().plan
    assert plan_step(begin(plan, {"b": 2}), None)[0].input == {"b": 2}


def test_keys_stand_in_the_order_of_the_schema():
    plan = graph(Two, returns("n", {"a": 1}), returns("m", None), paths=["START n m"]).compile().plan
    state = begin(plan, {"b": 2})
    step(state)
    assert list(plan_step(state, None)[0].input) == ["a", "b"]


@dataclass
class Point:
    x: int = 0


def test_objects_are_built_afresh_for_every_task():
    plan = graph(Point, *(returns(name, None) for name in "ab"), paths=["START a", "START b"]).compile().plan
    first, second = (task.input for task in plan_step(begin(plan, {"x": 3}), None))
    assert first == second == Point(3)
    assert first is not second


class OnlyA(TypedDict):
    a: int


def test_node_reads_the_keys_of_its_own_schema():
    builder = graph(Two, returns("n", None), paths=["START n"])
    builder.add_node("m", lambda state: None, input_schema=OnlyA).add_edge("__start__", "m")
    state = begin(builder.compile().plan, {"a": 1, "b": 2})
    assert {task.node.name: task.input for task in plan_step(state, None)} == {
        "m": {"a": 1},
        "n": {"a": 1, "b": 2},
    }


def test_node_that_reads_one_channel_bare_waits_for_a_value():
    node = PregelNode(channels="a", triggers=("go",))
    channels: dict[str, Any] = {"go": EphemeralValue(int), "a": LastValue(int)}
    plan = Pregel(nodes={"n": node}, channels=channels, input_channels=["go", "a"], output_channels="a").plan
    without, with_value = State.empty(plan), State.empty(plan)
    commit_input(without, [(plan.channel_index["go"], 1)])
    commit_input(with_value, [(plan.channel_index["go"], 1), (plan.channel_index["a"], 5)])
    assert plan_step(without, None) == []
    assert [task.input for task in plan_step(with_value, None)] == [5]


def test_send_to_a_node_that_is_gone_is_skipped_when_lenient():
    plan = graph(Log, says("a"), paths=["START a"]).compile(strict=False).plan
    state = begin(plan)
    state.sends = [Send("gone", {}), Send("a", {"sent": True})]
    assert plan_step(state, None)[0].input == {"sent": True}
