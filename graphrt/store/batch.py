"""Ops that come in one turn of the loop go to the store together (LangGraph S7).

Ten nodes of a superstep that each ask for one item make one trip to the database instead of ten. Only calls that are
under way at the same time are put together, and those have no order among themselves; who awaits one call before the
next has each in a batch of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, TypeAlias

from graphrt.errors import GraphValidationError, SerializationError
from graphrt.store.contract import BaseStore
from graphrt.store.ops import Op, Result

__all__ = ["AsyncBatchedBaseStore"]

_Asked: TypeAlias = tuple[Op, "asyncio.Future[Result]"]


class AsyncBatchedBaseStore(BaseStore):
    """A store whose `aget`, `asearch`, `aput`, `adelete` and `alist_namespaces` wait for each other.

    Write `abatch` only. `abatch` itself and the sync methods wait for nobody.
    """

    flight: _Flight | None = None

    async def _ask(self, op: Op) -> Result:
        loop = asyncio.get_running_loop()
        flight = self.flight  # the one that still fills up
        if flight is None or flight.loop is not loop:
            flight = self.flight = _Flight(self, loop)
        return await flight.take(op)


class _Flight:
    """One batch on its way: it fills up until the loop's turn is over."""

    __slots__ = ("_asked", "_store", "_task", "loop")

    def __init__(self, store: AsyncBatchedBaseStore, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._store = store
        self._asked: list[_Asked] = []
        self._task: asyncio.Task[None] | None = None
        loop.call_soon(self._start)

    async def take(self, op: Op) -> Result:
        future: asyncio.Future[Result] = self.loop.create_future()
        self._asked.append((op, future))
        try:
            return await future
        except asyncio.CancelledError:
            await self._let_go()
            raise

    def _start(self) -> None:
        if self._store.flight is self:
            self._store.flight = None
        self._asked = [(op, future) for op, future in self._asked if not future.cancelled()]
        if self._asked:
            self._task = self.loop.create_task(self._fly(self._asked))

    async def _fly(self, asked: Sequence[_Asked]) -> None:
        try:
            results = await self._store.abatch([op for op, _ in asked])
        except (GraphValidationError, SerializationError) as error:
            # Nothing was done, and only the one whose op it is should hear of it.
            if len(asked) == 1:
                _settle(asked[0][1], None, error)
            else:
                for one in asked:
                    await self._fly((one,))
        except Exception as error:
            for _, future in asked:
                _settle(future, None, error)
        else:
            for (_, future), result in zip(asked, results, strict=True):
                _settle(future, result, None)

    async def _let_go(self) -> None:
        """When nobody waits for the batch any more it is cancelled, and nothing of it stays."""
        task = self._task
        if task is not None and all(future.done() for _, future in self._asked):
            task.cancel()
            await _ended(task)


def _settle(future: asyncio.Future[Any], result: Any, error: Exception | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)


async def _ended(task: asyncio.Task[None]) -> None:
    """Wait until a cancelled task is over, however often the waiter is cancelled."""
    while not task.done():
        try:
            await asyncio.wait((task,))
        except asyncio.CancelledError:
            continue
