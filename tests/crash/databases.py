"""The databases under test, each named by what a process of its own needs to open it."""

import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
from msgspec import Struct, to_builtins

from graphrt.checkpoint.postgres import PostgresSaver
from graphrt.checkpoint.sqlite import SqliteSaver
from graphrt.testing.postgres import PostgresServer

KINDS = ("sqlite", "postgres")


class Database(Struct, frozen=True):
    """One database, and the options to open it with."""

    kind: str
    url: str
    options: dict[str, Any] = {}

    def saver(self) -> Any:
        """A checkpointer on it that nobody has entered."""
        kind: Any = SqliteSaver if self.kind == "sqlite" else PostgresSaver
        return kind.from_conn_string(self.url, **self.options)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Any]:
        """A checkpointer whose tables are there."""
        async with self.saver() as saver:
            await saver.setup()
            yield saver

    @property
    def wire(self) -> dict[str, Any]:
        """Itself as an argument of a job."""
        named: dict[str, Any] = to_builtins(self)
        return named

    def having(self, **options: Any) -> "Database":
        """The same with other options."""
        return Database(self.kind, self.url, {**self.options, **options})


class Databases:
    """Makes new databases of one kind."""

    def __init__(self, kind: str, directory: Path, server: Callable[[], PostgresServer]) -> None:
        self.kind = kind
        self._directory = directory
        self._server = server
        self._made = 0

    def new(self, **options: Any) -> Database:
        """An empty one: for SQLite a file that is not there yet."""
        self._made += 1
        if self.kind == "sqlite":
            return Database("sqlite", str(self._directory / f"{self._made}.db"), options)
        return Database("postgres", self._server().create_database(), options)


async def schema_of(database: Database) -> list[Any]:
    """What tables and indexes there are, and which migrations they say they have."""
    if database.kind == "sqlite":
        with sqlite3.connect(database.url) as connection:
            found = connection.execute("SELECT type, name, sql FROM sqlite_master ORDER BY name").fetchall()
            version = connection.execute("PRAGMA user_version").fetchall()
        connection.close()
        return [*found, *version]
    connection = await asyncpg.connect(database.url)
    try:
        return [tuple(row) for query in CATALOGUE for row in await connection.fetch(query)]
    finally:
        await connection.close()


CATALOGUE: Iterable[str] = (
    "SELECT table_schema, table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns "
    "WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2, 3",
    "SELECT schemaname, tablename, indexdef FROM pg_indexes "
    "WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2, 3",
    "SELECT conrelid::regclass::text, contype::text, pg_get_constraintdef(oid) FROM pg_constraint ORDER BY 1, 2, 3",
)


def damage_of(database: Database) -> list[str]:
    """What SQLite itself finds wrong with the file; Postgres looks after itself."""
    if database.kind != "sqlite":
        return []
    with sqlite3.connect(database.url) as connection:
        rows = connection.execute("PRAGMA integrity_check").fetchall()
    connection.close()
    return [row[0] for row in rows if row[0] != "ok"]
