"""The databases under test, each named by what a process of its own needs to open it."""

import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, closing
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
        self._common: str | None = None

    def new(self, **options: Any) -> Database:
        """An empty one: for SQLite a file that is not there yet."""
        self._made += 1
        if self.kind == "sqlite":
            return Database("sqlite", str(self._directory / f"{self._made}.db"), options)
        return Database("postgres", self._server().create_database(), options)

    def place(self, **options: Any) -> Database:
        """Where nothing is yet, in a Postgres database that others use too: cheaper, and as good as a new one."""
        if self.kind == "sqlite":
            return self.new(**options)
        if self._common is None:
            self._common = self._server().create_database()
        self._made += 1
        return Database("postgres", self._common, {**options, "schema": f"place_{self._made}"})


async def schema_of(database: Database) -> list[Any]:
    """What tables and indexes there are."""
    if database.kind == "sqlite":
        with closing(sqlite3.connect(database.url)) as file:
            return file.execute("SELECT type, name, sql FROM sqlite_master ORDER BY name").fetchall()
    schema = database.options.get("schema", "graphrt")
    connection = await asyncpg.connect(database.url)
    try:
        found = [tuple(row) for query in CATALOGUE for row in await connection.fetch(query, schema)]
        return [tuple(str(item).replace(schema, "graphrt") for item in row) for row in found]
    finally:
        await connection.close()


CATALOGUE: Iterable[str] = (
    "SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns "
    "WHERE table_schema = $1 ORDER BY 1, 2",
    "SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = $1 ORDER BY 1, 2",
    "SELECT conrelid::regclass::text, contype::text, pg_get_constraintdef(oid) FROM pg_constraint "
    "WHERE connamespace = $1::text::regnamespace ORDER BY 1, 2, 3",
)


def damage_of(database: Database) -> list[str]:
    """What SQLite itself finds wrong with the file; Postgres looks after itself."""
    if database.kind != "sqlite":
        return []
    with closing(sqlite3.connect(database.url)) as file:
        rows = file.execute("PRAGMA integrity_check").fetchall()
    return [row[0] for row in rows if row[0] != "ok"]
