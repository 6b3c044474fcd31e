"""Worker threads for sync nodes: one bounded limiter per event loop, context variables go along."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final

from graphrt.engine.patience import wait_out

if TYPE_CHECKING:
    from anyio import CapacityLimiter
    from anyio.lowlevel import RunVar

__all__ = ["MAX_THREADS", "in_worker_thread"]

MAX_THREADS: Final = 40
"""Sync nodes that run at the same time in one event loop; more wait for a free thread."""


@cache
def _limiters() -> RunVar[CapacityLimiter]:
    # anyio costs 25 ms to import and only programs with sync nodes under an async run need it.
    from anyio.lowlevel import RunVar

    return RunVar("graphrt_worker_threads")


def _limiter_of_loop() -> CapacityLimiter:
    from anyio import CapacityLimiter

    limiters = _limiters()
    try:
        return limiters.get()
    except LookupError:
        limiter = CapacityLimiter(MAX_THREADS)
        limiters.set(limiter)
        return limiter


async def in_worker_thread(context: Context, function: Callable[..., Any], *args: Any) -> Any:
    """Call `function` in a worker thread, in `context`.

    A thread cannot be stopped: if the caller is cancelled, this waits for the function to return and then raises
    CancelledError, so that nothing of a run is left behind when it has ended.
    """
    from anyio.to_thread import run_sync

    work = partial(context.run, function, *args)
    job = asyncio.ensure_future(run_sync(work, limiter=_limiter_of_loop()))
    try:
        return await asyncio.shield(job)
    except asyncio.CancelledError:
        await wait_out((job,))
        if not job.cancelled():
            job.exception()
        raise
