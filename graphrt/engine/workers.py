"""Worker threads for sync functions: bounded per event loop, context variables go along."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context, ContextVar
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final

from graphrt.engine.patience import wait_out

if TYPE_CHECKING:
    from anyio import CapacityLimiter
    from anyio.lowlevel import RunVar

__all__ = ["MAX_THREADS", "in_worker_thread"]

MAX_THREADS: Final = 40
"""Sync functions that run at the same time in one event loop, at each depth; more wait for a free thread.

A function in a worker thread may wait for tasks that it called, and those for a thread. They are one level deeper and
have threads of their own, so those that wait never use up what they wait for.
"""
_DEPTH: Final[ContextVar[int]] = ContextVar("graphrt_worker_depth")


@cache
def _limiters() -> RunVar[dict[int, CapacityLimiter]]:
    # anyio costs 25 ms to import and only programs with sync nodes under an async run need it.
    from anyio.lowlevel import RunVar

    return RunVar("graphrt_worker_threads")


def _limiter_of_loop(depth: int) -> CapacityLimiter:
    from anyio import CapacityLimiter

    variable = _limiters()
    try:
        limiters = variable.get()
    except LookupError:
        limiters = dict[int, CapacityLimiter]()
        variable.set(limiters)
    if depth not in limiters:
        limiters[depth] = CapacityLimiter(MAX_THREADS)
    return limiters[depth]


async def in_worker_thread(
    context: Context,
    function: Callable[..., Any],
    *args: Any,
    on_cancel: Callable[[], None] | None = None,
) -> Any:
    """Call `function` in a worker thread, in `context`.

    A thread cannot be stopped: if the caller is cancelled, this waits for the function to return and then raises
    CancelledError, so that nothing of a run is left behind when it has ended.

    Args:
        on_cancel: what can be done so that the function returns soon.
    """
    from anyio.to_thread import run_sync

    depth = context.get(_DEPTH, 0)
    context.run(_DEPTH.set, depth + 1)
    work = partial(context.run, function, *args)
    job = asyncio.ensure_future(run_sync(work, limiter=_limiter_of_loop(depth)))
    try:
        return await asyncio.shield(job)
    except asyncio.CancelledError:
        if on_cancel is not None:
            on_cancel()
        await wait_out((job,))
        if not job.cancelled():
            job.exception()
        raise
