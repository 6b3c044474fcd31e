"""`max_concurrency` for the tasks that functions call.

A task that has called another one is not counted any more: it waits, or is about to. If it were, tasks that wait for
tasks could take all places and hang for ever (LangGraph A16 and its quirk 12).
"""

from __future__ import annotations

import asyncio
from collections import deque

from graphrt.core.state import Task

__all__ = ["Slots"]


class Slots:
    """The places of one run. Only for the thread of its loop."""

    __slots__ = ("_free", "_holders", "_waiting")

    def __init__(self, limit: int) -> None:
        self._free = limit
        self._holders: set[int] = set()
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def take(self, task: Task) -> None:
        """Wait for a place; first come, first served."""
        if self._free:
            self._free -= 1
        else:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                await turn
            except BaseException:
                if turn.done() and not turn.cancelled():
                    self._pass_on()
                else:
                    self._waiting.remove(turn)
                raise
        self._holders.add(id(task))

    def give(self, task: Task) -> None:
        """Give a task's place back, if it has one: it has ended, or it has called a task."""
        if id(task) in self._holders:
            self._holders.remove(id(task))
            self._pass_on()

    def _pass_on(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
