"""Run the tasks of one superstep together: all succeed, or the first failure cancels the rest (LangGraph G1, G9).

One future and a counter per step instead of a callback or `asyncio.wait` per task: O(1) per completion. When
`run_together` returns or raises, none of its asyncio tasks is alive.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

__all__ = ["run_together"]

T = TypeVar("T")

class _Gate(Generic[T]):
    """Counts the tasks of a step that have not ended, and remembers the first failure."""

    __slots__ = ("ended", "failure", "handles", "left", "waiting")

    def __init__(self, tasks: Sequence[T]) -> None:
        self.left = len(tasks)
        self.waiting = deque(tasks)
        self.handles: list[asyncio.Task[None]] = []
        self.failure: BaseException | None = None
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def open(self) -> None:
        if not self.ended.done():
            self.ended.set_result(None)


async def run_together(
    tasks: Sequence[T],
    call: Callable[[T], Awaitable[None]],
    done: Callable[[T], Awaitable[None]] | None = None,
    failed: Callable[[T, BaseException], Awaitable[None]] | None = None,
    *,
    limit: int | None = None,
) -> None:
    """Run every task in an asyncio task of its own, at most `limit` at a time.

    Args:
        call: runs one task.
        done: awaited in the task's own asyncio task when it has succeeded while others have not ended yet.
        failed: the same for the first task that fails.

    Raises:
        whatever the first task to fail raised.
    """
    gate = _Gate(tasks)
    create_task = asyncio.get_running_loop().create_task

    def launch() -> None:
        gate.handles.append(create_task(attempt(gate.waiting.popleft())))

    async def attempt(task: T) -> None:
        try:
            await call(task)
            if done is not None and gate.left > 1:
                await done(task)
        except BaseException as failure:
            if gate.failure is None:
                gate.failure = failure
                if failed is not None:
                    await failed(task, failure)
            gate.open()
            return
        gate.left -= 1
        if not gate.left:
            gate.open()
        elif gate.waiting and gate.failure is None:
            launch()

    for _ in range(min(limit or gate.left, gate.left)):
        launch()
    try:
        await gate.ended
    except BaseException:
        await _stop(gate.handles)
        raise
    if gate.failure is not None:
        await _stop(gate.handles)
        try:
            raise gate.failure
        finally:
            gate.failure = None
            del launch, attempt


async def _stop(handles: Sequence[asyncio.Task[None]]) -> None:
    """Cancel what still runs and wait until it has ended, however often the waiter itself is cancelled."""
    alive = [handle for handle in handles if not handle.done()]
    for handle in alive:
        handle.cancel()
    cancelled: asyncio.CancelledError | None = None
    while alive:
        try:
            await asyncio.wait(alive)
        except asyncio.CancelledError as again:
            cancelled = again
        alive = [handle for handle in alive if not handle.done()]
    if cancelled is not None:
        raise cancelled
