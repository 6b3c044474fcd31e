"""However the consumer of a stream leaves it, its run ends and the thread can be continued."""

import asyncio
import gc
from contextlib import suppress
from typing import Any

import pytest

from graphrt.checkpoint.memory import InMemorySaver
from tests.acceptance.graphs import Log, graph, says, thread
from tests.engine.shapes import GIVEN, SHAPES, a_chain, a_fan
from tests.engine.worlds import (
    DURABILITIES,
    Held,
    SaverAround,
    chain,
    no_new_tasks,
    to_its_end,
    turns,
    waits_and_says,
)

SAVERS = {"immediate": InMemorySaver, "slow": SaverAround}


def stalling(held: Held, saver: Any = None) -> Any:
    """A graph whose stream yields one update and whose step then waits in `held`."""
    builder = graph(Log, says("swift"), ("held", held.node), paths=["START swift", "START held"])
    return builder.compile(checkpointer=saver)


@pytest.mark.parity("J13")
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
