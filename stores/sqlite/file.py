"""The file that a store is in, with the store's tables. A saver of the same file shares its writer."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Coroutine
from typing import Any, ClassVar, TypeVar

from checkpointers.doors import Done, in_loop
from checkpointers.sqlite.failures import schema_newer
from checkpointers.sqlite.files import File
from checkpointers.sqlite.opening import statements_of
from checkpointers.sqlite.tenant import Tenant
from graphrt.store.bridge import run_blocking
from stores.sqlite.statements import LATEST, MIGRATIONS, SQL, script

__all__ = ["StoreFile"]

T = TypeVar("T")


class StoreFile(Tenant):
    """A file with the store's tables, made by whoever comes first."""

    _noun: ClassVar[str] = "SqliteStore"
    _has_tables: File | None = None

    def setup(self) -> Coroutine[Any, Any, None]:
        """Make the tables, or bring them to this program's version; awaited in an event loop, at once elsewhere."""
        if in_loop():
            return self.prepare()
        run_blocking(self.prepare(), method="setup")
        return Done()

    def migrations(self) -> str:
        """What `setup` would run on an empty database, as a script for the `sqlite3` command."""
        return script()

    async def prepare(self) -> None:
        """See to it that the tables are there.

        Raises:
            StorageSchemaError: a newer program has made them.
            StorageError: they cannot be made.
        """
        if self._has_tables is self._file and self._file.alive:
            return
        place = self._file.place
        if await self._read(lambda connection: _version(connection, place)) < LATEST:
            await self._write(lambda connection: _upgrade(connection, place))
        self._has_tables = self._file

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Read, in one snapshot.

        Raises:
            StorageError: it cannot be read.
            DeserializationError: what is there is damaged.
        """
        await self.prepare()
        return await self._read(work)

    async def write(self, change: Callable[[sqlite3.Connection], T]) -> T:
        """Write, in a transaction that changes of others may share. If the caller is cancelled, it is done or not.

        Raises:
            StorageError: it could not be committed; then nothing of it is there.
        """
        await self.prepare()
        result: T = await self._write(change)
        return result


def _version(connection: sqlite3.Connection, place: str) -> int:
    if connection.execute(SQL.is_there).fetchone() is None:
        return 0
    (version,) = connection.execute(SQL.version).fetchone()
    if version > LATEST:
        raise schema_newer(place, version, LATEST)
    return int(version)


def _upgrade(connection: sqlite3.Connection, place: str) -> None:
    version = _version(connection, place)  # somebody else may have done it meanwhile
    for number, text in MIGRATIONS.items():
        if number > version:
            for statement in statements_of(text):
                connection.execute(statement)
            connection.execute(SQL.migrated, (number,))
