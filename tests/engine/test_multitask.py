"""What `multitask_strategy` makes of several runs on one thread: rejected at once, or one after the other."""

import asyncio
import threading
from typing import Any

import pytest

from graphrt.checkpoint.memory import InMemorySaver
from graphrt.errors import ThreadBusy, ThreadConflict
from tests.acceptance.graphs import Log, graph, says, thread
from tests.acceptance.streams import history
from tests.engine.worlds import SAVERS, Held, Holding, chain, tagged, turns, waits_and_says

# ---- reject


async def test_reject_raises_at_once_and_runs_nothing() -> None:
    world = Holding()
    await world.begin()
    before = await history(world.app, thread())
    with pytest.raises(ThreadBusy) as caught:
        await world.app.ainvoke(tagged("second"), thread(), multitask_strategy="reject")
    assert caught.value.thread_id == "t"
    assert await history(world.app, thread()) == before
    world.held.release()
    assert await world.first == {"log": ["first", "held", "last"]}


async def test_busy_is_a_conflict() -> None:
    world = Holding()
    await world.begin(multitask_strategy="reject")
    with pytest.raises(ThreadConflict):
        await world.app.ainvoke(tagged("second"), thread(), multitask_strategy="reject")
    world.held.release()
    await world.first


async def test_reject_holds_for_streams_too() -> None:
    world = Holding()
    await world.begin()
    with pytest.raises(ThreadBusy):
        async for _ in world.app.astream(tagged("second"), thread(), multitask_strategy="reject"):
            pass
    world.held.release()
    await world.first


async def test_a_thread_that_is_free_again_is_not_rejected() -> None:
    app = chain(says("a"), saver=InMemorySaver())
    await app.ainvoke({}, thread(), multitask_strategy="reject")
    assert await app.ainvoke({}, thread(), multitask_strategy="reject") == {"log": ["a", "a"]}


async def test_a_cancelled_run_frees_its_thread() -> None:
    world = Holding()
    await world.begin(multitask_strategy="reject")
    world.first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await world.first
    world.held.release()
    result = await world.app.ainvoke(None, thread(), multitask_strategy="reject")
    assert result == {"log": ["first", "held", "last"]}


async def test_a_stream_that_is_left_frees_its_thread() -> None:
    app = chain(says("a"), says("b"), saver=InMemorySaver())
    async with app.astream(tagged("1"), thread(), multitask_strategy="reject") as stream:
        await anext(stream)
    assert (await app.ainvoke({}, thread(), multitask_strategy="reject"))["log"][:2] == ["1", "a"]


async def test_another_saver_has_other_threads() -> None:
    world, elsewhere = Holding(), chain(says("a"), saver=InMemorySaver())
    await world.begin()
    assert await elsewhere.ainvoke({}, thread(), multitask_strategy="reject") == {"log": ["a"]}
    world.held.release()
    await world.first


# ---- enqueue


async def test_enqueue_waits_for_the_run_before() -> None:
    world = Holding()
    await world.begin()
    second = asyncio.ensure_future(
        world.app.ainvoke(tagged("second"), thread(), multitask_strategy="enqueue")
    )
    await turns(20)
    assert not second.done()
    world.held.release()
    assert await world.first == {"log": ["first", "held", "last"]}
    assert await second == {"log": ["first", "held", "last", "second", "held", "last"]}


@pytest.mark.parametrize("saver", SAVERS)
async def test_enqueued_runs_take_turns_in_the_order_they_came(saver: str) -> None:
    app = chain(*map(waits_and_says, "ab"), saver=SAVERS[saver]())
    runs = [app.ainvoke(tagged(str(n)), thread(), multitask_strategy="enqueue") for n in range(5)]
    await asyncio.gather(*runs)
    assert (await app.aget_state(thread())).values["log"] == [w for n in range(5) for w in (str(n), "a", "b")]


async def test_a_run_that_gives_up_its_place_in_the_queue_holds_up_nobody() -> None:
    world = Holding()
    await world.begin()
    options: Any = {"multitask_strategy": "enqueue"}
    second, third = (
        asyncio.ensure_future(world.app.ainvoke(tagged(tag), thread(), **options))
        for tag in ("second", "third")
    )
    await turns(5)
    second.cancel()
    await turns(5)
    world.held.release()
    await world.first
    assert (await third)["log"][3:] == ["third", "held", "last"]


@pytest.mark.parametrize("saver", SAVERS)
async def test_wherever_a_run_is_cancelled_the_next_in_line_gets_its_turn(saver: str) -> None:
    options: Any = {"multitask_strategy": "enqueue"}
    over, turn = False, 0
    while not over:
        app = chain(*map(waits_and_says, "ab"), saver=SAVERS[saver]())
        first = asyncio.ensure_future(app.ainvoke(tagged("1"), thread(), **options))
        second = asyncio.ensure_future(app.ainvoke(tagged("2"), thread(), **options))
        third = asyncio.ensure_future(app.ainvoke(tagged("3"), thread(), **options))
        await turns(turn)
        over = second.done()
        for cancelled in (first, second):
            cancelled.cancel()
        async with asyncio.timeout(30):
            assert (await third)["log"][-3:] == ["3", "a", "b"]
            await asyncio.gather(first, second, return_exceptions=True)
        turn += 1
    assert turn > 10


def test_runs_of_several_os_threads_take_turns_too() -> None:
    app = chain(*map(waits_and_says, "ab"), saver=InMemorySaver())

    def use(number: int) -> None:
        app.invoke(tagged(str(number)), thread(), multitask_strategy="enqueue")

    users = [threading.Thread(target=use, args=(number,)) for number in range(4)]
    for user in users:
        user.start()
    for user in users:
        user.join(30)
    log = app.get_state(thread()).values["log"]
    assert sorted(log[::3]) == ["0", "1", "2", "3"]
    assert log[1::3] == ["a"] * 4


async def test_a_failing_run_lets_the_next_one_in() -> None:
    async def picky(state: Log) -> None:
        await turns(3)
        if state["log"][-1] == "bad":
            raise KeyError("bad")

    app = chain(("picky", picky), saver=InMemorySaver())
    runs = [app.ainvoke(tagged(word), thread(), multitask_strategy="enqueue") for word in ("bad", "good")]
    bad, good = await asyncio.gather(*runs, return_exceptions=True)
    assert isinstance(bad, KeyError)
    assert good == {"log": ["bad", "good"]}


async def test_streams_take_turns_too() -> None:
    app = chain(says("a"), says("b"), saver=InMemorySaver())
    first = app.astream(tagged("1"), thread(), multitask_strategy="enqueue")
    await anext(first)
    second = asyncio.ensure_future(app.ainvoke(tagged("2"), thread(), multitask_strategy="enqueue"))
    await turns(10)
    assert not second.done()
    assert [chunk async for chunk in first] == [{"b": {"log": ["b"]}}]
    assert (await second)["log"] == ["1", "a", "b", "2", "a", "b"]


async def test_without_a_checkpointer_there_is_nothing_to_wait_for() -> None:
    held = Held()
    app = graph(Log, ("held", held.node), paths=["START held"]).compile()
    first = asyncio.ensure_future(app.ainvoke(tagged("1"), thread()))
    await held.entered.wait()
    held.release()
    assert await app.ainvoke(tagged("2"), thread(), multitask_strategy="reject") == {"log": ["2", "held"]}
    await first


async def test_an_unknown_strategy_is_refused() -> None:
    app = chain(says("a"), saver=InMemorySaver())
    with pytest.raises(ValueError, match="reject"):
        await app.ainvoke({}, thread(), multitask_strategy="rejct")
