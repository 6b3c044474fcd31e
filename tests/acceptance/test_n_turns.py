"""Turns of a conversation: each starts from the thread's last state (LangGraph N1, A7)."""

import asyncio
from typing import Any, TypedDict

import pytest

from tests.acceptance.graphs import Log, graph, says, thread


def app_of(saver: Any, *words: str) -> Any:
    return graph(Log, *map(says, words), paths=["START " + " ".join(words)]).compile(checkpointer=saver)


async def test_n1_every_turn_starts_from_the_last(saver: Any) -> None:
    app = app_of(saver, "a")
    await app.ainvoke({"log": ["one"]}, thread())
    assert await app.ainvoke({"log": ["two"]}, thread()) == {"log": ["one", "a", "two", "a"]}


async def test_n1_keys_that_a_turn_does_not_mention_stay(saver: Any) -> None:
    class Pair(TypedDict):
        left: int
        right: int

    async def node(state: Pair) -> dict[str, Any]:
        return {"right": state["left"] + 1}

    app = graph(Pair, node, paths=["START node"]).compile(checkpointer=saver)
    await app.ainvoke({"left": 1}, thread())
    assert await app.ainvoke({}, thread()) == {"left": 1, "right": 2}


async def test_n1_threads_do_not_know_each_other(saver: Any) -> None:
    app = app_of(saver, "a")
    await app.ainvoke({"log": ["one"]}, thread("t1"))
    assert await app.ainvoke({"log": ["two"]}, thread("t2")) == {"log": ["two", "a"]}


async def test_n1_threads_may_run_at_the_same_time(saver: Any) -> None:
    app = app_of(saver, "a", "b")
    inputs = [{"log": [str(n)]} for n in range(20)]
    results = await asyncio.gather(*(app.ainvoke(each, thread(f"t{n}")) for n, each in enumerate(inputs)))
    assert results == [{"log": [str(n), "a", "b"]} for n in range(20)]


async def test_n1_another_graph_object_continues_the_thread(saver: Any) -> None:
    await app_of(saver, "a").ainvoke({"log": ["one"]}, thread())
    assert await app_of(saver, "a").ainvoke({"log": ["two"]}, thread()) == {"log": ["one", "a", "two", "a"]}


async def test_n1_a_turn_reaches_nodes_that_the_graph_got_since(saver: Any) -> None:
    await app_of(saver, "a").ainvoke({"log": ["one"]}, thread())
    result = await app_of(saver, "a", "b").ainvoke({"log": ["two"]}, thread())
    assert result == {"log": ["one", "a", "two", "a", "b"]}


@pytest.mark.parity("A7")
async def test_n1_new_input_is_taken_although_the_node_that_was_planned_is_gone(saver: Any) -> None:
    async def fails(state: Log) -> None:
        raise ConnectionError("no route")

    old = graph(Log, fails, paths=["START fails"]).compile(checkpointer=saver)
    with pytest.raises(ConnectionError):
        await old.ainvoke({"log": ["one"]}, thread())
    assert await app_of(saver, "a").ainvoke({"log": ["two"]}, thread()) == {"log": ["one", "two", "a"]}


async def test_n1_a_deleted_thread_starts_anew(saver: Any) -> None:
    app = app_of(saver, "a")
    await app.ainvoke({"log": ["one"]}, thread())
    await saver.adelete_thread("t")
    assert await app.ainvoke({"log": ["two"]}, thread()) == {"log": ["two", "a"]}
