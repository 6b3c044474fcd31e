"""The driver's errors in words that say what to do."""

from __future__ import annotations

import sqlite3

from graphrt.errors import DeserializationError, StorageBusyError, StorageError, StorageSchemaError

__all__ = ["busy", "damaged", "failure", "held_by_user", "is_busy", "is_read_only", "schema_newer", "schema_older",
           "unreachable"]  # fmt: skip

_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL})


def is_busy(error: sqlite3.Error) -> bool:
    """Did somebody else hold a lock?"""
    return _code(error) in _BUSY


def is_read_only(error: sqlite3.Error) -> bool:
    """May this process not write there?"""
    return _code(error) == sqlite3.SQLITE_READONLY


def _code(error: sqlite3.Error) -> int:
    return (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF


def busy(place: str, waited_s: float) -> StorageBusyError:
    """The error for a lock that did not come free."""
    return StorageBusyError(
        f"Another process has kept {place} locked for {waited_s:g} s. Look for one that holds a transaction open, or "
        "raise busy_timeout_s.",
        waited_s=waited_s,
    )


def held_by_user(waited_s: float) -> StorageBusyError:
    """The error for a transaction that the user has left open."""
    return StorageBusyError(
        f"The connection that SqliteSaver was given has been in a transaction of your own for {waited_s:g} s. Commit "
        "it before a graph runs, open the connection with isolation_level=None, or give the saver one of its own: "
        "SqliteSaver.from_conn_string(path).",
        waited_s=waited_s,
    )


def unreachable(error: OSError | ValueError, place: str) -> StorageError:
    """The error for a file that cannot even be looked at."""
    return StorageError(f"SQLite could not use {place!r}: {error}. {_CANNOT_OPEN}")


def damaged(error: Exception, place: str) -> DeserializationError:
    """The error for rows that no program of ours has written."""
    return DeserializationError(f"What is stored in {place} is damaged: {type(error).__name__}: {error}.")


_CANNOT_OPEN = "Does its folder exist, and may this process write there?"


def failure(error: sqlite3.Error, place: str) -> StorageError:
    """The error for anything else."""
    if isinstance(error, sqlite3.ProgrammingError) and "same thread" in str(error):
        return StorageError(
            "The connection that SqliteSaver was given works in the thread only that it was opened in. Open it with "
            "sqlite3.connect(path, check_same_thread=False)."
        )
    advice = {
        sqlite3.SQLITE_CANTOPEN: _CANNOT_OPEN,
        sqlite3.SQLITE_NOTADB: "This file is not an SQLite database, or is encrypted.",
        sqlite3.SQLITE_READONLY: "The file is read-only for this process.",
        sqlite3.SQLITE_FULL: "The disk is full.",
        sqlite3.SQLITE_IOERR: "The disk does not answer as it should.",
        sqlite3.SQLITE_CORRUPT: "The file is damaged: `sqlite3 FILE .recover` may save what is in it.",
        sqlite3.SQLITE_TOOBIG: "One value is larger than SQLite can keep (1 GB).",
    }.get(_code(error), "")
    return StorageError(f"SQLite could not use {place}: {error}. {advice}".rstrip())


def schema_newer(place: str, found: int, known: int) -> StorageSchemaError:
    """The error for tables that a later program made."""
    return StorageSchemaError(
        f"The tables in {place} are of version {found}; this program knows versions up to {known}. Upgrade graphrt "
        "here: a newer one has migrated this file."
    )


def schema_older(place: str, found: int, known: int) -> StorageSchemaError:
    """The error for tables that are not there yet and cannot be made."""
    return StorageSchemaError(
        f"The tables in {place} are of version {found}; this program needs version {known}, and may not write there. "
        "Run `graphrt migrate` for this file as a user who may."
    )
