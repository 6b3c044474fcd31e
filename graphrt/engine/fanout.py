"""Run the tasks of one superstep together: all succeed, or the first failure cancels the rest (LangGraph G1, G9).

One future and a counter per step instead of a callback or `asyncio.wait` per task: O(1) per completion. When
`run_together` returns or raises, none of its asyncio tasks is alive.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeAlias, TypeVar

from graphrt.engine.patience import wait_out

__all__ = ["run_together"]

T = TypeVar("T")
Call: TypeAlias = Callable[[T], Awaitable[None]]
Failed: TypeAlias = Callable[[T, BaseException], Awaitable[None]]

class _Gate(Generic[T]):
    """The tasks of one step: those that wait to be started, those that run, and the first failure."""

    __slots__ = ("call", "create_task", "done", "ended", "failed", "failure", "handles", "left", "stopping", "waiting")

    def __init__(self, tasks: Sequence[T], call: Call[T], done: Call[T] | None, failed: Failed[T] | None) -> None:
        loop = asyncio.get_running_loop()
        self.call = call
        self.done = done
        self.failed = failed
        self.failure: BaseException | None = None
        self.stopping = False
        self.left = len(tasks)
        self.waiting = deque(tasks)
        self.handles: list[asyncio.Task[None]] = []
        self.ended: asyncio.Future[None] = loop.create_future()
        self.create_task = loop.create_task

    def launch(self, count: int) -> None:
        """Start so many of the tasks that wait."""
        for _ in range(count):
            self.handles.append(self.create_task(self.attempt(self.waiting.popleft())))

    async def attempt(self, task: T) -> None:
        """One task from its start to its end; never raises."""
        try:
            await self.call(task)
            if self.done is not None and self.left > 1:
                await self.done(task)
        except BaseException as failure:
            if self.failure is None and not self.stopping:
                self.failure = failure
                if self.failed is not None:
                    await self.failed(task, failure)
            self.open()
            return
        self.left -= 1
        if not self.left:
            self.open()
        elif self.waiting and self.failure is None:
            self.launch(1)

    def open(self) -> None:
        """Wake whoever waits for the step."""
        if not self.ended.done():
            self.ended.set_result(None)

    async def stop(self) -> None:
        """Cancel what still runs and wait until it has ended."""
        self.stopping = True
        for handle in self.handles:
            handle.cancel()
        await wait_out(self.handles)


async def run_together(
    tasks: Sequence[T],
    call: Call[T],
    done: Call[T] | None = None,
    failed: Failed[T] | None = None,
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
    gate = _Gate(tasks, call, done, failed)
    gate.launch(min(limit or gate.left, gate.left))
    try:
        await gate.ended
    except BaseException:
        await gate.stop()
        raise
    if gate.failure is None:
        return
    failure, gate.failure = gate.failure, None
    try:
        await gate.stop()
        raise failure
    finally:
        del failure  # its traceback holds this frame
