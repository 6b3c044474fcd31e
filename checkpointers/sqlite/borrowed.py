"""Connections that belong to the user: used as they are, and left as they were.

One that was opened with aiosqlite has a thread already, which is its lane. One of the standard library's gets a lane.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from checkpointers.sqlite.failures import failure, held_by_user
from checkpointers.sqlite.lanes import Connected, Job, OwnLane
from checkpointers.sqlite.opening import migrate, patiently
from graphrt.errors import GraphValidationError, StorageError

if TYPE_CHECKING:
    import aiosqlite

__all__ = ["PLACE", "UsersLane", "lane_of"]

PLACE: Final = "the connection"
_PAUSE_S: Final = 0.002


def lane_of(connection: aiosqlite.Connection | sqlite3.Connection, patience_s: float) -> UsersLane:
    """A lane for it.

    Raises:
        GraphValidationError: it is no connection.
    """
    if isinstance(connection, sqlite3.Connection):
        thread = OwnLane(lambda: connection, name="sqlite connection of the user", closes=False)
        return UsersLane(thread.post, patience_s, thread=thread)
    if not hasattr(connection, "_tx"):
        raise GraphValidationError(
            f"SqliteSaver takes a connection of aiosqlite or sqlite3, got {type(connection).__name__}. "
            "For a file use SqliteSaver.from_conn_string(path)."
        )
    return UsersLane(_poster(connection), patience_s)


class _Nobody:
    """In place of the future that every request to aiosqlite has in front: answers are the job's business.

    A real one belongs to a loop, and if that is closed when the answer comes, aiosqlite's thread dies of it.
    """

    def get_loop(self) -> _Nobody:
        return self

    def call_soon_threadsafe(self, *args: object) -> None:
        pass


_NOBODY: Final = _Nobody()


def _poster(connection: Any) -> Callable[[Job], None]:
    # The queue is what every method of an aiosqlite connection goes through, and the only way to do several things
    # at once there. What is put there after the end of the thread would wait for ever.
    def post(job: Job) -> None:
        if connection._running and connection._connection is not None:
            connection._tx.put_nowait((_NOBODY, lambda: job(lambda: _inside(connection))))
        else:
            job(_not_open)

    return post


def _inside(connection: Any) -> sqlite3.Connection:
    inside: sqlite3.Connection | None = connection._connection
    return _not_open() if inside is None else inside


def _not_open() -> sqlite3.Connection:
    raise StorageError(
        "The connection that SqliteSaver was given is not open: open it before the saver's first use (`async with "
        "aiosqlite.connect(path) as connection`), and close it after the last one."
    )


class UsersLane:
    """Runs jobs between the user's transactions, with the settings that our statements want.

    Args:
        post: has a job run in the connection's thread.
        thread: that thread, if it is ours to end.
    """

    def __init__(
        self, post: Callable[[Job], None], patience_s: float, *, thread: OwnLane | None = None
    ) -> None:
        self.ended: Future[None] = Future() if thread is None else thread.ended
        self._post = post
        self._patience_s = patience_s
        self._thread = thread
        self._ready = False

    def post(self, job: Job) -> None:
        self._post(lambda connected: self._run(job, connected, None))

    def close(self) -> None:
        if self._thread is not None:
            self._thread.close()
        elif not self.ended.done():
            self.ended.set_result(None)

    def _run(self, job: Job, connected: Connected, since: float | None) -> None:
        try:
            connection = connected()
            if connection.in_transaction:
                self._later(job, time.monotonic() if since is None else since)
                return
            with _settings(connection):
                job(lambda: self._prepared(connection))
        except (StorageError, sqlite3.Error) as error:
            refusal = failure(error, PLACE) if isinstance(error, sqlite3.Error) else error
            job(lambda: _raise(refusal))

    def _later(self, job: Job, since: float) -> None:
        """The user has a transaction open. What ends it comes through this thread, so it must not wait here."""
        waited_s = time.monotonic() - since
        if waited_s > self._patience_s:
            raise held_by_user(waited_s)
        time.sleep(_PAUSE_S)
        self._post(lambda connected: self._run(job, connected, since))

    def _prepared(self, connection: sqlite3.Connection) -> sqlite3.Connection:
        if not self._ready:
            patiently(lambda: migrate(connection, PLACE), PLACE, self._patience_s)
            self._ready = True
        return connection


def _raise(error: StorageError) -> sqlite3.Connection:
    raise error


@contextmanager
def _settings(connection: sqlite3.Connection) -> Generator[None]:
    rows, text = connection.row_factory, connection.text_factory
    connection.row_factory, connection.text_factory = None, str
    (keys,) = connection.execute("PRAGMA foreign_keys").fetchone()
    if not keys:
        connection.execute("PRAGMA foreign_keys = ON")
    try:
        yield
    finally:
        with suppress(sqlite3.Error):  # the work may have broken the connection; that has been told
            if not keys:
                connection.execute("PRAGMA foreign_keys = OFF")
            # The user may have set others meanwhile, for that needs no turn in this thread.
            if connection.row_factory is None:
                connection.row_factory = rows
            if connection.text_factory is str:
                connection.text_factory = text
