"""Threads that have a connection each: whoever needs SQL done posts a function, which runs there.

One hop does as many statements as it wants, where a coroutine per statement hops for each. What a lane must bear: jobs
from any thread and any event loop, loops that are closed when the answer comes, interpreters that exit while it waits
for work. So its thread is a daemon, and an answer that nobody takes is dropped. A connection that the user opened with
aiosqlite has a thread already; its lane is that one.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

if TYPE_CHECKING:
    import aiosqlite

__all__ = ["Lane", "OwnLane", "UsersLane", "awaited", "waited"]

T = TypeVar("T")

Work: TypeAlias = Callable[[sqlite3.Connection], T]
Job: TypeAlias = Callable[[Callable[[], sqlite3.Connection]], None]
"""Gets something that gives the connection or raises why there is none; must not raise anything itself."""


class Lane(Protocol):
    """Where jobs run, one after the other."""

    def post(self, job: Job) -> None:
        """Have it run, soon."""
        ...

    def close(self) -> None:
        """Run what was posted, then close the connection, if it is the lane's own."""
        ...


class OwnLane:
    """A connection and a thread of its own; both begin with the first job."""

    def __init__(self, connect: Callable[[], sqlite3.Connection], *, name: str) -> None:
        self._connect = connect
        self._name = name
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._starts = [True]

    def post(self, job: Job) -> None:
        # Without a lock: the cycle collector may come here in the middle of anything, also of this.
        self._jobs.put(job)
        try:
            self._starts.pop()
        except IndexError:
            return
        thread = threading.Thread(target=_serve, args=(self._jobs, self._connect), daemon=True)
        thread.name = self._name
        thread.start()

    def close(self) -> None:
        self._jobs.put(None)


def _serve(jobs: SimpleQueue[Job | None], connect: Callable[[], sqlite3.Connection]) -> None:
    connection: sqlite3.Connection | None = None

    def connected() -> sqlite3.Connection:
        nonlocal connection
        if connection is None:
            connection = connect()
        return connection

    while (job := jobs.get()) is not None:
        job(connected)
        del job  # it may be the last to hold its caller's world
    if connection is not None:
        connection.close()


class UsersLane:
    """An aiosqlite connection that belongs to the user."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection: Any = connection  # what is needed of it is private

    def post(self, job: Job) -> None:
        # The queue is what every method of an aiosqlite connection goes through, and the only way to do several
        # things at once there. The future that would be in front belongs to a loop; answers are the job's business.
        self._connection._tx.put_nowait((None, lambda: job(self._connected)))

    def _connected(self) -> sqlite3.Connection:
        connection: sqlite3.Connection = self._connection._conn
        return connection

    def close(self) -> None:
        """Nothing: it is not ours."""


async def awaited(lane: Lane, work: Work[T]) -> T:
    """Have work done, and wait for what comes of it. If the caller is cancelled the work is done all the same."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def job(connected: Callable[[], sqlite3.Connection]) -> None:
        try:
            result = work(connected())
        except BaseException as error:
            tell(loop, _fail, future, error)
        else:
            tell(loop, _settle, future, result)

    lane.post(job)
    return await future


def waited(lane: Lane, work: Work[T]) -> T:
    """The same for a caller without an event loop."""
    future: Future[T] = Future()

    def job(connected: Callable[[], sqlite3.Connection]) -> None:
        try:
            future.set_result(work(connected()))
        except BaseException as error:
            future.set_exception(error)

    lane.post(job)
    return future.result()


def tell(loop: asyncio.AbstractEventLoop, call: Callable[..., None], *args: object) -> None:
    """Call in a loop's thread, if the loop is still there."""
    try:
        loop.call_soon_threadsafe(call, *args)
    except RuntimeError:
        pass  # closed: whoever waited is gone


def _settle(future: asyncio.Future[T], result: T) -> None:
    if not future.done():
        future.set_result(result)


def _fail(future: asyncio.Future[T], error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)
