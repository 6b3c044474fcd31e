"""`PostgresSaver`: threads in a Postgres database."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from checkpointers.housekeeping import forget_runs, list_threads, prune
from checkpointers.postgres import migrate, reading, tidying, writing
from checkpointers.postgres.access import Access, Work
from checkpointers.postgres.driver import asyncpg
from checkpointers.postgres.housekeeping import Housekeeping
from checkpointers.postgres.lenders import GivenConnection, GivenPool, Lender, OwnPools
from checkpointers.postgres.options import Options, options_of, read_url
from checkpointers.postgres.pool import Connection
from checkpointers.postgres.statements import statements
from checkpointers.retention import run_names, wish
from checkpointers.segments import TIDY_EVERY
from graphrt.checkpoint import (
    Commit,
    Pruned,
    PruneStrategy,
    StorageStats,
    Stored,
    TaskResult,
    ThreadInfo,
)
from graphrt.errors import RunningLoopError, StorageError

__all__ = ["PostgresSaver"]

T = TypeVar("T")
_log: Final = logging.getLogger("graphrt.checkpoint.postgres")
_TIDY_S: Final = 5.0
"""A run waits for its rows to be merged, but not for long."""
_SETUP_S: Final = 3600.0
_FIRST_PAGE: Final = 8
_LARGEST_PAGE: Final = 128
_PAGE_BYTES: Final = 1 << 20


class PostgresSaver:
    """A checkpointer that keeps threads in Postgres, through asyncpg.

    A commit is one statement, and moves the thread's head only if it is where the writer believes: of two processes
    that run one thread at once, one gets `ThreadConflict`. No connection is held while anything but SQL runs.

    Its methods are those of `graphrt.checkpoint.Checkpointer`, which says what each promises and raises; besides that
    they raise `StorageError` and its kinds. The tables must be there: `graphrt migrate`, or `setup`.

    Args:
        given: an `asyncpg.Pool` or `asyncpg.Connection` of yours, which this never closes. A connection may be in a
            transaction; then all that is done here is part of it.
        options: see `from_conn_string`.

    Example:
        >>> async with PostgresSaver.from_conn_string(
        ...     "postgresql://localhost/app"
        ... ) as saver:  # doctest: +SKIP
        ...     await saver.setup()
        ...     graph = builder.compile(checkpointer=saver)
    """

    immediate: bool = False

    def __init__(self, given: Any, **options: Any) -> None:
        read = options_of(options)
        lender: Lender
        if isinstance(given, asyncpg.Pool):
            lender = GivenPool(given, read.acquire_timeout_s)
        elif hasattr(given, "fetchrow"):
            lender = GivenConnection(given, read.acquire_timeout_s)
        else:
            raise TypeError(
                f"PostgresSaver takes an asyncpg.Pool or asyncpg.Connection, got {type(given).__name__}. "
                "For a URL there is PostgresSaver.from_conn_string(url)."
            )
        self._begin(lender, read)

    @classmethod
    def from_conn_string(cls, conn_string: str, **options: Any) -> Self:
        """A saver that opens connections when they are needed, in whichever event loops it is used.

        It may be entered with `async with` or `with`, which closes them at the end. Whoever does not leaves them to
        the end of each event loop.

        Args:
            conn_string: `postgresql://user:password@host:5432/database`. Options may stand behind it as parameters:
                `?schema=chat&max_size=5`; those that libpq knows are passed on to the driver.
            options: by keyword:

                - `schema`: where the tables are, "graphrt" by default.
                - `min_size`, `max_size`: connections of each event loop; 0 and 10. The least number is opened by
                  `async with`.
                - `acquire_timeout_s`: how long to wait for a connection; 30.
                - `command_timeout_s`: how long the database may take for one operation; 60.
                - `retry_s`: how long to go on trying when connections break or the server is away; 10.
                - `statement_cache_size`: 0 for poolers that do not know prepared statements.

        Raises:
            GraphValidationError: an option or parameter that there is not.
        """
        url, read = read_url(conn_string, options)
        saver = cls.__new__(cls)
        saver._begin(OwnPools(url, read), read)
        return saver

    def _begin(self, lender: Lender, options: Options) -> None:
        self._lender = lender
        self._options = options
        self._access = Access(lender, options)
        self._sql = statements(options.schema)
        self._shelves = Housekeeping(self._run, options.schema)
        self._checked = False
        self._closed = False

    # ---- the contract

    async def commit(self, commit: Commit) -> None:
        async def work(connection: Connection, repeated: bool) -> int | None:
            return await writing.commit(connection, self._sql, commit, repeated=repeated)

        seq = await self._run(work)
        if seq is not None and seq % TIDY_EVERY == 0:
            await self._tidy(commit.thread_id, commit.namespace)

    async def _tidy(self, thread_id: str, namespace: str) -> None:
        """Whatever becomes of it, the commit before it has succeeded."""

        async def work(connection: Connection, repeated: bool) -> None:
            await tidying.tidy(connection, self._sql, thread_id, namespace)

        try:
            await self._run(work, timeout_s=min(_TIDY_S, self._options.command_timeout_s))
        except Exception as error:
            _log.warning(
                "Rows of thread %r could not be merged; a later commit will do it: %r", thread_id, error
            )

    async def append_results(
        self, thread_id: str, namespace: str, checkpoint_id: str, results: Sequence[TaskResult]
    ) -> None:
        async def work(connection: Connection, repeated: bool) -> None:
            await writing.append(connection, self._sql, (thread_id, namespace, checkpoint_id), results)

        await self._run(work)

    async def load(
        self, thread_id: str, namespace: str = "", checkpoint_id: str | None = None
    ) -> Stored | None:
        async def work(connection: Connection, repeated: bool) -> Stored | None:
            return await reading.load(connection, self._sql, thread_id, namespace, checkpoint_id)

        return await self._run(work)

    async def history(
        self,
        thread_id: str,
        namespace: str = "",
        *,
        filter: Mapping[str, Any] | None = None,
        before: str | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[Stored]:
        asked: reading.Asked | None = reading.Asked(thread_id, namespace, filter or {}, before)
        left = limit
        size = _FIRST_PAGE
        while asked is not None and (left is None or left > 0):
            page, asked = await self._page(asked, size if left is None else min(size, left))
            for stored in page:
                yield stored
            left = left - len(page) if left is not None else None
            size = _next_size(size, page)

    async def _page(self, asked: reading.Asked, size: int) -> tuple[list[Stored], reading.Asked | None]:
        async def work(connection: Connection, repeated: bool) -> tuple[list[Stored], reading.Asked | None]:
            return await reading.page(connection, self._sql, asked, size)

        return await self._run(work)

    async def adelete_thread(self, thread_id: str) -> None:
        async def work(connection: Connection, repeated: bool) -> None:
            await writing.delete(connection, self._sql, thread_id)

        await self._run(work)

    # ---- keeping and forgetting: the contract stands with the protocols

    async def acopy_thread(self, source: str, target: str) -> int:
        return await self._shelves.copy(source, target)

    async def adelete_for_runs(self, run_ids: Sequence[str]) -> int:
        return await forget_runs(self._shelves, run_names(run_ids))

    async def aprune(
        self,
        thread_ids: Sequence[str] | None = None,
        *,
        strategy: PruneStrategy = "keep_latest",
        keep_last: int | None = None,
        older_than: datetime | timedelta | None = None,
    ) -> Pruned:
        now = datetime.now(UTC)
        wanted = wish(thread_ids, strategy=strategy, keep_last=keep_last, older_than=older_than, now=now)
        return await prune(self._shelves, wanted)

    def athreads(
        self, *, prefix: str = "", after: str | None = None, limit: int | None = None
    ) -> AsyncIterator[ThreadInfo]:
        return list_threads(self._shelves, prefix=prefix, after=after, limit=limit)

    async def astats(self) -> StorageStats:
        return await self._shelves.stats()

    async def areclaim(self) -> int:
        """Run VACUUM: deleted rows make room for new ones, and tables whose ends are empty become shorter.

        Runs go on meanwhile. To shrink the tables as far as possible, run VACUUM FULL, which locks them.

        Raises:
            StorageError: the connection is inside a transaction of yours.
        """
        return await self._shelves.reclaim()

    async def _run(self, work: Work[T], *, timeout_s: float | None = None) -> T:
        if not self._checked:
            await self._check()
        return await self._access.run(work, timeout_s=timeout_s)

    async def _check(self) -> None:
        if self._closed:
            raise StorageError("This PostgresSaver was closed. Make another one, or enter this one again.")

        async def work(connection: Connection, repeated: bool) -> None:
            await migrate.check(connection, self._options.schema)

        await self._access.run(work)
        self._checked = True

    # ---- tables

    async def asetup(self) -> None:
        """Create the tables, or bring them to this program's version; nothing happens if they are.

        Safe in many processes at once, and inside a transaction of yours. Each migration runs in a transaction of its
        own.

        Raises:
            StorageSchemaError: the tables were made by a newer program.
            StorageError: it cannot be done, for want of rights for example; see `migrations`.
        """

        async def work(connection: Connection, repeated: bool) -> None:
            await migrate.migrate(connection, self._options.schema)

        await self._access.run(work, timeout_s=_SETUP_S)
        self._checked = not self._closed

    def migrations(self) -> str:
        """What `setup` would run on an empty database, as a script for `psql`."""
        return migrate.script(self._options.schema)

    # ---- opening and closing

    async def __aenter__(self) -> Self:
        self._closed = False
        await self._access.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections that were opened here."""
        self._closed, self._checked = True, False
        await self._lender.aclose()

    def __enter__(self) -> Self:
        self._closed = False
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    # ---- for callers without an event loop

    def setup(self) -> Coroutine[Any, Any, None]:
        """`asetup` for everybody: `await saver.setup()` in an event loop, `saver.setup()` where none runs."""
        if asyncio._get_running_loop() is not None:
            return self.asetup()
        asyncio.run(self.asetup())
        return _Done()

    def delete_thread(self, thread_id: str) -> None:
        """`adelete_thread` for callers without an event loop.

        Raises:
            RunningLoopError: there is one in this thread.
        """
        _refuse_in_loop("delete_thread")
        asyncio.run(self.adelete_thread(thread_id))

    def close(self) -> None:
        """`aclose` for callers without an event loop.

        Raises:
            RunningLoopError: there is one in this thread.
        """
        _refuse_in_loop("close")
        self._closed, self._checked = True, False
        self._lender.close()


class _Done(Coroutine[Any, Any, None]):
    """What can be awaited, and is no loss if it is not."""

    def send(self, value: Any) -> Any:
        raise StopIteration

    def throw(self, *error: Any) -> Any:
        raise StopIteration

    def close(self) -> None:
        return

    def __await__(self) -> Any:
        return iter(())


def _refuse_in_loop(method: str) -> None:
    if asyncio._get_running_loop() is not None:
        raise RunningLoopError(method)


def _next_size(size: int, page: Sequence[Stored]) -> int:
    """How many checkpoints to read next: more while they are small, few when they are large."""
    read = sum(
        sum(map(len, stored.channels.values()))
        + sum(sum(map(len, parts)) for parts in stored.appends.values())
        for stored in page
    )
    if read > _PAGE_BYTES:
        return max(1, size // 2)
    return min(2 * size, _LARGEST_PAGE)
