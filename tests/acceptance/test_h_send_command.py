"""Send and Command as nodes and routers return them (LangGraph H1-H7)."""

from typing import Any, Literal

import pytest

from graphrt.errors import UnknownKeyError
from graphrt.graph import END
from graphrt.types import Command, Send
from tests.acceptance.graphs import Log, graph, says


async def work(item: Any) -> dict[str, Any]:
    """A node that logs the input it was sent."""
    return {"log": [repr(item)]}


def returning(value: Any, *nodes: Any, paths: tuple[str, ...] = (), **options: Any) -> Any:
    """A compiled graph whose first node `a` returns `value`."""

    async def a(state: Log) -> Any:
        return value

    return graph(Log, a, *nodes, paths=["START a", *paths]).compile(**options)


def sending(*sends: Any, nodes: tuple[Any, ...] = (), paths: tuple[str, ...] = ()) -> Any:
    """A compiled graph that starts with `sends`."""
    builder = graph(Log, work, *nodes, paths=list(paths))
    return builder.add_conditional_edges("__start__", lambda state: list(sends)).compile()


@pytest.mark.parity("H1")
@pytest.mark.parametrize("arg", [1, "text", None, ("t", 1), {"other": 1}, [1, 2]])
async def test_h1_the_argument_arrives_as_it_is(arg: Any) -> None:
    assert await sending(Send("work", arg)).ainvoke({"log": ["in"]}) == {"log": ["in", repr(arg)]}


@pytest.mark.parity("H1")
async def test_h1_the_argument_is_the_same_object() -> None:
    sent, seen = object(), []
    builder = graph(Log, ("take", lambda arg: seen.append(arg)), paths=["take END"])
    await builder.add_conditional_edges("__start__", lambda state: Send("take", sent)).compile().ainvoke({})
    assert seen[0] is sent


@pytest.mark.parity("H1")
async def test_h1_sent_nodes_run_in_the_next_step() -> None:
    builder = graph(Log, says("a"), says("b"), work, paths=["START a b"])
    app = builder.add_conditional_edges("a", lambda state: Send("work", 1)).compile()
    chunks = [chunk async for chunk in app.astream({}, stream_mode="values")]
    assert [chunk["log"] for chunk in chunks] == [["a"], ["a", "b", "1"]]


@pytest.mark.parity("H1")
async def test_h1_no_sends_end_the_path() -> None:
    assert await sending().ainvoke({"log": ["in"]}) == {"log": ["in"]}


@pytest.mark.parity("H1")
async def test_h1_sends_may_go_to_different_nodes() -> None:
    app = sending(Send("work", 1), Send("other", 2), Send("work", 3), nodes=(("other", work),))
    assert await app.ainvoke({}) == {"log": ["1", "2", "3"]}


@pytest.mark.parity("H1", "B7")
async def test_h1_a_node_may_return_a_send() -> None:
    assert await returning(Send("work", 1), work).ainvoke({}) == {"log": ["1"]}


@pytest.mark.parity("H2")
async def test_h2_edges_of_a_sent_node_fire_once_for_all_of_them() -> None:
    app = sending(Send("work", 1), Send("work", 2), nodes=(says("after"),), paths=("work after",))
    assert await app.ainvoke({}) == {"log": ["1", "2", "after"]}


@pytest.mark.parity("H2")
async def test_h2_routers_of_a_sent_node_run_for_each_of_them() -> None:
    seen: list[Any] = []

    def route(state: Log) -> str:
        seen.append(state["log"])
        return END

    builder = graph(Log, work, paths=[])
    builder.add_conditional_edges("__start__", lambda state: [Send("work", 1), Send("work", 2)])
    await builder.add_conditional_edges("work", route).compile().ainvoke({})
    assert sorted(seen) == [["1"], ["2"]]


@pytest.mark.parity("H2")
async def test_h2_sent_nodes_may_send_again() -> None:
    async def countdown(n: int) -> Any:
        return Command(update={"log": [str(n)]}, goto=Send("countdown", n - 1) if n else ())

    builder = graph(Log, countdown, paths=[])
    app = builder.add_conditional_edges("__start__", lambda state: Send("countdown", 3)).compile()
    assert await app.ainvoke({}) == {"log": ["3", "2", "1", "0"]}


@pytest.mark.parity("H2")
async def test_h2_sends_then_a_join() -> None:
    app = sending(
        Send("work", 1), Send("work", 2), Send("b", {}),
        nodes=(says("b"), says("c")), paths=("work+b c",),
    )  # fmt: skip
    assert await app.ainvoke({}) == {"log": ["1", "2", "b", "c"]}


@pytest.mark.parity("H4")
async def test_h4_a_command_updates_and_goes() -> None:
    app = returning(Command(update={"log": ["a"]}, goto="b"), says("b"))
    assert await app.ainvoke({}) == {"log": ["a", "b"]}


@pytest.mark.parity("H4")
async def test_h4_goto_may_name_several_nodes_and_sends() -> None:
    app = returning(Command(goto=["c", Send("work", 1), "b"]), says("b"), says("c"), work)
    assert await app.ainvoke({}) == {"log": ["b", "c", "1"]}


@pytest.mark.parity("H4")
async def test_h4_goto_adds_to_the_nodes_edges() -> None:
    app = returning(Command(goto="b"), says("b"), says("c"), paths=("a c",))
    assert await app.ainvoke({}) == {"log": ["b", "c"]}


@pytest.mark.parity("H4")
async def test_h4_goto_end_is_nothing() -> None:
    app = returning(Command(update={"log": ["a"]}, goto=END), says("b"), paths=("b END",))
    assert await app.ainvoke({}) == {"log": ["a"]}


@pytest.mark.parity("H4")
async def test_h4_an_empty_command_is_no_update() -> None:
    assert await returning(Command(), says("b"), paths=("a b",)).ainvoke({}) == {"log": ["b"]}


@pytest.mark.parity("H4")
@pytest.mark.parametrize("update", [{"log": ["a"]}, [("log", ["a"])], (("log", ["a"]),)])
async def test_h4_an_update_is_a_dict_or_pairs(update: Any) -> None:
    assert await returning(Command(update=update)).ainvoke({}) == {"log": ["a"]}


@pytest.mark.parity("H4", "P2")
async def test_h4_an_annotated_command_needs_no_edges() -> None:
    async def a(state: Log) -> Command[Literal["b"]]:
        return Command(goto="b")

    assert await graph(Log, a, says("b"), paths=["START a"]).compile().ainvoke({}) == {"log": ["b"]}


@pytest.mark.parity("H4", differs="unknown-keys: LangGraph drops them")
async def test_h4_unknown_keys_in_pairs_are_refused() -> None:
    with pytest.raises(UnknownKeyError):
        await returning(Command(update=[("logs", ["a"])])).ainvoke({})


@pytest.mark.parity("H7")
async def test_h7_commands_in_a_list_are_merged() -> None:
    commands: list[Command[Any]] = [
        Command(update={"log": ["1"]}, goto="c"),
        Command(update={"log": ["2"]}, goto="b"),
    ]
    assert await returning(commands, says("b"), says("c")).ainvoke({}) == {"log": ["1", "2", "b", "c"]}


@pytest.mark.parity("H7")
async def test_h7_commands_and_dicts_may_be_mixed() -> None:
    app = returning([{"log": ["1"]}, Command(goto="b"), {"log": ["2"]}], says("b"))
    assert await app.ainvoke({}) == {"log": ["1", "2", "b"]}


@pytest.mark.parity("H7")
async def test_h7_sends_of_merged_commands_keep_their_order() -> None:
    app = returning([Command(goto=Send("work", 2)), Command(goto=[Send("work", 1)])], work)
    assert await app.ainvoke({}) == {"log": ["2", "1"]}
