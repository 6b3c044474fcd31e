"""Worker threads for sync nodes: one bounded limiter per event loop, context variables go along."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context
from typing import TYPE_CHECKING, Any, Final

from graphrt.engine.patience import wait_out

if TYPE_CHECKING:
    from anyio import CapacityLimiter
    from anyio.lowlevel import RunVar

__all__ = ["MAX_THREADS", "in_worker_thread"]

MAX_THREADS: Final = 40
"""Sync nodes that run at the same time in one event loop; more wait for a free thread."""

_limiter: RunVar[CapacityLimiter] | None = None


def _limiter_of_loop() -> CapacityLimiter:
    # anyio costs 25 ms to import and only programs with sync nodes under an async run need it.
    from anyio import CapacityLimiter
    from anyio.lowlevel import RunVar

    global _limiter
    if _limiter is None:
        _limiter = RunVar("graphrt_worker_threads")
    try:
        return _limiter.get()
    except LookupError:
        limiter = CapacityLimiter(MAX_THREADS)
        _limiter.set(limiter)
        return limiter


async def in_worker_thread(context: Context, function: Callable[..., Any], *args: Any) -> Any:
    """Call `function` in a worker thread, in `context`.

    A thread cannot be stopped: if the caller is cancelled, this waits for the function to return and then raises
    CancelledError, so that nothing of a run is left behind when it has ended.
    """
    from anyio.to_thread import run_sync

    job = asyncio.ensure_future(run_sync(context.run, function, *args, limiter=_limiter_of_loop()))
    try:
        return await asyncio.shield(job)
    except asyncio.CancelledError:
        await wait_out((job,))
        if not job.cancelled():
            job.exception()
        raise
