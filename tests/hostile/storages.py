"""Where threads lie, and how somebody gets at them there: a dict, a file, tables of a server."""

import os
import shutil
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, Protocol

from graphrt.checkpoint import Stored
from graphrt.checkpoint.memory import InMemorySaver
from tests.checkpointers.encrypted_world import Tampered
from tests.hostile.cells import change_cells, change_fields
from tests.hostile.forgery import changed_record

Replay = Callable[[Any], Awaitable[None]]


class Storage(Protocol):
    """Filled once, then opened anew for every case with something in it changed."""

    def __init__(self, directory: Path) -> None: ...

    async def prepare(self, replay: Replay) -> None: ...

    def changed(self, random: Random, pool: list[bytes]) -> AbstractAsyncContextManager[Any]: ...

    async def close(self) -> None: ...


class Memory(Storage):
    """Records are changed on their way to the reader."""

    def __init__(self, directory: Path) -> None:
        pass

    async def prepare(self, replay: Replay) -> None:
        self._replay = replay

    @asynccontextmanager
    async def changed(self, random: Random, pool: list[bytes]) -> AsyncIterator[Any]:
        memory = InMemorySaver()
        await self._replay(memory)
        others = [stored async for stored in memory.history("theirs")]
        seed, newest_only = random.random(), random.random() < 0.3

        def change(stored: Stored) -> Stored:
            if newest_only and stored.checkpoint.id != stored.head:
                return stored
            return changed_record(Random(f"{seed}{stored.checkpoint.version}"), stored, others, pool)

        tampered = Tampered(memory)
        tampered.change = change
        yield tampered

    async def close(self) -> None:
        pass


class Sqlite(Storage):
    """Cells of the file are changed while nobody has it open."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._template = directory / "template.db"
        self._cases = count()

    async def prepare(self, replay: Replay) -> None:
        filled = self._directory / "filled.db"
        async with self._saver(filled) as saver:
            await replay(saver)
            with closing(sqlite3.connect(filled)) as there, closing(sqlite3.connect(self._template)) as here:
                there.backup(here)
                here.execute("PRAGMA journal_mode = DELETE")

    @asynccontextmanager
    async def changed(self, random: Random, pool: list[bytes]) -> AsyncIterator[Any]:
        file = self._directory / f"{next(self._cases)}.db"  # the one before may not be closed yet
        shutil.copyfile(self._template, file)
        change_cells(random, file, pool)
        async with self._saver(file) as saver:
            yield saver
        file.unlink()

    async def close(self) -> None:
        pass

    @staticmethod
    def _saver(file: Path) -> AbstractAsyncContextManager[Any]:
        from graphrt.checkpoint.sqlite import SqliteSaver

        return SqliteSaver.from_conn_string(str(file))


class Postgres(Storage):
    """Fields are changed through a connection of the attacker's; `GRAPHRT_FUZZ_DSN` says where."""

    TABLES = ("threads", "checkpoints", "results", "segments")

    def __init__(self, directory: Path) -> None:
        self._url = os.environ["GRAPHRT_FUZZ_DSN"]

    async def prepare(self, replay: Replay) -> None:
        import asyncpg

        from graphrt.checkpoint.postgres import PostgresSaver

        self._attacker = await asyncpg.connect(self._url)
        self._saver = PostgresSaver.from_conn_string(self._url)
        await self._saver.__aenter__()
        await self._attacker.execute("DELETE FROM graphrt.threads")
        await replay(self._saver)
        for table in self.TABLES:
            await self._attacker.execute(f"CREATE TEMP TABLE {table} AS SELECT * FROM graphrt.{table}")

    @asynccontextmanager
    async def changed(self, random: Random, pool: list[bytes]) -> AsyncIterator[Any]:
        await self._attacker.execute("DELETE FROM graphrt.threads")
        for table in self.TABLES:
            await self._attacker.execute(
                f"INSERT INTO graphrt.{table} OVERRIDING SYSTEM VALUE SELECT * FROM pg_temp.{table}"
            )
        await change_fields(random, self._attacker, self.TABLES, pool)
        yield self._saver

    async def close(self) -> None:
        await self._attacker.close()
        await self._saver.__aexit__(None, None, None)


STORAGES: dict[str, type[Storage]] = {"memory": Memory, "sqlite": Sqlite, "postgres": Postgres}
