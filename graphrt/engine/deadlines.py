"""Attempts that have to end in time (LangGraph O4).

An attempt whose time is over is cancelled, and nothing goes on before it has ended: so it can clean up, the next
attempt does not meet it, and nothing of it is left behind. What it writes or returns meanwhile is dropped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from graphrt.engine import clock
from graphrt.engine.patience import wait_out
from graphrt.engine.trial import Trial
from graphrt.errors import NodeTimeoutError

__all__ = ["in_time"]

_LATE_S: Final = 1.0
_RESOLUTION_S: Final = 1e-6


async def in_time(name: str, trial: Trial, attempt: Callable[[], Awaitable[None]]) -> None:
    """Make an attempt, in an asyncio task of its own.

    Raises:
        NodeTimeoutError: it took too long; it has ended all the same.
        whatever the attempt raises.
    """
    work = asyncio.ensure_future(_awaited(attempt))
    alarm = asyncio.ensure_future(_alarm(trial))
    both: tuple[asyncio.Future[Any], ...] = (work, alarm)
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            work.result()
            return
        trial.closed = True
        raise await _expired(name, trial, work)
    finally:
        for future in both:
            future.cancel()
        await wait_out(both)
        if work.done() and not work.cancelled():
            work.exception()  # asyncio need not complain that nobody has looked at it
        del work, alarm, both


async def _awaited(attempt: Callable[[], Awaitable[None]]) -> None:
    await attempt()


async def _alarm(trial: Trial) -> None:
    """Return when the attempt's time is over."""
    while (left := trial.ends()[0] - clock.monotonic()) > _RESOLUTION_S:
        await clock.sleep(left)


async def _expired(name: str, trial: Trial, work: asyncio.Future[None]) -> NodeTimeoutError:
    """The attempt's time is over: end it, and say how it was."""
    limits = trial.limits
    assert limits is not None
    _, kind = trial.ends()
    over_s = clock.monotonic()
    work.cancel()
    await wait_out((work,))
    now_s = clock.monotonic()
    late = ""
    if now_s - over_s >= _LATE_S:
        late = (
            f" It took {now_s - over_s:.3f} s more to end: it cleaned up, did not let itself be cancelled, or had "
            "called a sync function, whose thread runs on until it returns."
        )
    return NodeTimeoutError(
        name,
        now_s - trial.began_s,
        kind=kind,
        run_timeout=_seconds(limits.run_timeout),
        idle_timeout=_seconds(limits.idle_timeout),
        late=late,
    )


def _seconds(value: Any) -> float | None:
    return value if isinstance(value, float) else None
