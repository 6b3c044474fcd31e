"""Edges, joins and routers (LangGraph G5-G7)."""

from typing import Annotated, Any, Literal, TypedDict

import pytest

from graphrt.errors import InvalidUpdateError, UnknownTargetError
from graphrt.graph import END, START
from graphrt.types import Send
from tests.acceptance.graphs import Log, graph, named, says, thread


def routed(path: Any, path_map: Any = None, *, paths: tuple[str, ...] = ()) -> Any:
    """A compiled graph in which `path` decides after `a` between b and c."""
    builder = graph(Log, says("a"), says("b"), says("c"), paths=["START a", *paths])
    return builder.add_conditional_edges("a", path, path_map).compile()


@pytest.mark.parity("G6")
@pytest.mark.parametrize("target, log", [("b", ["a", "b"]), ("c", ["a", "c"]), (END, ["a"])])
async def test_g6_a_router_names_the_next_node(target: str, log: list[str]) -> None:
    assert await routed(lambda state: target).ainvoke({}) == {"log": log}


@pytest.mark.parity("G6")
async def test_g6_a_router_may_be_async() -> None:
    async def route(state: Log) -> str:
        return "b"

    assert await routed(route).ainvoke({}) == {"log": ["a", "b"]}


@pytest.mark.parity("G6", "P5", differs="async-nodes-behind-invoke: LangGraph refuses them")
def test_g6_async_routers_work_behind_the_blocking_door() -> None:
    async def route(state: Log) -> str:
        return "b"

    assert routed(route).invoke({}) == {"log": ["a", "b"]}


@pytest.mark.parity("G6")
async def test_g6_a_router_may_name_several_nodes() -> None:
    assert await routed(lambda state: ["c", "b"]).ainvoke({}) == {"log": ["a", "b", "c"]}


@pytest.mark.parity("G6")
async def test_g6_end_among_several_is_dropped() -> None:
    assert await routed(lambda state: ["b", END]).ainvoke({}) == {"log": ["a", "b"]}


@pytest.mark.parity("G6")
async def test_g6_an_empty_list_ends_the_path() -> None:
    assert await routed(lambda state: []).ainvoke({}) == {"log": ["a"]}


@pytest.mark.parity("G6", "H1")
async def test_g6_a_router_may_mix_names_and_sends() -> None:
    assert await routed(lambda state: ["b", Send("c", {})]).ainvoke({}) == {"log": ["a", "b", "c"]}


@pytest.mark.parity("G6")
async def test_g6_a_path_map_translates_answers() -> None:
    app = routed(lambda state: len(state["log"]) > 5, {True: "b", False: "c"})
    assert await app.ainvoke({}) == {"log": ["a", "c"]}


@pytest.mark.parity("G6")
async def test_g6_a_path_map_may_be_a_list_of_names() -> None:
    assert await routed(lambda state: "c", ["b", "c"]).ainvoke({}) == {"log": ["a", "c"]}


@pytest.mark.parity("G6")
async def test_g6_a_path_map_lets_sends_through() -> None:
    assert await routed(lambda state: [Send("c", {}), "x"], {"x": "b"}).ainvoke({}) == {
        "log": ["a", "b", "c"]
    }


@pytest.mark.parity(
    "G6", differs="an-answer-that-the-path-map-does-not-have: LangGraph lets a KeyError through"
)
async def test_g6_an_answer_missing_in_the_path_map_is_an_error() -> None:
    with pytest.raises(UnknownTargetError) as raised:
        await routed(lambda state: "d", {"b": "b"}).ainvoke({})
    assert raised.value.target == "d"


@pytest.mark.parity("G6")
async def test_g6_a_literal_annotation_needs_no_path_map() -> None:
    def route(state: Log) -> Literal["b", "c"]:
        return "c"

    assert await routed(route).ainvoke({}) == {"log": ["a", "c"]}


@pytest.mark.parity("G6")
@pytest.mark.parametrize("answer", [None, START])
async def test_g6_no_answer_is_an_error(answer: Any) -> None:
    with pytest.raises(ValueError, match="did not return a valid destination"):
        await routed(lambda state: answer).ainvoke({})


@pytest.mark.parity("G6")
async def test_g6_a_send_to_end_is_refused() -> None:
    with pytest.raises(InvalidUpdateError):
        await routed(lambda state: Send(END, {})).ainvoke({})


@pytest.mark.parity("G6")
async def test_g6_a_router_sees_the_update_of_its_node() -> None:
    app = routed(lambda state: "b" if state["log"] == ["in", "a"] else "c")
    assert await app.ainvoke({"log": ["in"]}) == {"log": ["in", "a", "b"]}


@pytest.mark.parity("G6")
async def test_g6_a_router_does_not_see_the_update_of_siblings() -> None:
    seen: list[Any] = []
    builder = graph(Log, says("a"), says("b"), paths=["START a", "START b"])

    def route(state: Log) -> str:
        seen.append(state["log"])
        return END

    builder.add_conditional_edges("a", route).add_conditional_edges("b", route)
    await builder.compile().ainvoke({"log": ["in"]})
    assert sorted(seen) == [["in", "a"], ["in", "b"]]


class Hidden(TypedDict):
    log: Annotated[list[str], lambda left, right: left + right]
    mood: str


class MoodOnly(TypedDict):
    mood: str


@pytest.mark.parity("G6")
async def test_g6_a_router_with_a_schema_of_its_own_sees_only_that() -> None:
    seen: list[Any] = []

    def route(state: MoodOnly) -> str:
        seen.append(dict(state))
        return END

    builder = graph(Hidden, ("a", lambda state: {"mood": "good"}), paths=["START a"])
    await builder.add_conditional_edges("a", route).compile().ainvoke({"log": ["in"]})
    assert seen == [{"mood": "good"}]


@pytest.mark.parity("G6")
async def test_g6_a_router_sees_extra_keys_of_the_nodes_output_when_not_strict() -> None:
    builder = graph(Log, ("a", lambda state: {"hint": "b"}), says("b"), paths=["START a"])
    app = builder.add_conditional_edges("a", lambda state: state["hint"]).compile(strict=False)
    assert await app.ainvoke({}) == {"log": ["b"]}


@pytest.mark.parity("G7")
async def test_g7_every_router_of_a_node_counts() -> None:
    builder = graph(Log, says("a"), says("b"), says("c"), paths=["START a"])
    builder.add_conditional_edges("a", named("one", lambda state: "b"))
    builder.add_conditional_edges("a", named("two", lambda state: "c"))
    assert await builder.compile().ainvoke({}) == {"log": ["a", "b", "c"]}


@pytest.mark.parity("G7")
async def test_g7_edges_and_routers_of_a_node_both_count() -> None:
    app = routed(lambda state: "b", paths=("a c",))
    assert await app.ainvoke({}) == {"log": ["a", "b", "c"]}


@pytest.mark.parity("G7")
async def test_g7_an_error_in_a_router_fails_its_node(saver: Any) -> None:
    def route(state: Log) -> str:
        raise LookupError("no way")

    builder = graph(Log, says("a"), says("b"), paths=["START a", "b END"])
    app = builder.add_conditional_edges("a", route).compile(checkpointer=saver)
    with pytest.raises(LookupError, match="no way"):
        await app.ainvoke({"log": ["in"]}, thread())
    assert [(t.name, "no way" in str(t.error)) for t in (await app.aget_state(thread())).tasks] == [
        ("a", True)
    ]


@pytest.mark.parity("G5")
async def test_g5_parallel_edges_meet_again() -> None:
    nodes = [says("a"), says("b"), says("c"), says("d")]
    app = graph(Log, *nodes, paths=["START a b d", "a c d"]).compile()
    assert await app.ainvoke({}) == {"log": ["a", "b", "c", "d"]}


@pytest.mark.parity("G5")
async def test_g5_without_a_join_a_node_after_unequal_paths_runs_twice() -> None:
    nodes = [says("a"), says("b"), says("b2"), says("c")]
    app = graph(Log, *nodes, paths=["START a c", "START b b2 c"]).compile()
    assert await app.ainvoke({}) == {"log": ["a", "b", "b2", "c", "c"]}


@pytest.mark.parity("G5")
async def test_g5_an_edge_to_end_ends_the_path() -> None:
    app = graph(Log, says("a"), says("b"), paths=["START a END", "START b END"]).compile()
    assert await app.ainvoke({}) == {"log": ["a", "b"]}


@pytest.mark.parity("G5")
async def test_g5_a_join_of_one_is_an_edge() -> None:
    builder = graph(Log, says("a"), says("b"), paths=["START a"])
    assert await builder.add_edge(["a"], "b").compile().ainvoke({}) == {"log": ["a", "b"]}


@pytest.mark.parity("G5")
async def test_g5_the_order_of_a_joins_starts_does_not_matter() -> None:
    nodes = [says("a"), says("b"), says("b2"), says("c")]
    app = graph(Log, *nodes, paths=["START a", "START b b2", "b2+a c"]).compile()
    assert await app.ainvoke({}) == {"log": ["a", "b", "b2", "c"]}


@pytest.mark.parity("G5")
async def test_g5_two_joins_over_the_same_starts() -> None:
    nodes = [says("a"), says("b"), says("c"), says("d")]
    app = graph(Log, *nodes, paths=["START a", "START b", "a+b c", "a+b d"]).compile()
    assert await app.ainvoke({}) == {"log": ["a", "b", "c", "d"]}


@pytest.mark.parity("G5")
async def test_g5_a_join_that_keeps_collecting_over_a_slow_branch() -> None:
    nodes = [says("a"), says("b"), says("b2"), says("b3"), says("c")]
    app = graph(Log, *nodes, paths=["START a", "START b b2 b3", "a+b+b3 c"]).compile()
    assert await app.ainvoke({}) == {"log": ["a", "b", "b2", "b3", "c"]}
