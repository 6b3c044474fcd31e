"""Deferred nodes and the end of a run (LangGraph E9, E10, C8, C9, quirks 2 and 22)."""

from typing import Any

import pytest

from graphrt.graph import END
from graphrt.types import Command, Send
from tests.acceptance.graphs import Log, graph, says, thread


def with_deferred(*nodes: Any, paths: list[str]) -> Any:
    """A builder whose nodes `last` and `also` are deferred; `last` is always there."""
    return graph(Log, *nodes, says("last"), paths=paths, deferred={"last", "also"})


@pytest.mark.parity("E9", "C9")
async def test_e9_a_deferred_node_waits_for_the_longest_path() -> None:
    nodes = [says("a"), says("b"), says("b2"), says("b3")]
    builder = with_deferred(*nodes, paths=["START a last", "START b b2 b3 last"])
    assert await builder.compile().ainvoke({}) == {"log": ["a", "b", "b2", "b3", "last"]}


@pytest.mark.parity("E9")
async def test_e9_a_deferred_node_waits_for_paths_that_do_not_lead_to_it() -> None:
    builder = with_deferred(says("a"), says("b"), says("b2"), paths=["START a last", "START b b2"])
    assert await builder.compile().ainvoke({}) == {"log": ["a", "b", "b2", "last"]}


@pytest.mark.parity("E9")
async def test_e9_what_follows_a_deferred_node_runs() -> None:
    builder = with_deferred(says("a"), says("c"), paths=["START a last c"])
    assert await builder.compile().ainvoke({}) == {"log": ["a", "last", "c"]}


@pytest.mark.parity("E9")
async def test_e9_a_deferred_node_waits_for_a_loop_to_end() -> None:
    builder = with_deferred(says("a"), says("b"), paths=["START a last", "START b"])
    builder.add_conditional_edges("b", lambda state: END if state["log"].count("b") == 3 else "b")
    assert await builder.compile().ainvoke({}) == {"log": ["a", "b", "b", "b", "last"]}


@pytest.mark.parity("E9")
async def test_e9_two_deferred_nodes_run_together() -> None:
    builder = with_deferred(says("a"), says("b"), says("also"), paths=["START a last", "START b also"])
    assert await builder.compile().ainvoke({}) == {"log": ["a", "b", "also", "last"]}


@pytest.mark.parity("E9")
async def test_e9_a_deferred_node_that_is_triggered_again_runs_again() -> None:
    builder = with_deferred(says("a"), paths=["START a last"])
    builder.add_conditional_edges("last", lambda state: END if len(state["log"]) > 2 else "a")
    assert await builder.compile().ainvoke({}) == {"log": ["a", "last", "a", "last"]}


@pytest.mark.parity("C8")
async def test_c8_a_deferred_join_waits_for_its_starts_and_for_the_others() -> None:
    nodes = [says("a"), says("b"), says("c"), says("c2")]
    builder = with_deferred(*nodes, paths=["START a", "START b", "START c c2", "a+b last"])
    assert await builder.compile().ainvoke({}) == {"log": ["a", "b", "c", "c2", "last"]}


@pytest.mark.parity("C9", "H4")
async def test_c9_goto_a_deferred_node_is_deferred() -> None:
    async def a(state: Log) -> Any:
        return Command(goto="last")

    builder = with_deferred(a, says("b"), says("b2"), paths=["START a", "START b b2"])
    assert await builder.compile().ainvoke({}) == {"log": ["b", "b2", "last"]}


@pytest.mark.parity("E10")
async def test_e10_a_triggered_deferred_node_does_not_wait_for_sends() -> None:
    builder = with_deferred(says("a"), says("work"), says("after"), paths=["START a last", "work after"])
    builder.add_conditional_edges("a", lambda state: [Send("work", {}), Send("work", {})])
    result = await builder.compile().ainvoke({})
    assert result == {"log": ["a", "last", "work", "work", "after"]}


@pytest.mark.parity("E10", "E9")
async def test_e10_a_deferred_node_that_the_sent_nodes_lead_to_runs_once_after_them() -> None:
    builder = with_deferred(says("a"), says("work"), paths=["START a", "work last"])
    builder.add_conditional_edges("a", lambda state: [Send("work", {}), Send("work", {})])
    assert await builder.compile().ainvoke({}) == {"log": ["a", "work", "work", "last"]}


@pytest.mark.parity("E10")
async def test_e10_a_send_to_a_deferred_node_runs_at_once() -> None:
    nodes = [says("a"), says("b"), says("b2"), says("b3")]
    builder = with_deferred(*nodes, paths=["START a", "START b b2 b3"])
    builder.add_conditional_edges("a", lambda state: Send("last", {}))
    assert await builder.compile().ainvoke({}) == {"log": ["a", "b", "b2", "last", "b3"]}


@pytest.mark.parity("E9")
async def test_e9_the_first_node_may_be_deferred() -> None:
    builder = with_deferred(says("a"), says("b"), paths=["START last", "START a b"])
    assert await builder.compile().ainvoke({}) == {"log": ["a", "b", "last"]}


@pytest.mark.parity("E9")
async def test_e9_a_thread_resumes_in_front_of_a_deferred_node(saver: Any) -> None:
    calls = []

    async def flaky(state: Log) -> dict[str, Any]:
        calls.append(1)
        if len(calls) == 1:
            raise ConnectionError
        return {"log": ["flaky"]}

    builder = with_deferred(says("a"), says("b"), flaky, paths=["START a last", "START b flaky"])
    app = builder.compile(checkpointer=saver)
    with pytest.raises(ConnectionError):
        await app.ainvoke({}, thread())
    assert await app.ainvoke(None, thread()) == {"log": ["a", "b", "flaky", "last"]}


@pytest.mark.parity("E9")
async def test_e9_a_deferred_node_runs_in_every_turn(saver: Any) -> None:
    app = with_deferred(says("a"), paths=["START a last"]).compile(checkpointer=saver)
    await app.ainvoke({}, thread())
    assert await app.ainvoke({}, thread()) == {"log": ["a", "last", "a", "last"]}
