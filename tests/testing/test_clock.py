"""The fake clock stands still until it is moved, and wakes sleepers in the order of time."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from graphrt import START, StateGraph
from graphrt.checkpoint.memory import InMemorySaver
from graphrt.testing.clock import FakeClock, all_waiting

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


async def turn() -> None:
    await asyncio.sleep(0)


class Alarms:
    """Tasks that sleep, and when each woke, in seconds since the beginning."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.begun = clock.monotonic()
        self.woke: list[tuple[str, float]] = []
        self.tasks: list[asyncio.Task[None]] = []

    def set(self, name: str, *naps: float) -> asyncio.Task[None]:
        self.tasks.append(asyncio.ensure_future(self._sleep(name, naps)))
        return self.tasks[-1]

    async def _sleep(self, name: str, naps: tuple[float, ...]) -> None:
        for nap in naps:
            await self.clock.sleep(nap)
            self.woke.append((name, self.clock.monotonic() - self.begun))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(BEGIN)


@pytest.fixture
def alarms(clock: FakeClock) -> Alarms:
    return Alarms(clock)


# ---- time


def test_clock_stands_still(clock: FakeClock):
    assert (clock.now(), clock.now(), clock.time_ns()) == (BEGIN, BEGIN, int(BEGIN.timestamp()) * 10**9)


@pytest.mark.parametrize("duration", [1.5, timedelta(seconds=1.5)])
def test_clock_is_moved_by_seconds_or_a_timedelta(clock: FakeClock, duration: Any):
    before = clock.monotonic(), clock.time_ns()
    clock.move(duration)
    assert clock.now() == BEGIN + timedelta(seconds=1.5)
    assert (clock.monotonic() - before[0], clock.time_ns() - before[1]) == (1.5, 1_500_000_000)


def test_clock_does_not_go_back(clock: FakeClock):
    with pytest.raises(ValueError, match="does not go back"):
        clock.move(-1)


# ---- sleeping


async def test_sleeper_wakes_when_its_time_has_come(clock: FakeClock, alarms: Alarms):
    alarms.set("a", 10)
    await clock.advance(9.999)
    assert alarms.woke == []
    await clock.advance(0.001)
    assert alarms.woke == [("a", 10)]


async def test_sleepers_wake_in_the_order_of_time_each_at_its_own(clock: FakeClock, alarms: Alarms):
    for name, nap in (("late", 3), ("early", 1), ("same", 3), ("middle", 2)):
        alarms.set(name, nap)
    await clock.advance(60)
    assert alarms.woke == [("early", 1), ("middle", 2), ("late", 3), ("same", 3)]
    assert clock.monotonic() - alarms.begun == 60


async def test_what_a_sleeper_causes_happens_at_its_time(clock: FakeClock, alarms: Alarms):
    alarms.set("often", 1, 1, 1)
    alarms.set("once", 2.5)
    await clock.advance(10)
    assert alarms.woke == [("often", 1), ("often", 2), ("once", 2.5), ("often", 3)]


async def test_moving_at_one_stroke_wakes_all_at_the_end_of_the_way(clock: FakeClock, alarms: Alarms):
    alarms.set("b", 2)
    alarms.set("a", 1)
    await all_waiting()
    clock.move(10)
    await asyncio.gather(*alarms.tasks)
    assert alarms.woke == [("a", 10), ("b", 10)]


@pytest.mark.parametrize("duration", [0, -1, timedelta(0)])
async def test_sleeping_for_no_time_lets_others_run_once(clock: FakeClock, duration: Any):
    await clock.sleep(duration)
    assert clock.now() == BEGIN


async def test_cancelled_sleeper_does_not_wake(clock: FakeClock, alarms: Alarms):
    gone, last = alarms.set("gone", 1), alarms.set("last", 2)
    await all_waiting()
    gone.cancel()
    await clock.advance(5)
    await last
    assert alarms.woke == [("last", 2)]


async def test_timeout_is_a_race_with_the_clock(clock: FakeClock):
    never = asyncio.get_running_loop().create_future()

    async def impatient() -> str:
        nap = asyncio.ensure_future(clock.sleep(30))
        await asyncio.wait([never, nap], return_when=asyncio.FIRST_COMPLETED)
        return "timed out"

    waiting = asyncio.ensure_future(impatient())
    await clock.advance(29)
    assert not waiting.done()
    await clock.advance(1)
    assert await waiting == "timed out"


# ---- jumping


async def test_time_goes_by_itself_when_everything_waits(clock: FakeClock, alarms: Alarms):
    async with clock.jumping():
        alarms.set("often", 3600, 3600)
        alarms.set("once", 5000)
        await asyncio.gather(*alarms.tasks)
        await clock.sleep(1_000_000)
    assert alarms.woke == [("often", 3600), ("once", 5000), ("often", 7200)]
    assert clock.monotonic() - alarms.begun == 1_007_200


async def test_time_waits_for_those_who_work(clock: FakeClock):
    async def works() -> datetime:
        for _ in range(50):
            await asyncio.sleep(0)
        return clock.now()

    async with clock.jumping():
        working, _ = await asyncio.gather(works(), clock.sleep(10))
    assert working == BEGIN


async def test_time_stands_still_again_afterwards(clock: FakeClock, alarms: Alarms):
    async with clock.jumping():
        await clock.sleep(1)
    nap = alarms.set("a", 1)
    await all_waiting()
    assert not nap.done()
    nap.cancel()


async def test_task_that_never_waits_is_an_error_not_a_hang(clock: FakeClock):
    async def spins() -> None:
        while True:
            await turn()

    spinning = asyncio.ensure_future(spins())
    with pytest.raises(RuntimeError, match="spins"):
        await clock.advance(1)
    async with clock.jumping():
        with pytest.raises(RuntimeError, match="spins"):
            await clock.sleep(1)
    spinning.cancel()


# ---- in the engine


class State(dict[str, Any]):
    n: int


async def test_checkpoints_are_made_at_the_clocks_time(clock: FakeClock):
    async def node(state: State) -> dict[str, Any]:
        clock.move(timedelta(hours=1))
        return {"n": 1}

    builder = StateGraph(State).add_node("a", node).add_node("b", node)
    app = builder.add_edge(START, "a").add_edge("a", "b").compile(checkpointer=InMemorySaver())
    thread: Any = {"configurable": {"thread_id": "t"}}
    with clock.installed():
        await app.ainvoke({"n": 0}, thread)
    made = [datetime.fromisoformat(shown.created_at or "") async for shown in app.aget_state_history(thread)]
    assert [round((at - BEGIN) / timedelta(hours=1)) for at in reversed(made)] == [0, 0, 1, 2]
    await app.ainvoke({"n": 0}, {"configurable": {"thread_id": "now"}})
    last = await app.aget_state({"configurable": {"thread_id": "now"}})
    assert datetime.fromisoformat(last.created_at or "").year >= datetime.now(UTC).year - 1 > 0
