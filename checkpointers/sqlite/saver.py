"""`SqliteSaver`: threads in an SQLite file."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, TypedDict, TypeVar, Unpack

from checkpointers.housekeeping import forget_runs, list_threads, prune
from checkpointers.retention import run_names, wish
from checkpointers.rows import matches
from checkpointers.sqlite import reading, writing
from checkpointers.sqlite.files import File, abandon, let_go, take
from checkpointers.sqlite.housekeeping import Housekeeping
from checkpointers.sqlite.lanes import Lane, UsersLane, awaited, waited
from checkpointers.sqlite.opening import migrate, patiently
from checkpointers.sqlite.options import Options, Synchronous, place_of
from checkpointers.sqlite.reading import Page, within_snapshot
from checkpointers.sqlite.statements import script
from checkpointers.sqlite.writer import Change, Writer
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

if TYPE_CHECKING:
    import sqlite3

    import aiosqlite

__all__ = ["SqliteSaver"]

T = TypeVar("T")

_USERS: Final = "the connection"
_PAGE: Final = 64
"""Checkpoints that `history` reads at a time."""


class SqliteOptions(TypedDict, total=False):
    """See `SqliteSaver.from_conn_string`."""

    synchronous: Synchronous
    busy_timeout_s: float
    readers: int


class SqliteSaver:
    """A checkpointer that keeps threads in an SQLite file, from any event loop and thread.

    Its methods are those of `graphrt.checkpoint.Checkpointer`, which says what each promises and raises; besides, each
    may raise a `StorageError`. Nothing is opened before it is needed, and the tables are made then.

    Args:
        connection: an aiosqlite connection of your own. Everything goes through it, closing it stays with you, and it
            must not be in a transaction when the saver uses it.

    Example:
        >>> async with SqliteSaver.from_conn_string("chat.db") as saver:
        ...     graph = builder.compile(checkpointer=saver)
    """

    immediate: bool = False

    def __init__(self, connection: aiosqlite.Connection) -> None:
        lane = UsersLane(connection)
        writer = Writer(lane, place=_USERS, patience_s=Options().busy_timeout_s)
        self._prepare(None, writer, lambda: lane, lane)

    @classmethod
    def from_conn_string(cls, conn_string: str, **options: Unpack[SqliteOptions]) -> Self:
        """A saver for a file: a path, `sqlite:///chat.db`, `sqlite:////var/chat.db`, or `:memory:`.

        Args:
            conn_string: a URL may have the options as well: `sqlite:///chat.db?synchronous=FULL`.
            options: `synchronous` ("NORMAL"): nothing that was reported as committed is lost when the process dies;
                with "FULL" neither when the machine loses power. `busy_timeout_s` (30): how long to wait for other
                processes that write. `readers` (2): connections that read.

        Raises:
            GraphValidationError: there is no such option, or no file is named.
        """
        saver = cls.__new__(cls)
        place, chosen = place_of(conn_string, options)
        file = take(place, chosen)
        saver._prepare(file, file.writer, lambda: file.reader, file.side)
        return saver

    def _prepare(self, file: File | None, writer: Writer, reader: Callable[[], Lane], side: Lane) -> None:
        self._writer = writer
        self._reader = reader
        self._side = side
        self._shelves = Housekeeping(side, self._read_aside, self._write)
        self._ready = False
        self._closed = False
        self._file = file
        self._abandoned = weakref.finalize(self, abandon, file) if file is not None else None
        if self._abandoned is not None:
            self._abandoned.atexit = False

    # -- life ----------------------------------------------------------------------------------------------------

    async def setup(self) -> None:
        """Make the tables, or bring them to this program's version. First use does it anyway."""
        self._check_open()
        await awaited(self._writer.lane, _migrated)
        self._ready = True

    def migrations(self) -> str:
        """What `setup` would run on an empty database, as a script for the `sqlite3` command."""
        return script()

    async def aclose(self) -> None:
        """Finish what was asked for, and close the file; nothing happens the second time."""
        if self._ready and not self._closed and self._file is not None:
            await awaited(self._writer.lane, lambda _: None)
        self._let_go()

    async def __aenter__(self) -> Self:
        await self.setup()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def _let_go(self) -> None:
        self._closed = True
        if self._file is not None and self._abandoned is not None and self._abandoned.detach() is not None:
            let_go(self._file)

    def _check_open(self) -> None:
        if self._closed:
            raise StorageError(
                "This SqliteSaver is closed. Make another one, or use it inside its `async with`."
            )

    # -- threads -------------------------------------------------------------------------------------------------

    async def commit(self, commit: Commit) -> None:
        await self._write(partial(writing.commit, commit=commit))

    async def append_results(
        self, thread_id: str, namespace: str, checkpoint_id: str, results: Sequence[TaskResult]
    ) -> None:
        await self._write(
            lambda connection: writing.append(connection, thread_id, namespace, checkpoint_id, results)
        )

    async def load(
        self, thread_id: str, namespace: str = "", checkpoint_id: str | None = None
    ) -> Stored | None:
        return await self._read(
            lambda connection: reading.load(connection, thread_id, namespace, checkpoint_id)
        )

    async def history(
        self,
        thread_id: str,
        namespace: str = "",
        *,
        filter: Mapping[str, Any] | None = None,
        before: str | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[Stored]:
        fits = partial(matches, wanted=filter) if filter else None
        left = limit if limit is not None else -1
        below: int | None = None
        while left:
            size = _PAGE if left < 0 else min(left, _PAGE)

            def one_page(connection: sqlite3.Connection, below: int | None = below, size: int = size) -> Page:
                return reading.page(
                    connection, thread_id, namespace, matches=fits, below=below, before=before, size=size
                )

            found = await self._read(one_page)
            for stored in found.stored:
                yield stored
            below = found.older
            if below is None:
                return
            left -= len(found.stored) if left > 0 else 0

    async def adelete_thread(self, thread_id: str) -> None:
        await self.aprune(
            [thread_id], strategy="delete"
        )  # some rows at a time, so that others write in between

    # -- keeping and forgetting: the contract stands with the protocols --------------------------------------------

    async def acopy_thread(self, source: str, target: str) -> int:
        """One transaction: commits of other threads wait until the thread's bytes are written once more."""
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
        """Shorten the file by what nothing uses, a few megabytes at a time, between which others write.

        While somebody reads an older state, the file becomes shorter later, with one of the next commits. A file that
        another program made without `PRAGMA auto_vacuum = INCREMENTAL` stays as it is: run VACUUM there while nobody
        uses it.
        """
        return await self._shelves.reclaim()

    async def _read_aside(self, work: Callable[[sqlite3.Connection], T]) -> T:
        if not self._ready:
            await self.setup()
        self._check_open()
        return await awaited(self._side, partial(_snapshot, work))

    async def _write(self, change: Change) -> Any:
        if not self._ready:
            await self.setup()
        self._check_open()
        return await self._writer.write(change)

    async def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        if not self._ready:
            await self.setup()
        self._check_open()
        return await awaited(self._reader(), partial(_snapshot, work))

    # -- without an event loop -------------------------------------------------------------------------------------

    def close(self) -> None:
        """`aclose` for callers without an event loop."""
        _refuse_loop("close")
        self._let_go()

    def delete_thread(self, thread_id: str) -> None:
        """`adelete_thread` for callers without an event loop."""
        _refuse_loop("delete_thread")
        self._check_open()
        waited(self._writer.lane, _migrated)
        self._writer.write_now(partial(writing.delete, thread_id=thread_id))

    def __enter__(self) -> Self:
        _refuse_loop("with SqliteSaver")
        waited(self._writer.lane, _migrated)
        self._ready = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _migrated(connection: sqlite3.Connection) -> None:
    # A connection of our own has done it when it was opened; of the user's nobody knows.
    patiently(lambda: migrate(connection, _USERS), _USERS, Options().busy_timeout_s)


def _snapshot(work: Callable[[sqlite3.Connection], T], connection: sqlite3.Connection) -> T:
    return patiently(lambda: within_snapshot(connection, work), "the database", Options().busy_timeout_s)


def _refuse_loop(method: str) -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise RunningLoopError(method)
