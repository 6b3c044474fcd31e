"""However a run is left, nothing of it stays alive and its thread can be continued."""

import asyncio
import gc
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from graphrt.checkpoint.memory import InMemorySaver
from graphrt.types import Send
from tests.acceptance.graphs import Log, graph, says, thread
from tests.acceptance.streams import history
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

GIVEN: Any = {"log": ["in"]}
SAVERS = {"immediate": InMemorySaver, "slow": SaverAround}


def a_chain(saver: Any) -> Any:
    return chain(*map(waits_and_says, "abc"), saver=saver)


def a_fan(saver: Any) -> Any:
    """Two nodes side by side, a join, then three Sends."""
    nodes = [waits_and_says("a"), waits_and_says("b", for_turns=4), waits_and_says("both")]

    async def work(word: str) -> dict[str, Any]:
        await turns(len(word))
        return {"log": [word]}

    builder = graph(Log, *nodes, work, paths=["START a", "START b", "a+b both"])
    builder.add_conditional_edges("both", lambda state: [Send("work", "x" * n) for n in (3, 1, 2)])
    return builder.compile(checkpointer=saver)


SHAPES: dict[str, tuple[Callable[[Any], Any], list[str]]] = {
    "chain": (a_chain, ["in", "a", "b", "c"]),
    "fan": (a_fan, ["in", "a", "b", "both", "xxx", "x", "xx"]),
}


async def read(stream: Any) -> Any:
    return [chunk async for chunk in stream]


# ---- cancelled at every point


@pytest.mark.parametrize("shape", SHAPES)
async def test_a_cancelled_run_leaves_nothing_alive_whenever_it_is_cancelled(shape: str) -> None:
    make, expected = SHAPES[shape]
    over, turn = False, 0
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
    assert held.ended


# ---- the consumer leaves


def stalling(held: Held, saver: Any = None) -> Any:
    """A graph whose stream yields one update and whose step then waits in `held`."""
    builder = graph(Log, says("swift"), ("held", held.node), paths=["START swift", "START held"])
    return builder.compile(checkpointer=saver)


async def test_closing_a_stream_ends_its_run_at_once() -> None:
    held = Held()
    async with no_new_tasks():
        stream = stalling(held).astream(GIVEN)
        await anext(stream)
        await stream.aclose()
        assert held.ended


async def test_closing_a_stream_twice_is_fine() -> None:
    stream = stalling(Held()).astream(GIVEN)
    await anext(stream)
    await stream.aclose()
    await stream.aclose()


async def test_leaving_the_streams_block_ends_its_run() -> None:
    held = Held()
    async with no_new_tasks():
        async with stalling(held).astream(GIVEN) as stream:
            async for _ in stream:
                break
        assert held.ended


async def test_an_error_in_the_streams_block_ends_its_run_and_comes_through() -> None:
    held = Held()
    async with no_new_tasks():
        with pytest.raises(ZeroDivisionError):
            async with stalling(held).astream(GIVEN) as stream:
                async for _ in stream:
                    raise ZeroDivisionError
        assert held.ended


async def test_dropping_the_stream_after_a_break_ends_its_run() -> None:
    held = Held()
    async for _ in stalling(held).astream(GIVEN):
        break
    gc.collect()
    await turns(10)
    assert held.ended


async def test_an_error_in_the_consumers_loop_ends_the_run() -> None:
    held = Held()

    async def consume() -> None:
        async for _ in stalling(held).astream(GIVEN):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await consume()
    gc.collect()
    await turns(10)
    assert held.ended


async def test_cancelling_the_consumer_ends_the_run() -> None:
    held = Held()

    async def consume() -> None:
        async with stalling(held).astream(GIVEN) as stream:
            async for _ in stream:
                pass

    async with no_new_tasks():
        task = asyncio.ensure_future(consume())
        await held.entered.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert held.ended


async def test_a_stream_may_be_closed_while_somebody_waits_for_its_next_chunk() -> None:
    held = Held()
    stream = stalling(held).astream(GIVEN)
    await anext(stream)
    waiting = asyncio.ensure_future(anext(stream))
    await turns(5)
    with suppress(RuntimeError):  # a generator would refuse with this
        await stream.aclose()
    waiting.cancel()
    with suppress(asyncio.CancelledError, StopAsyncIteration):
        await waiting
    await stream.aclose()
    assert held.ended


@pytest.mark.parametrize("durability", DURABILITIES)
@pytest.mark.parametrize("saver", SAVERS)
@pytest.mark.parametrize("shape", SHAPES)
async def test_a_thread_goes_on_wherever_its_stream_was_left(shape: str, saver: str, durability: Any) -> None:
    make, expected = SHAPES[shape]
    modes = ["values", "updates", "tasks"]
    for left_after in range(100):
        app = make(SAVERS[saver]())
        seen = 0
        options: Any = {"stream_mode": modes, "durability": durability}
        async with no_new_tasks(), app.astream(GIVEN, thread(), **options) as stream:
            async for _ in stream:
                if seen == left_after:
                    break
                seen += 1
        assert await to_its_end(app, GIVEN, durability=durability) == {"log": expected}
        if seen < left_after:
            return
    pytest.fail("the stream never ended")


async def test_a_thread_goes_on_after_an_error_in_the_consumer() -> None:
    app = a_chain(InMemorySaver())
    with pytest.raises(ZeroDivisionError):
        async with app.astream(GIVEN, thread()) as stream:
            async for _ in stream:
                raise ZeroDivisionError
    assert await app.ainvoke(None, thread()) == {"log": ["in", "a", "b", "c"]}


async def test_a_stream_that_was_never_started_leaves_nothing() -> None:
    ran: list[str] = []
    async with no_new_tasks():
        stream = chain(waits_and_says("a", ran=ran)).astream(GIVEN)
        await turns(5)
        del stream
    assert ran == []


async def test_many_abandoned_streams_leave_nothing() -> None:
    for _ in range(50):
        async for _ in a_fan(None).astream(GIVEN):
            break
    gc.collect()
    await turns(20)
    assert asyncio.all_tasks() <= {asyncio.current_task()}
