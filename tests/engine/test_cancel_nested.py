"""Graphs in graphs, tasks and steps: however such a run is left, nothing of it stays alive and its thread goes on."""

import asyncio
import gc
from collections.abc import Callable
from typing import Any

import pytest

from graphrt.checkpoint.memory import InMemorySaver
from graphrt.testing.faults import Raise, StorageDown, When, breaking_each_call
from graphrt.types import Command, interrupt
from tests.acceptance.graphs import Log, graph, thread
from tests.acceptance.streams import history
from tests.engine.nested import ASKING, DEEP, GIVEN, HeldInside, World, no_trace
from tests.engine.worlds import DURABILITIES, SaverAround, cancelled_after, one_chain, turns

SAVERS: dict[str, Callable[[], Any]] = {"immediate": InMemorySaver, "slow": SaverAround}

every_saver = pytest.mark.parametrize("saver", SAVERS)
every_durability = pytest.mark.parametrize("durability", DURABILITIES)

# ---- cancelled at every point


async def test_a_cancelled_run_leaves_nothing_alive_whenever_it_is_cancelled() -> None:
    over, turn, result = False, 0, None
    while not over:
        world = World(DEEP, None)
        async with no_trace():
            over, result = await cancelled_after(turn, world.app.ainvoke(GIVEN))
        turn += 1
    assert (turn > 20, result) == (True, world.end)


@every_durability
@every_saver
async def test_a_thread_goes_on_wherever_its_run_was_cancelled(saver: str, durability: Any) -> None:
    over, turn = False, 0
    while not over:
        world = World(DEEP, SAVERS[saver]())
        async with no_trace():
            over, _ = await cancelled_after(turn, world.app.ainvoke(GIVEN, thread(), durability=durability))
        assert await world.to_its_end(durability=durability) == world.end, f"cancelled at {turn}"
        assert not world.repeated(durability), f"cancelled at {turn}"
        assert one_chain(await history(world.app, thread()))
        turn += 1
    assert turn > 20


@every_durability
@every_saver
async def test_an_answer_that_is_cancelled_anywhere_is_not_lost_and_nothing_is_paid_twice(
    saver: str, durability: Any
) -> None:
    over, turn = False, 0
    while not over:
        world = World(ASKING, SAVERS[saver](), asking=True)
        await world.app.ainvoke(GIVEN, thread(), durability=durability)
        answers = await world.answers()
        async with no_trace():
            over, _ = await cancelled_after(turn, world.app.ainvoke(answers, thread(), durability=durability))
        assert await world.to_its_end(durability=durability) == world.end, f"cancelled at {turn}"
        assert not world.repeated(durability), f"cancelled at {turn}"
        turn += 1
    assert turn > 10


@every_saver
async def test_a_thread_goes_on_when_every_attempt_is_cancelled_a_little_later(saver: str) -> None:
    world = World(DEEP, SAVERS[saver]())
    over, turn = False, 0
    while not over:
        async with no_trace():
            over, result = await cancelled_after(turn, world.to_its_end())
        turn += 1
    assert result == world.end
    assert not world.repeated("async")


# ---- the storage fails


@every_durability
@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_thread_goes_on_wherever_its_storage_failed(when: When, durability: Any) -> None:
    for saver in breaking_each_call(InMemorySaver, Raise(when=when), turns=1):
        world = World(DEEP, saver)
        async with no_trace(
            after_turns=2
        ):  # `gather` leaves its tasks alone if one fails: they are the node's own
            try:
                await world.app.ainvoke(GIVEN, thread(), durability=durability)
            except StorageDown:
                assert saver.struck
            else:
                assert not saver.struck, "a storage error was swallowed"
        saver.heal()
        assert await world.to_its_end(durability=durability) == world.end, saver.struck
        assert one_chain(await history(world.app, thread()))


@every_durability
@pytest.mark.parametrize("when", ["before", "after"])
async def test_an_answer_goes_on_wherever_its_storage_failed(when: When, durability: Any) -> None:
    for saver in breaking_each_call(InMemorySaver, Raise(when=when), turns=1):
        world = World(ASKING, saver, asking=True)
        async with no_trace(after_turns=2):
            try:
                await world.to_its_end(durability=durability)
            except StorageDown:
                assert saver.struck
        saver.heal()
        assert await world.to_its_end(durability=durability) == world.end, saver.struck
        assert not world.ledger.misled


async def test_an_answer_is_for_nobody_else_even_if_another_question_comes_first() -> None:
    """A task that failed beside a graph that asked asks, too, when it is tried again."""
    failed: list[str] = []

    async def asks_later(state: Log) -> dict[str, Any]:
        if not failed:
            await turns(20)
            failed.append("asks_later")
            raise ConnectionError
        return {"log": [f"later {interrupt('later?')}"]}

    async def asks(state: Log) -> dict[str, Any]:
        return {"log": [f"inside {interrupt('inside?')}"]}

    inside = graph(Log, asks, paths=["START asks"]).compile()
    builder = graph(Log, asks_later, ("inside", inside), paths=["START asks_later", "START inside"])
    app: Any = builder.compile(checkpointer=InMemorySaver())
    with pytest.raises(ConnectionError):
        await app.ainvoke({}, thread())
    (open_,) = (await app.aget_state(thread())).interrupts
    result = await app.ainvoke(Command(resume={open_.id: "yes"}), thread())
    assert [question.value for question in result["__interrupt__"]] == ["later?"]
    assert await app.ainvoke(Command(resume="no"), thread()) == {"log": ["later no", "inside yes"]}


# ---- the consumer of the stream goes


@every_durability
@every_saver
async def test_a_thread_goes_on_wherever_its_stream_was_left(saver: str, durability: Any) -> None:
    options: Any = {"stream_mode": ["updates", "tasks"], "subgraphs": True, "durability": durability}
    for left_after in range(500):
        world = World(DEEP, SAVERS[saver]())
        seen = 0
        async with no_trace(), world.app.astream(GIVEN, thread(), **options) as stream:
            async for _ in stream:
                if seen == left_after:
                    break
                seen += 1
        assert await world.to_its_end(durability=durability) == world.end
        assert not world.repeated(durability), f"left after {left_after}"
        if seen < left_after:
            return
    pytest.fail("the stream never ended")


async def test_dropping_the_stream_after_a_break_ends_the_run_inside() -> None:
    held = HeldInside()
    async for _ in held.app.astream({}, stream_mode="updates", subgraphs=True):
        break
    gc.collect()
    await turns(20)
    assert held.left


async def test_a_consumer_that_raises_ends_the_run_inside_and_its_error_comes_through() -> None:
    held = HeldInside()
    async with no_trace():
        with pytest.raises(ZeroDivisionError):
            async with held.app.astream({}, stream_mode="updates", subgraphs=True) as stream:
                async for _ in stream:
                    raise ZeroDivisionError
        assert held.left


async def test_a_timeout_round_a_stream_ends_the_run_inside_and_the_thread_goes_on() -> None:
    held = HeldInside(saver=InMemorySaver())
    async with no_trace():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(None) as clock:
                async for _ in held.app.astream({}, thread(), stream_mode="updates", subgraphs=True):
                    clock.reschedule(0)
        assert held.left
    held.released.set()
    assert await held.app.ainvoke(None, thread()) == held.end
    assert held.before == 1


async def test_cancelling_one_run_leaves_the_other_ones_inside_alone() -> None:
    held, other = HeldInside(), HeldInside()
    both = [asyncio.ensure_future(each.app.ainvoke({})) for each in (held, other)]
    await held.entered.wait()
    await other.entered.wait()
    both[0].cancel()
    with pytest.raises(asyncio.CancelledError):
        await both[0]
    assert (held.left, other.left) == (True, False)
    other.released.set()
    assert await both[1] == other.end
