"""The one writer of a file in this process: what arrives while a transaction runs shares the next one.

A hundred runs that commit at the same time cost two transactions, not a hundred: the first, and one with the other
ninety-nine. Nobody decides who leads: whoever finds no drain posted posts one, and a drain takes all that is there.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, Final, TypeAlias

from checkpointers.sqlite import writing
from checkpointers.sqlite.failures import busy, failure, is_busy
from checkpointers.sqlite.lanes import Connected, Lane, bare, tell
from checkpointers.sqlite.opening import patiently
from checkpointers.sqlite.writing import Known
from graphrt.checkpoint import Commit, TaskResult
from graphrt.errors import GraphError, StorageBusyError

__all__ = ["Change", "Writer"]

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
    """Changes to one file, in shared transactions, from any thread and any event loop.

    There is no lock: appending and taking are atomic, and a drain says that it is not posted any more before it takes
    what is there. So what is appended is seen by a drain that begins later, or has posted one of its own.

    What threads have come to is remembered as long as nobody else writes, neither to the file (`PRAGMA data_version`)
    nor through the same connection (`total_changes`, which counts what was rolled back too): a query less for each of a
    hundred commits in a transaction.
    """

    def __init__(self, lane: Lane, *, place: str, patience_s: float) -> None:
        self._known: Known = {}
        self.lane = lane
        self.place = place
        self.patience_s = patience_s
        self._waiting: deque[_Request] = deque()
        self._posted = False
        self._state: tuple[Any, int] = None, 0

    async def commit(self, commit: Commit) -> None:
        """Store one superstep.

        Raises:
            ThreadConflict: the head is elsewhere, or the parent was forgotten.
            StorageError: it could not be committed; then nothing of it is there.
        """
        await self._ask(partial(writing.commit, commit=commit, known=self._known))

    def launch(self, commit: Commit) -> asyncio.Future[None]:
        """`commit`, begun at once; the future is done when it is through. Nobody may cancel it."""
        request = _Request(
            partial(writing.commit, commit=commit, known=self._known), asyncio.get_running_loop()
        )
        self._waiting.append(request)
        self._post()
        return request.future

    async def append(
        self, thread_id: str, namespace: str, checkpoint_id: str, results: Sequence[TaskResult]
    ) -> None:
        """Keep results of the step that starts from the head.

        Raises:
            ThreadConflict: the head is elsewhere.
            StorageError: they could not be committed; then nothing of them is there.
        """
        place = (thread_id, namespace, checkpoint_id)
        await self._ask(partial(writing.append, place=place, results=results, known=self._known))

    async def write(self, change: Change) -> Any:
        """Make a change, and wait until it is committed. If the caller is cancelled, it has been made or never will be.

        Raises:
            StorageError: it could not be committed; then nothing of it is there.
            whatever GraphError the change raises.
        """

        def unknowing(connection: sqlite3.Connection) -> Any:
            self._known.clear()  # it may delete threads
            return change(connection)

        return await self._ask(unknowing)

    async def _ask(self, change: Change) -> Any:
        request = _Request(change, asyncio.get_running_loop())
        self._waiting.append(request)
        self._post()
        try:
            return await request.future
        except asyncio.CancelledError:
            await self._end(request)
            raise
        finally:
            del request  # it holds the error, whose traceback holds this frame

    async def _end(self, request: _Request) -> None:
        """Take a cancelled caller's change back or, if it is under way, wait for what comes of it."""
        try:
            self._waiting.remove(request)
        except (ValueError, IndexError):  # it was taken, or others were taken just now
            pass
        else:
            return
        while not request.settled:
            request.ended = request.loop.create_future()
            try:
                await request.ended
            except asyncio.CancelledError:
                pass  # a transaction is short, and the caller raises what it was told the first time

    def _post(self) -> None:
        if not self._posted:
            self._posted = True
            self.lane.post(self._drain)

    # -- in the lane ---------------------------------------------------------------------------------------------

    def _drain(self, connected: Connected) -> None:
        self._posted = False
        requests = self._taken()
        if self._waiting:
            self._post()
        if not requests:
            return
        try:
            self._settle(connected(), requests)
        except BaseException as error:
            for request in requests:
                request.error = bare(error)
        _answer(requests)

    def _taken(self) -> list[_Request]:
        requests: list[_Request] = []
        try:
            while len(requests) < _MOST:
                requests.append(self._waiting.popleft())
        except IndexError:
            pass
        return requests

    def _settle(self, connection: sqlite3.Connection, requests: Sequence[_Request]) -> None:
        if len(requests) > 1:
            try:
                self._transact(connection, lambda connection: _make(connection, requests))
            except StorageBusyError:
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
                request.error = bare(error)

    def _alone(self, connection: sqlite3.Connection, change: Change) -> Any:
        try:
            return self._transact(connection, change)
        except sqlite3.Error as error:
            if is_busy(error):
                raise busy(self.place, self.patience_s) from error
            raise failure(error, self.place) from error

    def _transact(self, connection: sqlite3.Connection, change: Change) -> Any:
        self._locked(connection, "BEGIN IMMEDIATE")
        try:
            version = connection.execute("PRAGMA data_version").fetchone()
            if (version, connection.total_changes) != self._state:
                self._known.clear()
            result = change(connection)
            self._locked(connection, "COMMIT")
            self._state = version, connection.total_changes
        except BaseException:
            if connection.in_transaction:  # some errors have rolled back already
                connection.execute("ROLLBACK")
            raise
        return result

    def _locked(self, connection: sqlite3.Connection, statement: str) -> None:
        """Run a statement that may find the file locked."""
        try:
            connection.execute(statement)
        except sqlite3.Error as error:
            if not is_busy(error):
                raise
            patiently(lambda: connection.execute(statement), self.place, self.patience_s)


def _make(connection: sqlite3.Connection, requests: Iterable[_Request]) -> None:
    """Several changes in one transaction: refused ones leave the others alone."""
    for request in requests:
        try:
            request.result = request.change(connection)
        except GraphError as error:
            request.error = bare(error)


def _answer(requests: Sequence[_Request]) -> None:
    """Tell everybody, each event loop once."""
    loops: dict[asyncio.AbstractEventLoop, list[_Request]] = {}
    for request in requests:
        loops.setdefault(request.loop, []).append(request)
    for loop, theirs in loops.items():
        tell(loop, _resolve, theirs)


def _resolve(requests: Iterable[_Request]) -> None:
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
