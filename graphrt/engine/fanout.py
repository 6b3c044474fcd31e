"""Work that is done together: all of it succeeds, or the first failure cancels the rest (LangGraph G1, G9).

One future and a counter instead of a callback or `asyncio.wait` per task: O(1) per completion. When `Gate.run` returns
or raises, none of its asyncio tasks is alive.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Generic, TypeAlias, TypeVar

from graphrt.engine.patience import wait_out

__all__ = ["Gate", "run_together"]

T = TypeVar("T")
Work: TypeAlias = "Callable[[Gate[T], T], Coroutine[Any, Any, None]]"


class Gate(Generic[T]):
    """Opens when every item has been worked on, or one has failed.

    Args:
        work: works on one item in an asyncio task of its own; it tells the gate by `win` or `lose`, and never raises.
    """

    __slots__ = ("create_task", "ended", "failure", "handles", "left", "stopping", "waiting", "work")

    def __init__(self, items: Sequence[T], work: Work[T]) -> None:
        loop = asyncio.get_running_loop()
        self.work = work
        self.failure: BaseException | None = None
        self.stopping = False
        self.left = len(items)
        self.waiting = deque(items)
        self.handles: list[asyncio.Task[None]] = []
        self.ended: asyncio.Future[None] = loop.create_future()
        self.create_task = loop.create_task

    def launch(self, count: int) -> None:
        """Start work on so many of the items that wait."""
        work = self.work
        take = self.waiting.popleft
        self.handles += [self.create_task(work(self, take())) for _ in range(count)]

    def win(self) -> None:
        """Work on one item has ended well."""
        self.left -= 1
        if not self.left:
            if not self.ended.done():
                self.ended.set_result(None)
        elif self.waiting and self.failure is None:
            self.launch(1)

    def lose(self, failure: BaseException) -> None:
        """Work on one item has failed; the first failure is what `run` raises."""
        if self.failure is None and not self.stopping:
            self.failure = failure
        if not self.ended.done():
            self.ended.set_result(None)

    async def run(self, limit: int | None = None) -> None:
        """Work on all items, at most `limit` at a time.

        Raises:
            whatever the first work to fail raised.
        """
        self.launch(min(limit or self.left, self.left))
        try:
            await self.ended
        except BaseException:
            await self._stop()
            raise
        if self.failure is None:
            return
        failure, self.failure = self.failure, None
        try:
            await self._stop()
            raise failure
        finally:
            del failure  # its traceback holds this frame

    async def _stop(self) -> None:
        """Cancel what still runs and wait until it has ended."""
        self.stopping = True
        for handle in self.handles:
            handle.cancel()
        await wait_out(self.handles)


async def run_together(
    items: Sequence[T], call: Callable[[T], Awaitable[None]], *, limit: int | None = None
) -> None:
    """Call and await `call` for every item, each in an asyncio task of its own, at most `limit` at a time.

    Raises:
        whatever the first call to fail raised.
    """

    async def work(gate: Gate[T], item: T) -> None:
        try:
            await call(item)
        except BaseException as failure:
            gate.lose(failure)
        else:
            gate.win()

    await Gate(items, work).run(limit)
