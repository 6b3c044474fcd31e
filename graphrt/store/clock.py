"""Time as stores take it: given to them, in whole microseconds since 1970."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

__all__ = ["SYSTEM_CLOCK", "Clock", "after", "as_datetime", "now_us"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE_US: Final = 60_000_000


class Clock(Protocol):
    """What a store asks for the time. `graphrt.testing.clock.FakeClock` is one."""

    def time_ns(self) -> int:
        """Nanoseconds since 1970, as `time.time_ns` has them."""
        ...

    async def sleep(self, duration: float, /) -> None:
        """Wait for so many seconds."""
        ...


class _SystemClock:
    """The computer's."""

    __slots__ = ()

    def time_ns(self) -> int:
        return time.time_ns()

    async def sleep(self, duration: float, /) -> None:
        await asyncio.sleep(duration)


SYSTEM_CLOCK: Final[Clock] = _SystemClock()
"""What stores use that are given no other."""


def now_us(clock: Clock) -> int:
    """Microseconds since 1970: as fine as a datetime is, so that no backend rounds."""
    return clock.time_ns() // 1000


def after(moment_us: int, minutes: float) -> int:
    """The moment so many minutes later."""
    return moment_us + round(minutes * _MINUTE_US)


def as_datetime(moment_us: int) -> datetime:
    """A moment as users see it, in UTC, exact."""
    return _EPOCH + timedelta(microseconds=moment_us)
