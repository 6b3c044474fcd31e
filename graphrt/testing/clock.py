"""Time that moves when the test says so, or when nothing else is left to wait for (after trio's MockClock).

clock = FakeClock()
with clock.installed():                 # checkpoints are made at the clock's time
    await graph.ainvoke(...)
await clock.advance(timedelta(days=1))  # whoever sleeps on the clock wakes in order of time

async with clock.jumping():             # or: whenever all tasks wait, time goes to the next one that sleeps
    await clock.sleep(3600)             # takes no time
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import Any, Final
from unittest.mock import patch

__all__ = ["FakeClock", "all_waiting"]

SEAMS: Final = {
    "graphrt.engine.journal.time_ns": "time_ns",
    "graphrt.engine.clock.time": "time",
    "graphrt.engine.clock.monotonic": "monotonic",
    "graphrt.engine.clock.sleep": "sleep",
    "graphrt.engine.clock.block": "move",
    "graphrt.engine.clock.jitter": "jitter",
}
"""Where graphrt asks for time and chance, and what answers there. Everything else is given them."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NS: Final = 1_000_000_000
_MOST_TURNS: Final = 10_000


class FakeClock:
    """A clock for tests. It stands still unless it is moved.

    Args:
        start: what time it is.
        seed: the random part of waits between attempts follows from it.
    """

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC), *, seed: int = 0) -> None:
        self._now_ns = self._start_ns = _nanoseconds(start - _EPOCH)
        self._random = Random(seed)
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = count()
        self._came = asyncio.Event()

    def time_ns(self) -> int:
        """Nanoseconds since 1970, as `time.time_ns` has them."""
        return self._now_ns

    def monotonic(self) -> float:
        """Seconds since some moment, as `time.monotonic` has them."""
        return (self._now_ns - self._start_ns) / _NS

    def time(self) -> float:
        """Seconds since 1970, as `time.time` has them."""
        return self._now_ns / _NS

    def jitter(self) -> float:
        """A random number from 0 to 1, the same ones for the same seed."""
        return self._random.random()

    def now(self) -> datetime:
        """The time in UTC."""
        return _EPOCH + timedelta(microseconds=self._now_ns // 1000)

    async def sleep(self, duration: float | timedelta) -> None:
        """Wait until the clock has moved so far (seconds, or a timedelta)."""
        until = self._now_ns + _nanoseconds(duration)
        if until <= self._now_ns:
            await asyncio.sleep(0)
            return
        future = asyncio.get_running_loop().create_future()
        heappush(self._sleepers, (until, next(self._order), future))
        self._came.set()
        await future

    def move(self, duration: float | timedelta) -> None:
        """Go on at one stroke: those whose time has come will wake, but see the time at the end of the way."""
        self._go(self._now_ns + _nanoseconds(duration))

    async def advance(self, duration: float | timedelta) -> None:
        """Go on from one sleeper to the next: each wakes at its own time, and all it causes happens then.

        Raises:
            RuntimeError: some task never waits for anything.
        """
        until = self._now_ns + _nanoseconds(duration)
        await all_waiting()
        while (wakes := self._next()) is not None and wakes <= until:
            self._go(wakes)
            await all_waiting()
        self._go(until)

    @asynccontextmanager
    async def jumping(self) -> AsyncGenerator[None, None]:
        """Inside, time goes on by itself: to the next sleeper, whenever every task of the loop waits for something.

        A task that waits for a worker thread or a socket waits too, so time would not wait for it: use `advance` there.
        """
        jumper = asyncio.ensure_future(self._jump())
        try:
            yield
        finally:
            jumper.cancel()
            with suppress(asyncio.CancelledError):
                await jumper

    @contextmanager
    def installed(self) -> Generator[None, None, None]:
        """Inside, the engine takes the time from this clock: backoff and timeouts wait for it, too.

        In a thread without a loop there is nobody who could move it, so waiting there moves it.
        """
        with ExitStack() as stack:
            for seam, method in SEAMS.items():
                stack.enter_context(patch(seam, getattr(self, method)))
            yield

    async def _jump(self) -> None:
        try:
            while True:
                await all_waiting()
                wakes = self._next()
                if wakes is not None:
                    self._go(wakes)
                else:
                    self._came.clear()
                    await self._came.wait()
        except Exception as error:  # or the sleepers would sleep for ever
            for _, _, future in self._sleepers:
                if not future.done():
                    future.set_exception(error)

    def _next(self) -> int | None:
        """When the next sleeper wakes."""
        while self._sleepers and self._sleepers[0][2].done():  # cancelled
            heappop(self._sleepers)
        return self._sleepers[0][0] if self._sleepers else None

    def _go(self, now_ns: int) -> None:
        if now_ns < self._now_ns:
            raise ValueError("Time does not go back.")
        self._now_ns = now_ns
        while (wakes := self._next()) is not None and wakes <= now_ns:
            heappop(self._sleepers)[2].set_result(None)


async def all_waiting() -> None:
    """Wait until every other task of the loop waits for something that has not happened yet.

    Raises:
        RuntimeError: some task goes on and on without waiting for anything.
    """
    me = asyncio.current_task()
    quiet = 0
    busy: list[asyncio.Task[Any]] = []
    for _ in range(_MOST_TURNS):
        await asyncio.sleep(0)
        busy = [task for task in asyncio.all_tasks() if task is not me and not _waits(task)]
        quiet = 0 if busy else quiet + 1
        if quiet == 2:  # what was only called back in the first quiet turn may have woken a task
            return
    raise RuntimeError(f"After {_MOST_TURNS} turns of the loop these still wait for nothing: {busy}.")


def _waits(task: asyncio.Task[Any]) -> bool:
    waiter: asyncio.Future[Any] | None = getattr(task, "_fut_waiter", None)
    return waiter is not None and not waiter.done()


def _nanoseconds(duration: float | timedelta) -> int:
    if isinstance(duration, timedelta):
        return duration // timedelta(microseconds=1) * 1000
    return round(duration * _NS)
