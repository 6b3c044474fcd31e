"""Futures for code that is not async: what it calls runs in an event loop, which is in another thread."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any

from graphrt.engine.door import HOME, loop_factory

__all__ = ["RemoteFuture", "SideLoop"]


class RemoteFuture(concurrent.futures.Future[Any]):
    """Stands for an asyncio task of another thread's loop. It is done when the task has ended, not earlier.

    Cancelling it cancels the task, which may take its time or refuse.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._loop = loop
        self._handle: asyncio.Task[Any] | None = None
        self._unwanted = False

    def begin(
        self, work: Callable[[], Coroutine[Any, Any, Any]], context: Context, ended: Callable[[Any], object]
    ) -> None:
        """Start the task; `ended` is called with this future just before it is done. From any thread."""
        self._loop.call_soon_threadsafe(self._start, work, context, ended)

    def _start(
        self, work: Callable[[], Coroutine[Any, Any, Any]], context: Context, ended: Callable[[Any], object]
    ) -> None:
        handle = self._loop.create_task(work(), context=context)
        self._handle = handle

        def pass_on(handle: asyncio.Task[Any]) -> None:
            self._handle = None
            ended(self)
            if handle.cancelled():
                super(RemoteFuture, self).cancel()
                self.set_running_or_notify_cancel()
            elif (failure := handle.exception()) is not None:
                self.set_exception(failure)
            else:
                self.set_result(handle.result())

        handle.add_done_callback(pass_on)
        if self._unwanted:
            handle.cancel()

    def cancel(self) -> bool:
        """Ask the task to stop; False if it has ended already."""
        if self.done():
            return False
        self._unwanted = True
        self._loop.call_soon_threadsafe(self._stop)
        return True

    def _stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()


class SideLoop:
    """A loop in a thread of its own, for sync code that calls tasks in a run that has needed no loop so far."""

    __slots__ = ("_ended", "_thread", "loop")

    def __init__(self) -> None:
        ready: concurrent.futures.Future[asyncio.AbstractEventLoop] = concurrent.futures.Future()
        self._thread = threading.Thread(target=self._work, args=(ready,), name="graphrt tasks", daemon=True)
        self._thread.start()
        self.loop = ready.result()

    def _work(self, ready: concurrent.futures.Future[asyncio.AbstractEventLoop]) -> None:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            HOME.set(runner.get_loop())
            runner.run(self._until_closed(ready))

    async def _until_closed(self, ready: concurrent.futures.Future[asyncio.AbstractEventLoop]) -> None:
        self._ended = asyncio.Event()
        ready.set_result(asyncio.get_running_loop())
        await self._ended.wait()

    def close(self) -> None:
        """End the loop and its thread. Nothing may be alive in there."""
        self.loop.call_soon_threadsafe(self._ended.set)
        self._thread.join()
