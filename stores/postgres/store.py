"""`PostgresStore`: items in a Postgres database."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Mapping
from types import TracebackType
from typing import Any, Final, Self, TypedDict, TypeVar

from checkpointers.doors import Done, in_loop
from checkpointers.postgres.access import Access, Work
from checkpointers.postgres.driver import asyncpg
from checkpointers.postgres.lenders import GivenConnection, GivenPool, Lender, OwnPools
from checkpointers.postgres.options import Options, options_of, read_url
from checkpointers.postgres.pool import Connection
from graphrt.errors import StorageError
from graphrt.store.batch import AsyncBatchedBaseStore
from graphrt.store.batches import Batch, plan_batch
from graphrt.store.bridge import refuse_in_loop, run_blocking
from graphrt.store.clock import SYSTEM_CLOCK, Clock, now_us
from graphrt.store.index import Embedded, index_of
from graphrt.store.ops import Op, Result, TTLConfig
from graphrt.store.sweeping import SweptStore
from stores.postgres import tables, writing
from stores.postgres.index import PgVector, PostgresIndexConfig, pgvector_in, ways_of
from stores.postgres.reading import Reading
from stores.postgres.statements import statements
from stores.vectors import stored_form

__all__ = ["PoolConfig", "PostgresStore"]

T = TypeVar("T")
_SETUP_S: Final = 3600.0
_SWEPT: Final = 1_000
"""Items that a sweep deletes at a time."""


class PoolConfig(TypedDict, total=False):
    """Connections of each event loop: how many at least, and at most."""

    min_size: int
    max_size: int


class PostgresStore(SweptStore, AsyncBatchedBaseStore):
    """A store that keeps items in Postgres, through asyncpg.

    Its methods are those of `graphrt.store.base.BaseStore`; besides what that says, each may raise a `StorageError`.
    The tables must be there: `graphrt migrate`, or `setup`. No connection is held while anything but SQL runs.

    Args:
        conn: an `asyncpg.Pool` or `asyncpg.Connection` of yours, which this never closes.
        index: how items are found by meaning. Vectors are compared by pgvector where the database has it, else here,
            with the same results.
        ttl: how long items live that do not say, and whether reading begins their time anew.
        clock: what time it is.
        options: see `from_conn_string`.

    Raises:
        GraphValidationError: an option or an index that makes no sense.

    Example:
        >>> async with PostgresStore.from_conn_string(
        ...     "postgresql://localhost/app"
        ... ) as store:  # doctest: +SKIP
        ...     await store.setup()
        ...     await store.aput(("users", "17"), "likes", {"text": "cycling"})
    """

    def __init__(
        self,
        conn: Any,
        *,
        index: PostgresIndexConfig | None = None,
        ttl: TTLConfig | None = None,
        clock: Clock | None = None,
        **options: Any,
    ) -> None:
        read = options_of(options, noun="PostgresStore")
        lender: Lender
        if isinstance(conn, asyncpg.Pool):
            lender = GivenPool(conn, read.acquire_timeout_s)
        elif hasattr(conn, "fetchrow"):
            lender = GivenConnection(conn, read.acquire_timeout_s)
        else:
            raise TypeError(
                f"PostgresStore takes an asyncpg.Pool or asyncpg.Connection, got {type(conn).__name__}. "
                "For a URL there is PostgresStore.from_conn_string(url)."
            )
        self.home = getattr(conn, "_loop", None)
        self._begin(lender, read, index, ttl, clock)

    @classmethod
    def from_conn_string(
        cls,
        conn_string: str,
        *,
        pool_config: PoolConfig | None = None,
        index: PostgresIndexConfig | None = None,
        ttl: TTLConfig | None = None,
        clock: Clock | None = None,
        **options: Any,
    ) -> Self:
        """A store that opens connections when they are needed, in whichever event loops it is used.

        Args:
            conn_string: `postgresql://user:password@host:5432/database`. Options may stand behind it as parameters.
            pool_config: `min_size` and `max_size` in LangGraph's place for them.
            index: see the class, as for `ttl` and `clock`.
            options: those of `PostgresSaver.from_conn_string`.

        Raises:
            GraphValidationError: an option or parameter that there is not, or an index that makes no sense.
        """
        url, read = read_url(conn_string, {**(pool_config or {}), **options}, noun="PostgresStore")
        store = cls.__new__(cls)
        store._begin(OwnPools(url, read), read, index, ttl, clock)
        return store

    def _begin(
        self,
        lender: Lender,
        options: Options,
        index: PostgresIndexConfig | None,
        ttl: TTLConfig | None,
        clock: Clock | None,
    ) -> None:
        self.index_config = index
        self.ttl_config = ttl
        self.clock = clock or SYSTEM_CLOCK
        self._index = index_of(index)
        self._fields = None if self._index is None else self._index.fields
        self._ways = ways_of(index)
        self._lender = lender
        self._options = options
        self._access = Access(lender, options)
        self._sql = statements(options.schema)
        self._pgvector: PgVector | None = None
        self._checked = False
        self._closed = False

    # ---- the contract

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        batch = plan_batch(ops, fields=self._fields)
        nothing: tuple[Embedded, Embedded] = ({}, {})
        texts, queries = nothing if self._index is None else await self._index.aembed(batch)
        vectors = {text: [float(number) for number in form] for text, form in self._forms(texts).items()}
        wanted = self._forms(queries)

        async def work(connection: Connection, repeated: bool) -> list[Result]:
            return await self._do(connection, batch, vectors, wanted)

        return await self._run(work)

    def _forms(self, vectors: Embedded) -> dict[str, Any]:
        if self._ways is None:
            return {}
        return {text: stored_form(vector, self._ways.distance) for text, vector in vectors.items()}

    async def _do(
        self,
        connection: Connection,
        batch: Batch,
        vectors: Mapping[str, list[float]],
        queries: Mapping[str, Any],
    ) -> list[Result]:
        results: list[Result] = [None] * batch.size
        now = now_us(self.clock)
        if batch.reads:
            reading = Reading(
                connection, self._sql, queries, now,
                schema=self._options.schema, ways=self._ways, pgvector=self._pgvector,
            )  # fmt: skip
            for place, result in (await reading.results(batch.reads)).items():
                results[place] = result
            if reading.lives:
                await writing.refresh(connection, self._sql, reading.lives, now)
        if batch.puts:
            await writing.put(connection, self._sql, batch.puts, vectors, now)
        return results

    async def sweep_ttl(self) -> int:
        async def work(connection: Connection, repeated: bool) -> int:
            return await writing.sweep(connection, self._sql, _SWEPT, now_us(self.clock))

        total = 0
        while True:
            swept = await self._run(work)
            total += swept
            if swept < _SWEPT:
                return total

    async def _run(self, work: Work[T]) -> T:
        if not self._checked:
            await self._check()
        return await self._access.run(work)

    async def _check(self) -> None:
        if self._closed:
            raise StorageError("This PostgresStore was closed. Make another one, or enter this one again.")

        async def work(connection: Connection, repeated: bool) -> None:
            await tables.check(connection, self._options.schema)
            if self._ways is not None:
                self._pgvector = await pgvector_in(connection, self._sql)

        await self._access.run(work)
        self._checked = True

    # ---- tables

    async def asetup(self) -> None:
        """Create the tables and the index, or bring them to this program's version; nothing happens if they are.

        Safe in many processes at once, and inside a transaction of yours.

        Raises:
            StorageSchemaError: the tables were made by a newer program, or an index was asked for and there is no
                pgvector.
            StorageError: it cannot be done, for want of rights for example; see `migrations`.
        """

        async def work(connection: Connection, repeated: bool) -> None:
            await tables.migrate(connection, self._options.schema)
            if self._ways is not None:
                await self._ways.make_index(connection, self._options.schema, self._sql)

        await self._access.run(work, timeout_s=_SETUP_S)
        self._checked = False  # pgvector may have come

    def migrations(self) -> str:
        """What `setup` would run on an empty database, as a script for `psql`."""
        return tables.script(self._options.schema)

    def setup(self) -> Coroutine[Any, Any, None]:
        """`asetup` for everybody: `await store.setup()` in an event loop, `store.setup()` where none runs."""
        if in_loop():
            return self.asetup()
        run_blocking(self.asetup(), method="setup", home=self.home)
        return Done()

    # ---- opening and closing

    async def __aenter__(self) -> Self:
        self._closed = False
        await self._access.open()
        self.home = asyncio.get_running_loop()  # threads use these connections, not some of their own
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Stop sweeping, and close the connections that were opened here."""
        await self.stop_ttl_sweeper()
        self._closed, self._checked = True, False
        await self._lender.aclose()

    def __enter__(self) -> Self:
        self._closed = False
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """`aclose` for callers without an event loop.

        Raises:
            RunningLoopError: there is one in this thread.
        """
        refuse_in_loop("close")
        self._closed, self._checked = True, False
        self._lender.close()
