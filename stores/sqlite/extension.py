"""sqlite-vec, where it is installed and this Python's SQLite can load it; what it computes can be computed without."""

from __future__ import annotations

import sqlite3

__all__ = ["computes_distances"]


def computes_distances(connection: sqlite3.Connection, *, load: bool) -> bool:
    """Whether the connection has sqlite-vec's functions.

    Args:
        load: load them if it has not. Not into a connection of the user's, who may have done it.
    """
    return _has_them(connection) or (load and _loaded(connection) and _has_them(connection))


def _has_them(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("SELECT vec_version()")
    except sqlite3.OperationalError:
        return False
    return True


def _loaded(connection: sqlite3.Connection) -> bool:
    try:
        import sqlite_vec  # pyright: ignore[reportMissingTypeStubs]
    except ImportError:
        return False
    try:
        connection.enable_load_extension(True)
    except AttributeError:  # as many Pythons are built
        return False
    try:
        sqlite_vec.load(connection)
    except sqlite3.Error:
        return False
    finally:
        connection.enable_load_extension(False)
    return True
