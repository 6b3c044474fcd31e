"""Connections, and the tables they need: made by whoever comes first, however many come at once."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from typing import TypeVar

from checkpointers.sqlite.failures import busy, failure, is_busy, is_read_only, schema_newer, schema_older
from checkpointers.sqlite.lanes import Connected
from checkpointers.sqlite.options import Options, Synchronous
from checkpointers.sqlite.statements import LATEST, MIGRATIONS
from graphrt.errors import StorageError

__all__ = ["be_synchronous", "migrate", "open_reader", "open_writer", "patiently", "statements_of"]

T = TypeVar("T")

_PAUSE_S = 0.02


def patiently(work: Callable[[], T], place: str, patience_s: float) -> T:
    """Do it again for as long as somebody else is in the way.

    SQLite waits by itself where it can. Where that could be a deadlock, or while a file is being set up or recovered,
    it says at once that it is busy.

    Raises:
        StorageBusyError: it has been in the way for too long.
        StorageError: something else is wrong.
    """
    end = time.monotonic() + patience_s
    while True:
        try:
            return work()
        except sqlite3.Error as error:
            if not is_busy(error):
                raise failure(error, place) from error
            if time.monotonic() >= end:
                raise busy(place, patience_s) from error
        time.sleep(_PAUSE_S)  # in a lane, never on an event loop


def open_writer(place: str, options: Options) -> sqlite3.Connection:
    """A connection that writes, with tables of this program's version.

    Raises:
        StorageError: the file cannot be used; it says why.
    """

    def attempt() -> sqlite3.Connection:
        connection = _connect(place, options)
        try:
            _shape(connection)
            connection.execute("PRAGMA journal_size_limit = 16777216")  # after a large commit
            connection.execute(_SYNCHRONOUS[options.synchronous])
            migrate(connection, place)
        except BaseException:
            connection.close()
            raise
        return connection

    return patiently(attempt, place, options.busy_timeout_s)


def be_synchronous(level: Synchronous, connected: Connected) -> None:
    """A job that changes how much an open connection waits for the disk."""
    try:
        connected().execute(_SYNCHRONOUS[level])
    except (StorageError, sqlite3.Error):
        pass  # there is no connection, as whoever needs one is told


_SYNCHRONOUS = {
    "OFF": "PRAGMA synchronous = OFF",
    "NORMAL": "PRAGMA synchronous = NORMAL",
    "FULL": "PRAGMA synchronous = FULL",
    "EXTRA": "PRAGMA synchronous = EXTRA",
}


def _shape(connection: sqlite3.Connection) -> None:
    """What a file is told once, and keeps."""
    try:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # counts for new files only
        connection.execute("PRAGMA journal_mode = WAL")
    except sqlite3.OperationalError as error:
        if not is_read_only(error):
            raise
        # It may still be read.


def open_reader(place: str, options: Options) -> sqlite3.Connection:
    """A connection that only reads.

    Raises:
        StorageError: the file cannot be used; it says why.
    """

    def attempt() -> sqlite3.Connection:
        connection = _connect(place, options)
        try:
            connection.execute("PRAGMA query_only = ON")
        except BaseException:
            connection.close()
            raise
        return connection

    return patiently(attempt, place, options.busy_timeout_s)


_OLDEST = (3, 24)  # has UPSERT


def _connect(place: str, options: Options) -> sqlite3.Connection:
    if sqlite3.sqlite_version_info < _OLDEST:
        raise StorageError(
            f"This Python has SQLite {sqlite3.sqlite_version}; SqliteSaver needs 3.24 (of 2018) or newer."
        )
    connection = sqlite3.connect(
        place, timeout=options.busy_timeout_s, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA foreign_keys = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def migrate(connection: sqlite3.Connection, place: str) -> None:
    """Run the migrations that the database does not have yet.

    Raises:
        StorageSchemaError: the tables were made by a newer program, or there are none and none can be made.
    """
    version = _version(connection)
    if version > LATEST:
        raise schema_newer(place, version, LATEST)
    if version == LATEST:
        return
    try:
        _upgrade(connection)
    except sqlite3.OperationalError as error:
        if is_read_only(error):
            raise schema_older(place, version, LATEST) from error
        raise


def _upgrade(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _version(connection)  # somebody else may have done it meanwhile
        for number, text in MIGRATIONS.items():
            if number > version:
                for statement in statements_of(text):
                    connection.execute(statement)
                connection.execute("INSERT INTO graphrt_migrations VALUES (?)", (number,))
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # some errors have rolled back already
            connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection) -> int:
    there = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'graphrt_migrations'").fetchone()
    if there is None:
        return 0
    (version,) = connection.execute("SELECT coalesce(max(version), 0) FROM graphrt_migrations").fetchone()
    return int(version)


def statements_of(text: str) -> list[str]:
    """One by one: `executescript` would commit first."""
    found: list[str] = []
    rest = ""
    for line in text.splitlines(keepends=True):
        rest += line
        if sqlite3.complete_statement(rest):
            found.append(rest)
            rest = ""
    assert not rest.strip(), "a migration ends in the middle of a statement"
    return found
