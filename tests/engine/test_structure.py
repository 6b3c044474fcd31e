"""However a run is left, nothing of it stays alive and its thread can be continued."""

import asyncio
import threading
from contextlib import suppress
from typing import Any

import pytest

from graphrt.checkpoint.memory import InMemorySaver
from tests.acceptance.graphs import Log, graph, says, thread
from tests.acceptance.streams import history
from tests.engine.shapes import GIVEN, SHAPES
from tests.engine.worlds import (
    DURABILITIES,
    Held,
    SaverAround,
    cancelled_after,
    chain,
    no_new_tasks,
    one_chain,
    to_its_end,
    turns,
    waits_and_says,
)

SAVERS = {"immediate": InMemorySaver, "slow": SaverAround}


async def read(stream: Any) -> Any:
    return [chunk async for chunk in stream]


# ---- cancelled at every point


@pytest.mark.parametrize("shape", SHAPES)
async def test_a_cancelled_run_leaves_nothing_alive_whenever_it_is_cancelled(shape: str) -> None:
    make, expected = SHAPES[shape]
    over, turn, result = False, 0, None
    while not over:
        async with no_new_tasks():
            over, result = await cancelled_after(turn, make(None).ainvoke(GIVEN))
        turn += 1
    assert (turn > 5, result) == (True, {"log": expected})


@pytest.mark.parametrize("shape", SHAPES)
async def test_a_cancelled_stream_leaves_nothing_alive_whenever_it_is_cancelled(shape: str) -> None:
    make, _ = SHAPES[shape]
    over, turn = False, 0
    while not over:
        over, _result = await cancelled_after(
            turn, read(make(None).astream(GIVEN, stream_mode=["values", "updates"]))
        )
        await turns(5)  # the iterator was dropped, not closed: its run ends as soon as the loop gets to it
        turn += 1
    assert turn > 5


@pytest.mark.parametrize("durability", DURABILITIES)
@pytest.mark.parametrize("saver", SAVERS)
@pytest.mark.parametrize("shape", SHAPES)
async def test_a_thread_goes_on_wherever_its_run_was_cancelled(
    shape: str, saver: str, durability: Any
) -> None:
    make, expected = SHAPES[shape]
    over, turn = False, 0
    while not over:
        app = make(SAVERS[saver]())
        async with no_new_tasks():
            over, _ = await cancelled_after(turn, app.ainvoke(GIVEN, thread(), durability=durability))
        assert await to_its_end(app, GIVEN, durability=durability) == {"log": expected}, (
            f"cancelled at {turn}"
        )
        assert one_chain(await history(app, thread()))
        turn += 1
    assert turn > 5


@pytest.mark.parametrize("saver", SAVERS)
async def test_a_thread_goes_on_when_every_attempt_is_cancelled_a_little_later(saver: str) -> None:
    make, expected = SHAPES["fan"]
    app = make(SAVERS[saver]())
    for turn in range(60):
        await cancelled_after(turn, to_its_end(app, GIVEN))
    assert await to_its_end(app, GIVEN) == {"log": expected}


@pytest.mark.parametrize("durability", ["sync", "async"])
async def test_a_cancelled_step_keeps_what_its_finished_tasks_wrote(durability: Any) -> None:
    ran: list[str] = []
    held = Held()
    nodes = [waits_and_says("swift", ran=ran), ("held", held.node)]
    app = graph(Log, *nodes, paths=["START swift", "START held"]).compile(checkpointer=InMemorySaver())
    await cancelled_after(30, app.ainvoke(GIVEN, thread(), durability=durability))
    held.release()
    assert await app.ainvoke(None, thread()) == {"log": ["in", "held", "swift"]}
    assert ran == ["swift"]


async def test_a_run_that_is_cancelled_twice_still_waits_for_its_nodes() -> None:
    ended: list[str] = []

    async def tidies_up(state: Log) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            with suppress(asyncio.CancelledError):
                await turns(5)
            await turns(5)
            ended.append("tidies_up")

    app = graph(Log, tidies_up, says("a"), paths=["START tidies_up", "START a"]).compile()
    async with no_new_tasks():
        task = asyncio.ensure_future(app.ainvoke(GIVEN))
        await turns(5)
        for _ in range(2):
            task.cancel()
            await turns(1)
        with pytest.raises(asyncio.CancelledError):
            await task
    assert ended == ["tidies_up"]


async def test_a_timeout_round_a_run_ends_it() -> None:
    held = Held()
    async with no_new_tasks():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await chain(("held", held.node)).ainvoke(GIVEN)
        assert not held.entered.is_set() or held.ended


async def test_a_sync_node_has_returned_when_its_cancelled_run_has_ended() -> None:
    entered, leave, returned = asyncio.Event(), threading.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def node(state: Log) -> None:
        loop.call_soon_threadsafe(entered.set)
        leave.wait(30)
        returned.set()

    task = asyncio.ensure_future(chain(("node", node)).ainvoke(GIVEN))
    await entered.wait()
    task.cancel()
    await turns(5)
    assert not task.done()
    leave.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert returned.is_set()


# ---- a node fails


@pytest.mark.parametrize("tidying", [0, 1, 5])
async def test_a_failing_node_ends_its_siblings_before_the_error_is_raised(tidying: int) -> None:
    ended: list[str] = []

    async def waits(state: Log) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await turns(tidying)
            ended.append("waits")

    async def fails(state: Log) -> None:
        await turns(2)
        raise KeyError("lost")

    app = graph(Log, waits, fails, paths=["START waits", "START fails"]).compile()
    async with no_new_tasks():
        with pytest.raises(KeyError):
            await app.ainvoke(GIVEN)
    assert ended == ["waits"]


async def test_a_sibling_that_fails_while_it_is_cancelled_does_not_hide_the_first_error() -> None:
    async def fails_twice(state: Log) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise ValueError("second")

    async def fails(state: Log) -> None:
        await turns(2)
        raise KeyError("first")

    app = graph(Log, fails_twice, fails, paths=["START fails_twice", "START fails"]).compile()
    async with no_new_tasks():
        with pytest.raises(KeyError, match="first"):
            await app.ainvoke(GIVEN)


async def test_a_step_that_takes_too_long_leaves_nothing_alive() -> None:
    held = Held()
    app = chain(("held", held.node))
    app.step_timeout = 0.001
    async with no_new_tasks():
        with pytest.raises(TimeoutError):
            await app.ainvoke(GIVEN)
    assert held.ended == held.entered.is_set()  # a timer may fire before the node has begun
