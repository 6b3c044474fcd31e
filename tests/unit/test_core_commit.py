"""What a superstep's writes make of the state and of what is due next (LangGraph E1-E13, A7, H8, H9)."""

from typing import Any

import pytest

from graphrt.core.commit import commit, commit_input, commit_null
from graphrt.core.plan import NULL_NODE
from graphrt.core.planning import plan_step
from graphrt.core.state import State, Task
from graphrt.errors import InvalidUpdateError
from graphrt.types import Command, Overwrite, Send
from tests.unit.core_world import (
    Cells,
    Log,
    begin,
    changed,
    due,
    give,
    graph,
    returns,
    run,
    says,
    step,
    steps,
    values,
)


def one(output: Any) -> State:
    """The state after one node returned `output`."""
    state = begin(graph(Cells, returns("n", output), paths=["START n"]).compile().plan)
    step(state)
    return state


# ---- writes


def test_reducers_see_nodes_by_name_then_sends_in_order():
    router = returns("router", Command(goto=[Send("b", 0), Send("a", 0)]))
    plan = graph(Log, router, *map(says, "abz"), paths=["START router z"]).compile().plan
    state = begin(plan)
    assert steps(state) == [["router"], ["b", "a", "z"]]
    assert values(state)["log"] == ["z", "b", "a"]


def test_writes_of_one_task_keep_their_order():
    state = one([Command(update={"log": [1]}), {"log": [2]}, Command(update=[("log", [3]), ("log", [4])])])
    assert values(state)["log"] == [1, 2, 3, 4]


def test_two_writes_to_a_key_without_a_reducer_are_refused():
    nodes = [returns(name, {"last": name}) for name in "ab"]
    state = begin(graph(Cells, *nodes, paths=["START a", "START b"]).compile().plan)
    with pytest.raises(InvalidUpdateError, match="At key 'last'") as caught:
        step(state)
    assert caught.value.channel == "last"


def test_overwrite_replaces_what_a_reducer_has():
    plan = (
        graph(Log, says("a"), returns("b", {"log": Overwrite(["new"])}), paths=["START a b"]).compile().plan
    )
    state = begin(plan)
    steps(state)
    assert values(state) == {"log": ["new"]}


def test_commit_says_which_channels_it_changed():
    assert changed(one({"last": 1, "log": [2]})) == {"last", "log"}


def test_task_that_returns_nothing_changes_nothing():
    state = one(None)
    assert (changed(state), due(state)) == (set(), [])


def test_every_commit_counts():
    state = begin(graph(Log, *map(says, "ab"), paths=["START a b"]).compile().plan)
    before = state.version
    steps(state)
    assert state.version == before + 2


# ---- channels that nobody wrote


def test_ephemeral_values_any_values_and_topics_empty_themselves_when_nobody_writes_them():
    nodes = [returns("n", {"once": 1, "any": 1, "topic": 1, "heap": 1, "last": 1}), returns("m", None)]
    state = begin(graph(Cells, *nodes, paths=["START n m"]).compile().plan)
    step(state)
    assert values(state) == {"last": 1, "log": [], "once": 1, "any": 1, "topic": [1], "heap": [1]}
    step(state)
    assert values(state) == {"last": 1, "log": [], "heap": [1]}
    assert changed(state) == {"once", "any", "topic"}


def test_values_that_are_written_again_do_not_empty_in_between():
    state = begin(graph(Cells, *(returns(n, {"topic": n}) for n in "nm"), paths=["START n m"]).compile().plan)
    step(state)
    assert values(state)["topic"] == ["n"]
    step(state)
    assert values(state)["topic"] == ["m"]


# ---- joins


def test_join_waits_for_all_of_its_starts():
    plan = graph(Log, *map(says, "abcj"), paths=["START a b", "START c", "b+c j"]).compile().plan
    assert steps(begin(plan)) == [["a", "c"], ["b"], ["j"]]


def test_join_that_ran_waits_for_all_of_them_again():
    plan = graph(Log, *map(says, "abj"), paths=["START a", "START b", "a+b j"]).compile().plan
    state = begin(plan)
    steps(state)
    give(state, {})
    assert steps(state) == [["a", "b"], ["j"]]


def test_node_with_a_join_and_an_edge_runs_for_either():
    plan = graph(Log, *map(says, "abj"), paths=["START a j", "START b", "a+b j"]).compile().plan
    assert steps(begin(plan)) == [["a", "b"], ["j"]]


# ---- deferred nodes


def test_deferred_node_runs_when_nothing_else_is_left():
    plan = graph(Log, *map(says, "abcz"), paths=["START z", "START a b c"], deferred="z").compile().plan
    assert steps(begin(plan)) == [["a"], ["b"], ["c"], ["z"]]


def test_deferred_node_does_not_wait_for_pending_sends():
    router = returns("a", Command(goto=Send("b", {})))
    plan = graph(Log, router, says("b"), says("z"), paths=["START a z"], deferred="z").compile().plan
    assert steps(begin(plan)) == [["a"], ["b", "z"]]


def test_deferred_node_that_several_lead_to_runs_once():
    plan = graph(Log, *map(says, "abcz"), paths=["START a z", "START b c z"], deferred="z").compile().plan
    assert steps(begin(plan)) == [["a", "b"], ["c"], ["z"]]


def test_deferred_join_waits_for_its_starts_and_for_everything_else():
    plan = graph(Log, *map(says, "abcdz"), paths=["START a", "START b", "START c d", "a+b z"], deferred="z")
    assert steps(begin(plan.compile().plan)) == [["a", "b", "c"], ["d"], ["z"]]


# ---- what ran


def test_state_remembers_the_nodes_of_the_last_step_with_triggered_nodes():
    router = returns("a", Command(goto=Send("b", {})))
    state = begin(graph(Log, router, says("b"), paths=["START a"]).compile().plan)
    steps(state)
    assert [state.plan.nodes[i].name for i in state.ran] == ["a"]


# ---- inputs


def test_new_input_drops_what_was_due():
    plan = graph(Log, *map(says, "ab"), paths=["START a b"]).compile().plan
    state = begin(plan)
    step(state)
    assert due(state) == ["b"]
    give(state, {"log": ["again"]})
    assert due(state) == ["a"]
    assert values(state)["log"] == ["a", "again"]


def test_new_input_drops_pending_sends():
    plan = graph(Log, returns("a", Command(goto=Send("b", {}))), says("b"), paths=["START a"]).compile().plan
    state = begin(plan)
    step(state)
    commit_input(state, [(plan.channel_index["__start__"], {})])
    assert due(state) == ["__start__"]


def test_new_input_uses_up_a_join_that_was_about_to_run():
    plan = graph(Log, *map(says, "abj"), paths=["START a", "START b", "a+b j"]).compile().plan
    state = begin(plan)
    step(state)
    assert due(state) == ["j"]
    give(state, {})
    assert steps(state) == [["a", "b"], ["j"]]


def null(state: State, *writes: tuple[str, Any], goto: list[str | Send] | None = None) -> None:
    """Apply a Command that was given as input."""
    task = Task(NULL_NODE, None, None, 0)
    task.writes = [(state.plan.channel_index[key], value) for key, value in writes]
    for where in goto or ():
        task.go(state.plan, where)
    commit_null(state, task)


def test_command_as_input_keeps_what_was_due():
    state = begin(graph(Log, *map(says, "abc"), paths=["START a b"]).compile().plan)
    step(state)
    null(state, ("log", ["by hand"]), goto=["c"])
    assert due(state) == ["b", "c"]
    assert values(state)["log"] == ["a", "by hand"]


def test_send_in_a_command_as_input_replaces_pending_sends():
    router = returns("a", Command(goto=[Send("b", 1), Send("b", 2)]))
    state = begin(graph(Log, router, says("b"), says("c"), paths=["START a"]).compile().plan)
    step(state)
    null(state, goto=[Send("c", 3)])
    assert [(task.node.name, task.input) for task in plan_step(state, None)] == [("c", 3)]


def test_command_as_input_without_sends_keeps_pending_sends():
    router = returns("a", Command(goto=[Send("b", 1)]))
    state = begin(graph(Log, router, says("b"), says("c"), paths=["START a"]).compile().plan)
    step(state)
    null(state, goto=["c"])
    assert due(state) == ["b", "c"]


# ---- determinism


def test_order_in_which_tasks_ended_does_not_show():
    router = returns("router", Command(goto=[Send(name, 0) for name in "ba"]))
    plan = graph(Log, router, *map(says, "abyz"), paths=["START router y", "router z"]).compile().plan
    logs = []
    for backwards in (False, True):
        state = begin(plan)
        step(state)
        tasks = plan_step(state, None)
        for task in reversed(tasks) if backwards else tasks:
            run(state, task)
        commit(state, tasks)
        logs.append(values(state)["log"])
    assert logs == [["y", "z", "b", "a"]] * 2
