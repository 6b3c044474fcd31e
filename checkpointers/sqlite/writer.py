"""The one writer of a file in this process: what arrives while a transaction runs shares the next one.

A hundred runs that commit at the same time cost two transactions, not a hundred: the first, and one with the other
ninety-nine. Nobody decides who leads: whoever finds no drain posted posts one, and a drain takes all that is there.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterable
from threading import Lock
from typing import Any, Final, TypeAlias

from checkpointers.sqlite.failures import busy, failure, is_busy
from checkpointers.sqlite.lanes import Lane, tell, waited
from checkpointers.sqlite.opening import patiently
from graphrt.errors import GraphError, StorageError

__all__ = ["Writer"]

Change: TypeAlias = Callable[[sqlite3.Connection], Any]
"""Writes inside a transaction. If it raises a GraphError it has written nothing."""

_MOST: Final = 512
"""Changes in one transaction: the first of them should not wait for ever."""


class _Request:
    """A change, whoever waits for it, and what came of it. `ended` is what a caller who was cancelled waits for."""

    __slots__ = ("change", "ended", "error", "future", "loop", "result", "settled")

    def __init__(self, change: Change, loop: asyncio.AbstractEventLoop) -> None:
        self.change = change
        self.loop = loop
        self.future: asyncio.Future[Any] = loop.create_future()
        self.result: Any = None
        self.error: BaseException | None = None
        self.settled = False
        self.ended: asyncio.Future[None] | None = None


class Writer:
    """Changes to one file, in shared transactions, from any thread and any event loop."""

    def __init__(self, lane: Lane, *, place: str, patience_s: float) -> None:
        self.lane = lane
        self.place = place
        self.patience_s = patience_s
        self._lock = Lock()
        self._waiting: list[_Request] = []
        self._posted = False

    async def write(self, change: Change) -> Any:
        """Make a change, and wait until it is committed. If the caller is cancelled, it has been made or never will be.

        Raises:
            StorageError: it could not be committed; then nothing of it is there.
            whatever GraphError the change raises.
        """
        request = _Request(change, asyncio.get_running_loop())
        with self._lock:
            self._waiting.append(request)
            post, self._posted = not self._posted, True
        if post:
            self.lane.post(self._drain)
        try:
            return await request.future
        except asyncio.CancelledError:
            await self._end(request)
            raise

    async def _end(self, request: _Request) -> None:
        """Take a cancelled caller's change back or, if it is under way, wait for what comes of it."""
        with self._lock:
            if request in self._waiting:
                self._waiting.remove(request)
                return
        while not request.settled:
            request.ended = request.loop.create_future()
            try:
                await request.ended
            except asyncio.CancelledError:
                pass  # a transaction is short, and the caller raises what it was told the first time

    def write_now(self, change: Change) -> Any:
        """The same for a caller without an event loop."""
        return waited(self.lane, lambda connection: self._alone(connection, change))

    # -- in the lane ---------------------------------------------------------------------------------------------

    def _drain(self, connected: Callable[[], sqlite3.Connection]) -> None:
        with self._lock:
            requests, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
            self._posted = bool(self._waiting)
        if self._posted:
            self.lane.post(self._drain)
        try:
            self._settle(connected(), requests)
        except BaseException as error:
            for request in requests:
                request.error = request.error or error
        _answer(requests)

    def _settle(self, connection: sqlite3.Connection, requests: list[_Request]) -> None:
        if len(requests) > 1:
            try:
                self._transact(connection, lambda: _make(connection, requests))
            except StorageError:
                raise  # no lock to be had: for none of them
            except Exception:
                pass  # one of them, or all together, cannot be committed: find out which
            else:
                return
        for request in requests:
            request.result = request.error = None
            try:
                request.result = self._alone(connection, request.change)
            except Exception as error:
                request.error = error

    def _alone(self, connection: sqlite3.Connection, change: Change) -> Any:
        try:
            return self._transact(connection, lambda: change(connection))
        except sqlite3.Error as error:
            if is_busy(error):
                raise busy(self.place, self.patience_s) from error
            raise failure(error, self.place) from error

    def _transact(self, connection: sqlite3.Connection, work: Callable[[], Any]) -> Any:
        patiently(lambda: connection.execute("BEGIN IMMEDIATE"), self.place, self.patience_s)
        try:
            result = work()
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:  # some errors have rolled back already
                connection.execute("ROLLBACK")
            raise
        return result


def _make(connection: sqlite3.Connection, requests: Iterable[_Request]) -> None:
    """Several changes in one transaction: refused ones leave the others alone."""
    for request in requests:
        try:
            request.result = request.change(connection)
        except GraphError as error:
            request.error = error


def _answer(requests: Iterable[_Request]) -> None:
    """Tell everybody, each event loop once."""
    loops: dict[asyncio.AbstractEventLoop, list[_Request]] = {}
    for request in requests:
        loops.setdefault(request.loop, []).append(request)
    for loop, theirs in loops.items():
        tell(loop, _resolve, theirs)


def _resolve(requests: list[_Request]) -> None:
    for request in requests:
        future = request.future
        request.settled = True
        if future.done():  # cancelled
            if request.ended is not None and not request.ended.done():
                request.ended.set_result(None)
        elif request.error is not None:
            future.set_exception(request.error)
        else:
            future.set_result(request.result)
