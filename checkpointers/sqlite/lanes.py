"""Threads that have a connection each: whoever needs SQL done posts a function, which runs there.

One hop does as many statements as it wants, where a coroutine per statement hops for each. What a lane must bear: jobs
from any thread and any event loop, loops that are closed when the answer comes, interpreters that exit while it waits
for work. So its thread is a daemon, and an answer that nobody takes is dropped.

Nothing here takes a lock, for the cycle collector may come to `post` and `close` in the middle of anything, also of
themselves.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from queue import Empty, SimpleQueue
from typing import Final, Protocol, TypeAlias, TypeVar

from graphrt.errors import GraphError, StorageError

__all__ = [
    "Connected",
    "Job",
    "Lane",
    "OwnLane",
    "Work",
    "asked",
    "awaited",
    "bare",
    "tell",
    "told",
    "waited",
]

T = TypeVar("T")

Work: TypeAlias = Callable[[sqlite3.Connection], T]
Connected: TypeAlias = Callable[[], sqlite3.Connection]
"""Gives the connection, or raises why there is none."""
Job: TypeAlias = Callable[[Connected], None]
"""Must not raise anything itself."""

_CLOSING_S: Final = 5.0


class Lane(Protocol):
    """Where jobs run, one after the other.

    Attributes:
        ended: done when nothing runs any more.
    """

    ended: Future[None]

    def post(self, job: Job) -> None:
        """Have it run, soon. It runs in any case, even if that is only to be told that there is no connection."""
        ...

    def close(self) -> None:
        """Run what was posted, then end. Does not wait for it."""
        ...


class OwnLane:
    """A connection and a thread of its own; both begin with the first job.

    Args:
        after: lanes that are closed before this one is: of the connections to a file, the last one tidies up.
        closes: whether the connection is closed in the end.

    Attributes:
        ended: done when the thread is through and the connection is closed.
    """

    def __init__(
        self, connect: Connected, *, name: str, after: Sequence[OwnLane] = (), closes: bool = True
    ) -> None:
        self.ended: Future[None] = Future()
        self._connect = connect
        self._name = name
        self._after = after
        self._closes = closes
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._starts = [True]  # whoever takes it out starts the thread, or sees to it that nobody does
        self._working = False
        self._over = False

    @property
    def load(self) -> int:
        """Jobs that wait or run."""
        return self._jobs.qsize() + self._working

    def post(self, job: Job) -> None:
        self._jobs.put(job)
        if self._starts:
            self._start()
        if self._over:
            self._refuse()

    def _start(self) -> None:
        try:
            self._starts.pop()
        except IndexError:
            return
        threading.Thread(target=self._serve, name=self._name, daemon=True).start()

    def close(self) -> None:
        self._jobs.put(None)
        try:
            self._starts.pop()
        except IndexError:
            return
        self._end(None)

    def _serve(self) -> None:
        connection: sqlite3.Connection | None = None

        def connected() -> sqlite3.Connection:
            nonlocal connection
            if connection is None:
                connection = self._connect()
            return connection

        while (job := self._jobs.get()) is not None:
            self._working = True
            job(connected)
            del job  # it may be the last to hold its caller's world
            self._working = False
        self._end(connection)

    def _end(self, connection: sqlite3.Connection | None) -> None:
        for lane in self._after:
            lane.close()
        for lane in self._after:
            _over(lane.ended)
        if connection is not None and self._closes:
            _closed(connection)
        self._over = True
        self.ended.set_result(None)
        self._refuse()

    def _refuse(self) -> None:
        """Tell what came too late."""
        while True:
            try:
                job = self._jobs.get_nowait()
            except Empty:
                return
            if job is not None:
                job(_no_more)


def _no_more() -> sqlite3.Connection:
    raise StorageError("This SqliteSaver was closed meanwhile.")


def _over(ended: Future[None]) -> None:
    try:
        ended.result(_CLOSING_S)
    except TimeoutError:
        pass  # it reads for very long: its thread is a daemon


def _closed(connection: sqlite3.Connection) -> None:
    try:
        connection.close()
    except sqlite3.Error:
        pass  # a full disk, say: what was committed is in the log


# ---- asking


async def asked(lane: Lane, question: Callable[[Connected], T]) -> T:
    """Have a question answered in a lane. If the caller is cancelled it is answered all the same."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()
    lane.post(partial(_answer, loop, future, question))
    try:
        return await future
    finally:
        del future  # it holds the error, whose traceback holds this frame


def _answer(
    loop: asyncio.AbstractEventLoop,
    future: asyncio.Future[T],
    question: Callable[[Connected], T],
    connected: Connected,
) -> None:
    try:
        result = question(connected)
    except BaseException as error:
        tell(loop, _fail, future, bare(error))
    else:
        tell(loop, _settle, future, result)


async def awaited(lane: Lane, work: Work[T]) -> T:
    """Have work done with the lane's connection, and wait for what comes of it."""
    return await asked(lane, lambda connected: work(connected()))


def told(lane: Lane, question: Callable[[Connected], T]) -> T:
    """`asked` for a caller without an event loop."""
    future: Future[T] = Future()
    lane.post(partial(_answer_now, future, question))
    try:
        return future.result()
    finally:
        del future


def _answer_now(future: Future[T], question: Callable[[Connected], T], connected: Connected) -> None:
    try:
        future.set_result(question(connected))
    except BaseException as error:
        future.set_exception(bare(error))


def waited(lane: Lane, work: Work[T]) -> T:
    """`awaited` for a caller without an event loop."""
    return told(lane, lambda connected: work(connected()))


def tell(loop: asyncio.AbstractEventLoop, call: Callable[..., None], *args: object) -> None:
    """Call in a loop's thread, if the loop is still there."""
    try:
        loop.call_soon_threadsafe(call, *args)
    except RuntimeError:
        pass  # closed: whoever waited is gone


def bare(error: BaseException) -> BaseException:
    """An error that goes to another thread: the frames here would keep it, and what waits for it, in a cycle."""
    return error.with_traceback(None) if isinstance(error, GraphError) else error


def _settle(future: asyncio.Future[T], result: T) -> None:
    if not future.done():
        future.set_result(result)


def _fail(future: asyncio.Future[T], error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)
