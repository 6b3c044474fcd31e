"""`SqliteStore`: items in an SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Coroutine, Iterable, Mapping
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, Unpack

from checkpointers.sqlite.failures import damaged
from checkpointers.sqlite.tenant import SqliteOptions
from graphrt.store.batch import AsyncBatchedBaseStore
from graphrt.store.batches import Batch, plan_batch
from graphrt.store.bridge import run_blocking
from graphrt.store.clock import SYSTEM_CLOCK, Clock, now_us
from graphrt.store.index import Embedded, index_of
from graphrt.store.nearness import unit
from graphrt.store.ops import IndexConfig, Op, Result, TTLConfig
from graphrt.store.sweeping import SweptStore
from stores.rows import DAMAGED
from stores.sqlite import writing
from stores.sqlite.file import StoreFile
from stores.sqlite.reading import Reading
from stores.vectors import pack_vector

if TYPE_CHECKING:
    import aiosqlite

__all__ = ["SqliteStore"]

_SWEPT: Final = 1_000
"""Items that a sweep deletes at a time: others write in between."""


class SqliteStore(SweptStore, AsyncBatchedBaseStore):
    """A store that keeps items in an SQLite file, from any event loop, thread and process.

    Its methods are those of `graphrt.store.base.BaseStore`; besides what that says, each may raise a `StorageError`.
    Nothing is opened before it is needed, and the tables are made then. With a `SqliteSaver` of the same file it shares
    one writer, so that they do not wait for each other's locks.

    Args:
        conn: a connection of your own, from aiosqlite or (with `check_same_thread=False`) sqlite3, which stays yours
            to close.
        index: how items are found by meaning. Vectors are compared by sqlite-vec where it is installed and can be
            loaded, else by numpy, else in Python, with the same results.
        ttl: how long items live that do not say, and whether reading begins their time anew.
        clock: what time it is.

    Raises:
        GraphValidationError: it is no connection, or the index makes no sense.

    Example:
        >>> async with SqliteStore.from_conn_string("memory.db") as store:
        ...     await store.aput(("users", "17"), "likes", {"text": "cycling"})
    """

    def __init__(
        self,
        conn: aiosqlite.Connection | sqlite3.Connection,
        *,
        index: IndexConfig | None = None,
        ttl: TTLConfig | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._begin(StoreFile(conn), index, ttl, clock, loads_extension=False)

    @classmethod
    def from_conn_string(
        cls,
        conn_string: str,
        *,
        index: IndexConfig | None = None,
        ttl: TTLConfig | None = None,
        clock: Clock | None = None,
        **options: Unpack[SqliteOptions],
    ) -> Self:
        """A store in a file: a path, `sqlite:///memory.db`, `sqlite:////var/memory.db`, or `:memory:`.

        Args:
            conn_string: a URL may have the options as well: `sqlite:///memory.db?synchronous=FULL`.
            index: see the class, as for `ttl` and `clock`.
            options: those of `SqliteSaver.from_conn_string`.

        Raises:
            GraphValidationError: there is no such option, no file is named, or the index makes no sense.
        """
        store = cls.__new__(cls)
        file = StoreFile.from_conn_string(conn_string, **options)
        store._begin(file, index, ttl, clock, loads_extension=True)
        return store

    def _begin(
        self,
        file: StoreFile,
        index: IndexConfig | None,
        ttl: TTLConfig | None,
        clock: Clock | None,
        *,
        loads_extension: bool,
    ) -> None:
        self.index_config = index
        self.ttl_config = ttl
        self.clock = clock or SYSTEM_CLOCK
        self._file = file
        self._index = index_of(index)
        self._fields = None if self._index is None else self._index.fields
        self._loads_extension = loads_extension

    # ---- the contract

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        batch = plan_batch(ops, fields=self._fields)
        nothing: tuple[Embedded, Embedded] = ({}, {})
        texts, queries = nothing if self._index is None else await self._index.aembed(batch)
        packed = {text: pack_vector(unit(vector)) for text, vector in texts.items()}
        units = {text: unit(vector) for text, vector in queries.items()}
        read = partial(self._read, batch, units)
        if batch.puts:
            results, _ = await self._file.write(partial(self._read_and_put, read, batch, packed))
            return results
        results, lives = await self._file.read(read)
        if lives:
            await self._file.write(partial(writing.refresh, lives=lives, now=now_us(self.clock)))
        return results

    def _read(
        self, batch: Batch, queries: Mapping[str, Any], connection: sqlite3.Connection
    ) -> tuple[list[Result], Mapping[int, float]]:
        results: list[Result] = [None] * batch.size
        reading = Reading(connection, queries, now_us(self.clock), extension=self._loads_extension)
        try:
            for place, op in batch.reads:
                results[place] = reading.result(op)
        except DAMAGED as error:
            raise damaged(error, "the store") from error
        return results, reading.lives

    def _read_and_put(
        self,
        read: Callable[[sqlite3.Connection], tuple[list[Result], Mapping[int, float]]],
        batch: Batch,
        vectors: Mapping[str, bytes],
        connection: sqlite3.Connection,
    ) -> tuple[list[Result], Mapping[int, float]]:
        results, lives = read(connection)
        now = now_us(self.clock)
        writing.refresh(connection, lives, now)
        writing.put(connection, batch.puts, vectors, now)
        return results, lives

    async def sweep_ttl(self) -> int:
        total = 0
        while True:
            swept = await self._file.write(partial(writing.sweep, most=_SWEPT, now=now_us(self.clock)))
            total += swept
            if swept < _SWEPT:
                return total

    # ---- opening and closing

    def setup(self) -> Coroutine[Any, Any, None]:
        """Make the tables, or bring them to this program's version; first use does it anyway.

        `await store.setup()` in an event loop, `store.setup()` where none runs.

        Raises:
            StorageSchemaError: a newer program has made them.
        """
        return self._file.setup()

    def migrations(self) -> str:
        """What `setup` would run on an empty database, as a script for the `sqlite3` command."""
        return self._file.migrations()

    async def aclose(self) -> None:
        """Stop sweeping, finish what was asked for, and close the file; nothing happens the second time."""
        await self.stop_ttl_sweeper()
        await self._file.aclose()

    def close(self) -> None:
        """`aclose` for callers without an event loop.

        Raises:
            RunningLoopError: there is one in this thread.
        """
        self._file.close()

    async def __aenter__(self) -> Self:
        await self._file.prepare()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    def __enter__(self) -> Self:
        run_blocking(self._file.prepare(), method="__enter__")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
