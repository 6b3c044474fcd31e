"""The builder's spellings of nodes, edges and entries (LangGraph §1.1)."""

from typing import Any

import pytest

from graphrt.graph import END, START, StateGraph
from tests.acceptance.graphs import Log, named, says


@pytest.fixture
def builder() -> Any:
    return StateGraph(Log)


@pytest.mark.parity("G5")
async def test_a_function_gives_its_node_its_name(builder: Any) -> None:
    app = builder.add_node(says("a")).add_edge(START, "a").compile()
    assert [chunk async for chunk in app.astream({})] == [{"a": {"log": ["a"]}}]


@pytest.mark.parity("G5")
async def test_a_sequence_chains_its_nodes(builder: Any) -> None:
    app = builder.add_sequence([says("a"), ("second", says("b")), says("c")]).add_edge(START, "a").compile()
    assert [list(chunk) async for chunk in app.astream({})] == [["a"], ["second"], ["c"]]


@pytest.mark.parity("G5")
async def test_a_sequence_of_one_is_a_node(builder: Any) -> None:
    assert await builder.add_sequence([says("a")]).add_edge(START, "a").compile().ainvoke({}) == {
        "log": ["a"]
    }


@pytest.mark.parity("G5")
async def test_entry_and_finish_points_are_edges(builder: Any) -> None:
    builder.add_sequence([says("a"), says("b")]).set_entry_point("a").set_finish_point("b")
    assert await builder.compile().ainvoke({}) == {"log": ["a", "b"]}


@pytest.mark.parity("G6")
@pytest.mark.parametrize("given, log", [(["x"], ["x", "a"]), ([], ["b"])])
async def test_a_conditional_entry_point_looks_at_the_input(builder: Any, given: Any, log: Any) -> None:
    builder.add_node(says("a")).add_node(says("b"))
    builder.set_conditional_entry_point(lambda state: bool(state["log"]), {True: "a", False: "b"})
    assert await builder.compile().ainvoke({"log": given}) == {"log": log}


@pytest.mark.parity("G6")
async def test_a_conditional_entry_may_end_the_run(builder: Any) -> None:
    builder.add_node(says("a")).set_conditional_entry_point(lambda state: END)
    assert await builder.compile().ainvoke({"log": ["in"]}) == {"log": ["in"]}


@pytest.mark.parity("G5")
async def test_several_entries_run_together(builder: Any) -> None:
    builder.add_node(says("a")).add_node(says("b")).add_edge(START, "a").add_edge(START, "b")
    assert await builder.compile().ainvoke({}) == {"log": ["a", "b"]}


@pytest.mark.parity("G5")
async def test_an_edge_from_start_to_end_hands_the_input_through(builder: Any) -> None:
    assert await builder.add_edge(START, END).compile().ainvoke({"log": ["in"]}) == {"log": ["in"]}


@pytest.mark.parity("G5")
async def test_an_edge_that_is_added_twice_counts_once(builder: Any) -> None:
    builder.add_node(says("a")).add_edge(START, "a").add_edge(START, "a")
    assert await builder.compile().ainvoke({}) == {"log": ["a"]}


@pytest.mark.parity("G5")
async def test_a_join_that_ends_in_end_does_nothing(builder: Any) -> None:
    builder.add_node(says("a")).add_node(says("b")).add_edge(START, "a").add_edge(START, "b")
    assert await builder.add_edge(["a", "b"], END).compile().ainvoke({}) == {"log": ["a", "b"]}


@pytest.mark.parity("G5")
async def test_edges_may_be_added_before_their_nodes(builder: Any) -> None:
    builder.add_edge(START, "a").add_edge("a", "b").add_node(says("a")).add_node(says("b"))
    assert await builder.compile().ainvoke({}) == {"log": ["a", "b"]}


@pytest.mark.parity("G6")
async def test_a_router_may_be_an_object(builder: Any) -> None:
    class Route:
        def __call__(self, state: Log) -> str:
            return "b"

    builder.add_node(says("a")).add_node(says("b")).add_edge(START, "a")
    assert await builder.add_conditional_edges("a", Route()).compile().ainvoke({}) == {"log": ["a", "b"]}


@pytest.mark.parity("G5")
async def test_destinations_are_for_drawing_only(builder: Any) -> None:
    builder.add_node("a", says("a"), destinations=("b",)).add_node(says("b")).add_edge(START, "a")
    assert await builder.compile().ainvoke({}) == {"log": ["a"]}


@pytest.mark.parity("G5")
async def test_names_may_be_any_text(builder: Any) -> None:
    odd = "Ünïcode name, with 'quotes' and ~"
    app = builder.add_node(odd, says("x")).add_edge(START, odd).compile()
    assert await app.ainvoke({}) == {"log": ["x"]}


@pytest.mark.parity("G5")
async def test_a_node_may_be_named_like_a_key(builder: Any) -> None:
    app = builder.add_node("log", says("x")).add_edge(START, "log").compile()
    assert [chunk async for chunk in app.astream({})] == [{"log": {"log": ["x"]}}]


@pytest.mark.parity("P1")
def test_builder_methods_return_the_builder(builder: Any) -> None:
    assert builder.add_node(says("a")) is builder
    assert builder.add_edge(START, "a") is builder
    assert builder.add_conditional_edges("a", named("route", lambda state: END)) is builder
