"""Strictness: what LangGraph drops in silence is an error unless `strict=False` (LangGraph C13, D1, E9)."""

from typing import Any

import pytest

from graphrt.errors import IncompleteJoinError, InvalidUpdateError, UnknownTargetError
from graphrt.types import Command, Send
from tests.acceptance.graphs import Log, graph, says, thread


@pytest.mark.parity("C13", differs="unknown-targets: LangGraph logs a warning and goes on")
async def test_c13_goto_an_unknown_node_is_refused() -> None:
    async def lost(state: Log) -> Any:
        return Command(update={"log": ["lost"]}, goto="wrker")

    app = graph(Log, lost, says("worker"), paths=["START lost", "worker END"]).compile()
    with pytest.raises(UnknownTargetError, match="worker") as raised:
        await app.ainvoke({})
    assert raised.value.target == "wrker"


@pytest.mark.parity("C13", "H4")
async def test_c13_goto_an_unknown_node_ends_the_path_when_not_strict() -> None:
    async def lost(state: Log) -> Any:
        return Command(update={"log": ["lost"]}, goto="nowhere")

    app = graph(Log, lost, paths=["START lost"]).compile(strict=False)
    assert await app.ainvoke({}) == {"log": ["lost"]}


@pytest.mark.parity("C13", differs="unknown-targets: LangGraph logs a warning and goes on")
async def test_c13_a_router_that_names_an_unknown_node_is_refused() -> None:
    builder = graph(Log, says("a"), says("worker"), paths=["START a", "worker END"])
    builder.add_conditional_edges("a", lambda state: "wrker")
    with pytest.raises(UnknownTargetError, match="worker"):
        await builder.compile().ainvoke({})


@pytest.mark.parity("C13")
async def test_c13_a_router_that_names_an_unknown_node_ends_the_path_when_not_strict() -> None:
    builder = graph(Log, says("a"), paths=["START a"])
    builder.add_conditional_edges("a", lambda state: "nowhere")
    assert await builder.compile(strict=False).ainvoke({}) == {"log": ["a"]}


@pytest.mark.parity("D1", differs="unknown-targets: LangGraph logs a warning and goes on")
async def test_d1_a_send_to_an_unknown_node_is_refused() -> None:
    builder = graph(Log, says("a"), says("worker"), paths=["START a", "worker END"])
    builder.add_conditional_edges("a", lambda state: [Send("wrker", {})])
    with pytest.raises(UnknownTargetError, match="worker"):
        await builder.compile().ainvoke({})


@pytest.mark.parity("D1")
async def test_d1_a_send_to_an_unknown_node_is_skipped_when_not_strict() -> None:
    builder = graph(Log, says("a"), says("b"), paths=["START a", "b END"])
    builder.add_conditional_edges("a", lambda state: [Send("nowhere", {}), Send("b", {})])
    assert await builder.compile(strict=False).ainvoke({}) == {"log": ["a", "b"]}


@pytest.mark.parity("C13", differs="unknown-targets: LangGraph logs a warning and goes on")
def test_c13_an_unknown_target_is_an_invalid_update() -> None:
    assert issubclass(UnknownTargetError, InvalidUpdateError)


@pytest.mark.parity("C13", differs="unknown-targets: LangGraph logs a warning and goes on")
async def test_c13_a_run_that_is_sent_to_an_unknown_node_commits_nothing_of_that_step(saver: Any) -> None:
    builder = graph(Log, says("a"), says("b"), paths=["START a b"])
    builder.add_conditional_edges("b", lambda state: "nowhere")
    app = builder.compile(checkpointer=saver)
    with pytest.raises(UnknownTargetError):
        await app.ainvoke({}, thread())
    [latest] = [s async for s in app.aget_state_history(thread(), limit=1)]
    assert (latest.values, latest.next) == ({"log": ["a"]}, ("b",))


@pytest.mark.parity("C13", "H8", differs="unknown-targets: LangGraph logs a warning and goes on")
async def test_c13_an_input_command_to_an_unknown_node_is_refused(saver: Any) -> None:
    app = graph(Log, says("a"), paths=["START a"]).compile(checkpointer=saver)
    await app.ainvoke({}, thread())
    with pytest.raises(UnknownTargetError):
        await app.ainvoke(Command(goto="nowhere"), thread())


def half_joined() -> Any:
    """A builder in which `a` reaches the join of a and b, and `b` is never chosen."""
    builder = graph(Log, says("start"), says("a"), says("b"), says("c"), paths=["START start", "a+b c"])
    return builder.add_conditional_edges("start", lambda state: ["a"], ["a", "b"])


@pytest.mark.parity("C7", differs="half-filled-joins: LangGraph ends the run without a word")
async def test_c7_a_run_that_ends_with_half_a_join_is_refused() -> None:
    with pytest.raises(IncompleteJoinError) as raised:
        await half_joined().compile().ainvoke({})
    assert (raised.value.arrived, raised.value.missing) == (("a",), ("b",))


@pytest.mark.parity("C7")
async def test_c7_half_a_join_ends_the_run_in_silence_when_not_strict() -> None:
    assert await half_joined().compile(strict=False).ainvoke({}) == {"log": ["start", "a"]}


@pytest.mark.parity("C7")
async def test_c7_a_join_that_nobody_reached_is_fine() -> None:
    builder = graph(Log, says("start"), says("a"), says("b"), says("c"), paths=["START start", "a+b c"])
    builder.add_conditional_edges("start", lambda state: "__end__", ["a", "b", "__end__"])
    assert await builder.compile().ainvoke({}) == {"log": ["start"]}


@pytest.mark.parity("C7")
async def test_c7_a_half_filled_join_waits_over_turns_when_not_strict(saver: Any) -> None:
    builder = graph(Log, says("a"), says("b"), says("c"), paths=["a+b c"])
    builder.add_conditional_edges("__start__", lambda state: state["log"][-1], ["a", "b"])
    app = builder.compile(checkpointer=saver, strict=False)
    await app.ainvoke({"log": ["a"]}, thread())
    assert await app.ainvoke({"log": ["b"]}, thread()) == {"log": ["a", "a", "b", "b", "c"]}
