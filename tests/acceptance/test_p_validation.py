"""Mistakes in a graph's declaration, with LangGraph's key phrases (LangGraph P1-P3)."""

from collections.abc import Callable
from typing import Any, Literal

import pytest

from graphrt.checkpoint.memory import InMemorySaver
from graphrt.errors import GraphValidationError
from graphrt.graph import END, START, StateGraph
from graphrt.types import Command
from tests.acceptance.graphs import Log, graph, named, says

Build = Callable[[StateGraph[Any, Any, Any, Any]], Any]


def builder() -> StateGraph[Any, Any, Any, Any]:
    """A builder with the nodes a and b and an entry."""
    return graph(Log, says("a"), says("b"), paths=["START a"])


@pytest.mark.parity("P1")
@pytest.mark.parametrize(
    "build, phrase",
    [
        (lambda g: g.add_node("a", says("a")), "Node `a` already present"),
        (lambda g: g.add_node(END, says("x")), "Node `__end__` is reserved"),
        (lambda g: g.add_node(START, says("x")), "Node `__start__` is reserved"),
        (lambda g: g.add_node("x|y", says("x")), "'|' is a reserved character"),
        (lambda g: g.add_node("x:y", says("x")), "':' is a reserved character"),
        (lambda g: g.add_edge(END, "a"), "END cannot be a start node"),
        (lambda g: g.add_edge("a", START), "START cannot be an end node"),
        (lambda g: g.add_edge(["a", END], "b"), "END cannot be a start node"),
        (lambda g: g.add_edge(["a", "b"], START), "START cannot be an end node"),
        (lambda g: g.add_edge(["a", "zz"], "b"), "Need to add_node `zz` first"),
        (lambda g: g.add_edge(["a", "b"], "zz"), "Need to add_node `zz` first"),
        (lambda g: g.add_sequence([]), "Sequence requires at least one node"),
        (lambda g: g.add_sequence([("x", says("x")), ("x", says("x"))]), "Node names must be unique"),
        (lambda g: g.add_sequence([says("a")]), "Node names must be unique"),
    ],
)
def test_p1_the_builder_refuses(build: Build, phrase: str) -> None:
    with pytest.raises(GraphValidationError) as raised:
        build(builder())
    assert phrase in str(raised.value)


@pytest.mark.parity("P1")
def test_p1_a_router_is_added_once_per_node_and_name() -> None:
    g = builder().add_conditional_edges("a", named("route", lambda state: "b"))
    with pytest.raises(GraphValidationError, match="Branch with name `route` already exists for node `a`"):
        g.add_conditional_edges("a", named("route", lambda state: "b"))


@pytest.mark.parity("P1")
def test_p1_two_nodes_may_have_routers_of_one_name() -> None:
    route = named("route", lambda state: END)
    builder().add_conditional_edges("a", route).add_conditional_edges("b", route).compile()


@pytest.mark.parity("P1")
def test_p1_a_node_needs_something_to_do() -> None:
    with pytest.raises(RuntimeError):
        StateGraph(Log).add_node("x")  # type: ignore[call-overload]


@pytest.mark.parity("P1")
def test_p1_a_node_must_be_callable() -> None:
    with pytest.raises(TypeError):
        builder().add_node("x", 5)  # type: ignore[call-overload]


async def goes_nowhere(state: Log) -> Command[Literal["zz"]]:
    return Command(goto="zz")


def routes_nowhere(state: Log) -> Literal["zz"]:
    return "zz"


@pytest.mark.parity("P2")
@pytest.mark.parametrize(
    "build, phrase",
    [
        (lambda g: g.add_edge("zz", "a"), "Found edge starting at unknown node 'zz'"),
        (lambda g: g.add_edge("a", "zz"), "Found edge ending at unknown node `zz`"),
        (lambda g: g.add_edge(START, "zz"), "Found edge ending at unknown node `zz`"),
        (lambda g: g.set_entry_point("zz"), "Found edge ending at unknown node `zz`"),
        (lambda g: g.set_finish_point("zz"), "Found edge starting at unknown node 'zz'"),
        (lambda g: g.add_conditional_edges("zz", lambda state: "a"), "Found edge starting at unknown node 'zz'"),
        (lambda g: g.add_conditional_edges("a", named("cond", lambda state: "x"), ["zz"]),
         "At 'a' node, 'cond' branch found unknown target 'zz'"),
        (lambda g: g.add_conditional_edges("a", named("cond", lambda state: "x"), {"x": "zz"}),
         "At 'a' node, 'cond' branch found unknown target 'zz'"),
        (lambda g: g.add_conditional_edges("a", routes_nowhere),
         "At 'a' node, 'routes_nowhere' branch found unknown target 'zz'"),
        (lambda g: g.add_node("x", says("x"), destinations=("zz",)), "Found edge ending at unknown node `zz`"),
        (lambda g: g.add_node("x", says("x"), destinations={"zz": "label"}), "Found edge ending at unknown node `zz`"),
        (lambda g: g.add_node("x", goes_nowhere), "Found edge ending at unknown node `zz`"),
    ],
)  # fmt: skip
def test_p2_compiling_refuses(build: Build, phrase: str) -> None:
    g = builder()
    build(g)
    with pytest.raises(GraphValidationError) as raised:
        g.compile()
    assert phrase in str(raised.value)


@pytest.mark.parity("P2")
@pytest.mark.parametrize("paths", [[], ["a END"]])
def test_p2_a_graph_needs_an_entry(paths: list[str]) -> None:
    with pytest.raises(GraphValidationError, match="Graph must have an entrypoint"):
        graph(Log, says("a"), paths=paths).compile()


@pytest.mark.parity("P2")
def test_p2_validate_can_be_called_alone() -> None:
    with pytest.raises(GraphValidationError, match="unknown node `zz`"):
        builder().add_edge("a", "zz").validate()
    builder().validate()


@pytest.mark.parity("P2", differs="one-tree-of-errors: LangGraph makes no suggestions")
def test_p2_a_mistyped_node_gets_a_suggestion() -> None:
    g = graph(Log, says("research"), paths=["START reserch"])
    with pytest.raises(GraphValidationError, match="'research'"):
        g.compile()


@pytest.mark.parity("P2")
def test_p2_validation_errors_are_value_errors() -> None:
    with pytest.raises(ValueError, match="unknown node `zz`"):
        builder().add_edge("a", "zz").compile()


@pytest.mark.parity("P2")
async def test_p2_unreachable_nodes_are_no_mistake() -> None:
    assert await builder().compile().ainvoke({}) == {"log": ["a"]}


@pytest.mark.parity("P2")
def test_p2_a_checkpointer_must_be_one() -> None:
    with pytest.raises(TypeError, match="Invalid checkpointer"):
        builder().compile(checkpointer=5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="Invalid checkpointer"):
        builder().compile(checkpointer=InMemorySaver)  # type: ignore[arg-type]


class Proxy:
    def __init__(self, saver: Any) -> None:
        self.saver = saver

    def __getattr__(self, name: str) -> Any:
        return getattr(self.saver, name)


@pytest.mark.parity("P2")
async def test_p2_a_checkpointer_may_pass_everything_on() -> None:
    saver = InMemorySaver()
    thread = {"configurable": {"thread_id": "t"}}
    await builder().compile(checkpointer=Proxy(saver)).ainvoke({}, thread)
    assert await saver.load("t") is not None


@pytest.mark.parity("P2")
def test_p2_compiling_twice_gives_equal_graphs_of_their_own() -> None:
    g = builder()
    assert g.compile() is not g.compile()


@pytest.mark.parity("P1")
async def test_p1_later_changes_do_not_reach_a_compiled_graph() -> None:
    g = builder()
    app = g.compile()
    g.add_edge("a", "b")
    assert await app.ainvoke({}) == {"log": ["a"]}
    assert await g.compile().ainvoke({}) == {"log": ["a", "b"]}


@pytest.mark.parity("P2")
def test_p2_a_graph_has_a_name() -> None:
    assert builder().compile(name="mine").name == "mine"
