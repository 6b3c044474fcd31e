"""The driver's errors in words that say what to do."""

from __future__ import annotations

import sqlite3

from graphrt.errors import StorageBusyError, StorageError, StorageSchemaError

__all__ = ["busy", "failure", "is_busy", "schema_newer"]

_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


def is_busy(error: sqlite3.Error) -> bool:
    """Did somebody else hold a lock?"""
    return (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF in _BUSY


def busy(place: str, waited_s: float) -> StorageBusyError:
    """The error for a lock that did not come free."""
    return StorageBusyError(
        f"Another process has kept {place} locked for {waited_s:g} s. Look for one that holds a transaction open, or "
        "raise busy_timeout_s.",
        waited_s=waited_s,
    )


def failure(error: sqlite3.Error, place: str) -> StorageError:
    """The error for anything else."""
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    advice = {
        sqlite3.SQLITE_CANTOPEN: "Does its folder exist, and may this process write there?",
        sqlite3.SQLITE_NOTADB: "This file is not an SQLite database, or is encrypted.",
        sqlite3.SQLITE_READONLY: "The file is read-only for this process.",
        sqlite3.SQLITE_FULL: "The disk is full.",
        sqlite3.SQLITE_IOERR: "The disk does not answer as it should.",
        sqlite3.SQLITE_CORRUPT: "The file is damaged: `sqlite3 FILE .recover` may save what is in it.",
        sqlite3.SQLITE_TOOBIG: "One value is larger than SQLite can keep (1 GB).",
    }.get(code, "")
    return StorageError(f"SQLite could not use {place}: {error}. {advice}".rstrip())


def schema_newer(place: str, found: int, known: int) -> StorageSchemaError:
    """The error for tables that a later program made."""
    return StorageSchemaError(
        f"The tables in {place} are of version {found}; this program knows versions up to {known}. Upgrade graphrt "
        "here: a newer one has migrated this file."
    )
