"""What conditional edges are asked and what their answers mean (LangGraph G6, G7, H1, H4)."""

from dataclasses import dataclass
from typing import Any, TypedDict

import pytest

from graphrt.core.planning import plan_step
from graphrt.errors import GraphValidationError, InvalidUpdateError, UnknownTargetError
from graphrt.graph import END
from graphrt.types import Command, Send
from tests.unit.core_world import Cells, Log, begin, due, graph, returns, run, says, step, steps, values


def routed(answer: Any, path_map: Any = None, *, strict: bool = True) -> Any:
    """The state after node `n` ran and its router gave `answer`; `a` and `b` are where it may lead."""
    builder = graph(Log, *map(says, "nab"), paths=["START n"])
    builder.add_conditional_edges("n", lambda state: answer, path_map)
    state = begin(builder.compile(strict=strict).plan)
    step(state)
    return state


# ---- what a router is asked


def asked(schema: Any, *nodes: Any, paths: list[str], of: str, router: Any = None) -> Any:
    """What the router of node `of` is called with."""
    questions: list[Any] = []

    def ask(state):
        questions.append(state)
        return END

    builder = graph(schema, *nodes, paths=paths)
    builder.add_conditional_edges(of, ask if router is None else router(questions))
    steps(begin(builder.compile().plan))
    (question,) = questions
    return question


def test_router_sees_the_state_as_its_own_node_leaves_it():
    nodes = [says("a"), says("b")]
    assert asked(Log, *nodes, paths=["START a", "START b"], of="b") == {"log": ["b"]}


def test_router_sees_every_kind_of_channel_after_its_nodes_writes():
    first = returns("n", {"last": 1, "log": [1], "once": 1, "any": 1, "topic": 1, "heap": 1})
    second = returns("m", {"last": 2, "log": [2], "topic": [2, 3], "heap": 2})
    question = asked(Cells, first, second, paths=["START n m"], of="m")
    assert question == {"last": 2, "log": [1, 2], "topic": [2, 3], "heap": [1, 2]}
    assert list(question) == [key for key in Cells.__annotations__ if key not in ("once", "any")]


def test_router_sees_keys_in_the_order_of_the_schema():
    nodes = [returns("n", {"heap": 1}), returns("m", Command(update={"log": [1], "last": 1}))]
    question = asked(Cells, *nodes, paths=["START n m"], of="m")
    assert list(question) == ["last", "log", "heap"]


def test_asking_changes_nothing():
    builder = graph(Log, *map(says, "na"), paths=["START n"])
    builder.add_conditional_edges("n", lambda state: "a")
    state = begin(builder.compile().plan)
    (task,) = plan_step(state, None)
    run(state, task)
    assert (values(state), due(state)) == ({"log": []}, ["n"])


class Wide(TypedDict):
    log: list[str]


def test_router_without_a_schema_of_its_own_sees_what_else_its_node_returned():
    # Keys that are not the node's are dropped from the state, but a router may look at them when nothing is strict.
    questions: list[Any] = []
    builder = graph(Log, returns("n", {"log": ["n"], "hint": 1}), paths=["START n"])
    builder.add_conditional_edges("n", lambda state: questions.append(state) or END)
    steps(begin(builder.compile(strict=False).plan))
    assert questions == [{"log": ["n"], "hint": 1}]


class Part(TypedDict):
    b: int


class Whole(TypedDict, total=False):
    a: int
    b: int


def test_router_with_a_schema_of_its_own_sees_that():
    def router(questions):
        def ask(state: Part) -> str:
            questions.append(state)
            return END

        return ask

    assert asked(Whole, returns("n", {"a": 1, "b": 2}), paths=["START n"], of="n", router=router) == {"b": 2}


@dataclass
class Point:
    x: int = 0


def test_router_is_asked_with_an_object_of_the_schema():
    assert asked(Point, returns("n", {"x": 4}), paths=["START n"], of="n") == Point(4)


def test_routers_of_one_node_are_asked_in_the_order_they_were_added():
    order: list[str] = []
    builder = graph(Log, *map(says, "nab"), paths=["START n"])

    def second(state):
        order.append("second")
        return "a"

    def first(state):
        order.append("first")
        return "b"

    builder.add_conditional_edges("n", second).add_conditional_edges("n", first)
    assert steps(begin(builder.compile().plan)) == [["n"], ["a", "b"]]
    assert order == ["second", "first"]


# ---- what its answer means


@pytest.mark.parametrize(
    "answer, nodes",
    [
        ("a", ["a"]),
        (["b", "a"], ["a", "b"]),
        (("a", "a"), ["a"]),
        (END, []),
        ([END, "b"], ["b"]),
        ([], []),
        ([Send("b", {}), "a", Send("a", {})], ["b", "a", "a"]),
    ],
)
def test_names_and_sends_lead_where_they_say(answer, nodes):
    assert due(routed(answer)) == nodes


@pytest.mark.parametrize("answer, nodes", [(True, ["a"]), (False, []), ([True, False], ["a"])])
def test_path_map_translates_answers(answer, nodes):
    assert due(routed(answer, {True: "a", False: END})) == nodes


def test_path_map_leaves_sends_alone():
    assert due(routed([Send("b", {}), 1], {1: "a"})) == ["b", "a"]


def test_answer_that_the_path_map_does_not_have_is_an_error():
    with pytest.raises(UnknownTargetError, match="path_map does not have") as caught:
        routed("b", {"a": "a"})
    assert caught.value.target == "b"


@pytest.mark.parametrize("answer", [None, "__start__", ["a", None]])
def test_no_destination_is_an_error(answer):
    with pytest.raises(GraphValidationError, match="did not return a valid destination"):
        routed(answer)


def test_unknown_node_is_an_error_that_guesses_what_was_meant():
    with pytest.raises(UnknownTargetError, match=r"no node 'aa' to go to. Did you mean 'a'\?") as caught:
        routed("aa")
    assert caught.value.target == "aa"


@pytest.mark.parametrize("answer", ["unknown", Send("unknown", {})])
def test_unknown_node_is_ignored_when_lenient(answer):
    assert due(routed([answer, "a"], strict=False)) == ["a"]


def test_sending_to_the_end_is_an_error():
    with pytest.raises(InvalidUpdateError, match="Cannot send a packet to the END node"):
        routed(Send(END, {}))


# ---- goto of a Command


@pytest.mark.parametrize(
    "goto, nodes",
    [("a", ["a", "z"]), (["b", "a"], ["a", "b", "z"]), (END, ["z"]), (Send("a", 1), ["a", "z"])],
)
def test_goto_adds_to_the_edges_of_its_node(goto, nodes):
    plan = graph(Log, returns("n", Command(goto=goto)), *map(says, "abz"), paths=["START n z"]).compile().plan
    state = begin(plan)
    step(state)
    assert due(state) == nodes


def test_going_to_a_deferred_node_arms_it_for_later():
    n = returns("n", Command(goto=["z", "a"]))
    plan = graph(Log, n, *map(says, "az"), paths=["START n"], deferred="z").compile().plan
    assert steps(begin(plan)) == [["n"], ["a"], ["z"]]
