"""Who may run on a thread now, among the runs of this process (`multitask_strategy`).

Across processes the compare-and-set of the thread's head decides; here runs can be told at the door, or wait in line.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from typing import Any, Final, TypeAlias
from weakref import WeakKeyDictionary

from graphrt.engine.door import enter_loop
from graphrt.errors import ThreadBusy
from graphrt.types import MultitaskStrategy

__all__ = ["Turns", "turns_of"]

Waiter: TypeAlias = asyncio.Future[None]


class Turns:
    """The runs on one checkpointer's threads, by thread id. Safe to use from several event loops and threads."""

    __slots__ = ("__weakref__", "_active", "_lock", "_queues")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._active: dict[str, int] = {}
        self._queues: dict[str, deque[Waiter]] = {}

    async def enter(self, thread_id: str, strategy: MultitaskStrategy | None) -> None:
        """Take a turn on the thread; `leave` must follow.

        Raises:
            ThreadBusy: the thread has a run and the strategy is "reject".
        """
        if strategy == "enqueue":
            await enter_loop()
        with self._lock:
            active = self._active.get(thread_id, 0)
            if strategy is None or not active:
                self._active[thread_id] = active + 1
                return
            if strategy == "reject":
                raise ThreadBusy(thread_id)
            waiter: Waiter = asyncio.get_running_loop().create_future()
            self._queues.setdefault(thread_id, deque()).append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            self._give_up(thread_id, waiter)
            raise

    def _give_up(self, thread_id: str, waiter: Waiter) -> None:
        with self._lock:
            queue = self._queues.get(thread_id)
            if queue is not None and waiter in queue:
                queue.remove(waiter)
                return
        self.leave(thread_id)  # the turn had been given to this waiter already

    def leave(self, thread_id: str) -> None:
        """End a turn; the next run in line gets it when no other is active."""
        with self._lock:
            active = self._active[thread_id] - 1
            queue = self._queues.get(thread_id)
            if active or not queue:
                if active:
                    self._active[thread_id] = active
                else:
                    del self._active[thread_id]
                    self._queues.pop(thread_id, None)
                return
            waiter = queue.popleft()  # the turn passes on: one run stays active
        waiter.get_loop().call_soon_threadsafe(_wake, waiter)


def _wake(waiter: Waiter) -> None:
    if not waiter.done():
        waiter.set_result(None)


_turns: Final[WeakKeyDictionary[Any, Turns]] = WeakKeyDictionary()
"""One line per checkpointer: graphs that share a checkpointer share its threads."""


def turns_of(saver: Any) -> Turns:
    """The line of runs at this checkpointer."""
    found = _turns.get(saver)
    if found is None:
        found = _turns.setdefault(saver, Turns())
    return found
