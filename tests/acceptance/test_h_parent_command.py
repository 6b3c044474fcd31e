"""Commands for a graph around the one whose node returned them (LangGraph H5, H7)."""

from typing import Any, TypedDict

import pytest

from graphrt.errors import ParentCommand
from graphrt.types import Command, Send
from tests.acceptance.graphs import Log, graph, says
from tests.acceptance.nested import chain, hands_over, parent
from tests.acceptance.streams import chunks

# ---- where it goes and what it changes


@pytest.mark.parity("H5")
async def test_h5_a_command_for_the_parent_goes_to_a_node_of_the_parent() -> None:
    app = parent(chain(hands_over("b"))).compile()
    assert await app.ainvoke({"log": []}) == {"log": ["b"]}


@pytest.mark.parity("H5")
async def test_h5_its_update_is_one_of_the_parents_state() -> None:
    class Inner(TypedDict):
        other: int

    app = parent(chain(hands_over("b", {"log": ["note"]}), schema=Inner)).compile()
    assert await app.ainvoke({"log": ["in"]}) == {"log": ["in", "note", "b"]}
    assert await chunks(app, {"log": ["in"]}, stream_mode="updates") == [
        {"child": {"log": ["note"]}},
        {"b": {"log": ["b"]}},
    ]


@pytest.mark.parity("H5")
async def test_h5_nothing_else_comes_out_of_the_child() -> None:
    child = chain(says("lost"), hands_over("b", {"log": ["note"]}), says("never"))
    assert await parent(child).compile().ainvoke({"log": []}) == {"log": ["note", "b"]}


@pytest.mark.parity("H5")
async def test_h5_siblings_inside_the_child_are_lost_with_it() -> None:
    child = graph(Log, says("lost"), hands_over("b"), paths=["START lost", "START hands_over"]).compile()
    assert await parent(child).compile().ainvoke({"log": []}) == {"log": ["b"]}


@pytest.mark.parity("H5")
async def test_h5_the_edges_of_the_childs_node_are_followed_as_well() -> None:
    builder = parent(chain(hands_over("b", {"log": ["note"]})))
    builder.add_node("after", says("after")).add_edge("child", "after")
    assert await builder.compile().ainvoke({"log": []}) == {"log": ["note", "after", "b"]}


@pytest.mark.parity("H5")
async def test_h5_routers_of_the_childs_node_see_the_update() -> None:
    builder = parent(chain(hands_over((), {"log": ["note"]})))
    builder.add_conditional_edges("child", lambda state: "b" if "note" in state["log"] else "__end__")
    assert await builder.compile().ainvoke({"log": []}) == {"log": ["note", "b"]}


@pytest.mark.parity("H5")
async def test_h5_it_may_only_update() -> None:
    app = parent(chain(hands_over((), {"log": ["note"]}))).compile()
    assert await app.ainvoke({"log": []}) == {"log": ["note"]}


@pytest.mark.parity("H5", "H1")
async def test_h5_it_may_send() -> None:
    async def work(item: int) -> dict[str, Any]:
        return {"log": [str(item)]}

    sends = [Send("work", number) for number in (1, 2)]
    app = graph(Log, ("child", chain(hands_over(sends))), work, paths=["START child"]).compile()
    assert await app.ainvoke({"log": []}) == {"log": ["1", "2"]}


@pytest.mark.parity("H5")
async def test_h5_it_may_go_back_to_the_childs_own_node() -> None:
    async def again(state: Log) -> Any:
        if len(state["log"]) < 2:
            return Command(graph=Command.PARENT, goto="child", update={"log": ["again"]})
        return {"log": ["done"]}

    class Answer(TypedDict):
        log: list[str]

    child = graph(Log, again, paths=["START again"]).compile()
    assert (await parent(child).compile().ainvoke({"log": []}))["log"][-1] == "done"


@pytest.mark.parity("H5")
async def test_h5_a_graph_that_a_node_calls_hands_over_for_the_node() -> None:
    after: list[str] = []
    child = chain(hands_over("b", {"log": ["note"]}))

    async def node(state: Log) -> None:
        await child.ainvoke({"log": []})
        after.append("never")

    app = graph(Log, node, says("b"), paths=["START node"]).compile()
    assert await app.ainvoke({"log": []}) == {"log": ["note", "b"]}
    assert after == []


@pytest.mark.parity("H5", "F4")
async def test_h5_a_later_call_by_a_node_hands_over_as_the_first_does() -> None:
    ready, leaving = chain(says("a")), chain(hands_over("b", {"log": ["note"]}))

    async def node(state: Log) -> None:
        await ready.ainvoke({"log": []})
        await ready.ainvoke({"log": []})
        await leaving.ainvoke({"log": []})

    app = graph(Log, node, says("b"), paths=["START node"]).compile()
    assert await app.ainvoke({"log": []}) == {"log": ["note", "b"]}


@pytest.mark.parity("H5")
def test_h5_plain_functions_hand_over_behind_the_blocking_door() -> None:
    def leave(state: Log) -> Any:
        return Command(graph=Command.PARENT, goto="b")

    app = graph(Log, ("child", chain(leave)), ("b", lambda state: {"log": ["b"]}), paths=["START child"])
    assert app.compile().invoke({"log": []}) == {"log": ["b"]}


# ---- which graph is meant


def three_deep(inner: Any) -> Any:
    """Graphs in which `inner` is leaf of middle and middle of the root; each has a node b, and the root a node r."""
    middle = graph(Log, ("leaf", inner), ("b", says("middle b")), paths=["START leaf"]).compile()
    nodes = [("middle", middle), ("b", says("root b")), ("r", says("r"))]
    return graph(Log, *nodes, paths=["START middle r"]).compile()


@pytest.mark.parity("H5")
async def test_h5_the_parent_is_the_graph_next_around() -> None:
    app = three_deep(chain(hands_over("b")))
    assert await app.ainvoke({"log": []}) == {"log": ["middle b", "r"]}


@pytest.mark.parity("H5")
@pytest.mark.parametrize(
    "to, expected",
    [("leaf", ["middle b", "r"]), ("middle|leaf", ["middle b", "r"]), ("middle", ["r", "root b"])],
)
async def test_h5_a_graph_may_be_named_by_the_node_inside_of_which_this_one_runs(
    to: str, expected: Any
) -> None:
    async def leave(state: Log) -> None:
        raise ParentCommand(Command(graph=to, goto="b"))

    assert sorted((await three_deep(chain(leave)).ainvoke({"log": []}))["log"]) == sorted(expected)


@pytest.mark.parity(
    "H5", differs="commands-for-a-graph-by-name: LangGraph takes a returned one for its own graph"
)
@pytest.mark.parametrize("to, expected", [("leaf", ["middle b", "r"]), ("middle", ["r", "root b"])])
async def test_h5_a_returned_command_may_name_a_graph_as_well(to: str, expected: Any) -> None:
    app = three_deep(chain(hands_over("b", to=to)))
    assert sorted((await app.ainvoke({"log": []}))["log"]) == sorted(expected)


@pytest.mark.parity(
    "H5", differs="interrupts-are-no-exceptions: LangGraph's `except Exception` swallows them"
)
async def test_h5_a_broad_except_lets_it_pass() -> None:
    child = chain(hands_over("b"))

    async def careful(state: Log) -> dict[str, Any]:
        try:
            await child.ainvoke({"log": []})
        except Exception:
            return {"log": ["swallowed"]}
        return {"log": ["nothing"]}

    app = graph(Log, careful, says("b"), paths=["START careful"]).compile()
    assert await app.ainvoke({"log": []}) == {"log": ["b"]}


# ---- among other commands


@pytest.mark.parity("H7")
async def test_h7_a_command_for_the_parent_among_others_is_the_one_that_counts() -> None:
    async def several(state: Log) -> Any:
        return [
            Command(update={"log": ["lost"]}),
            Command(graph=Command.PARENT, goto="b", update={"log": ["note"]}),
        ]

    assert await parent(chain(several)).compile().ainvoke({"log": []}) == {"log": ["note", "b"]}


@pytest.mark.parity("H5", "H7")
async def test_h5_children_beside_each_other_hand_over_each_for_itself() -> None:
    left, right = chain(hands_over("a", {"log": ["l"]})), chain(hands_over("b", {"log": ["r"]}))
    nodes = [("left", left), ("right", right), says("a"), says("b")]
    app = graph(Log, *nodes, paths=["START left", "START right"]).compile()
    assert await app.ainvoke({"log": []}) == {"log": ["l", "r", "a", "b"]}
