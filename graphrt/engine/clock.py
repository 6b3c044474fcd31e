"""Time and chance, for whatever waits: `graphrt.testing.FakeClock` puts itself in place of these functions.

Use them as `clock.sleep(...)`, so that what is put here is found.
"""

from __future__ import annotations

import asyncio
import time as _time

__all__ = ["block", "jitter", "monotonic", "sleep", "time"]


def time() -> float:
    """Seconds since 1970."""
    return _time.time()


def monotonic() -> float:
    """Seconds since some moment; never goes back."""
    return _time.monotonic()


async def sleep(duration: float) -> None:
    """Wait so many seconds, and let the loop's other tasks run."""
    await asyncio.sleep(duration)


def block(duration: float) -> None:
    """The same in a thread without a loop."""
    _time.sleep(duration)


def jitter() -> float:
    """A random number from 0 to 1."""
    from random import random  # 3 ms to import, for runs in which something has failed

    return random()
