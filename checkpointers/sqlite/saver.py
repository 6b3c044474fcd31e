"""`SqliteSaver`: threads in an SQLite file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from checkpointers.doors import refuse_in_loop
from checkpointers.housekeeping import forget_runs, list_threads, prune
from checkpointers.retention import run_names, wish
from checkpointers.sqlite import reading
from checkpointers.sqlite.housekeeping import Housekeeping
from checkpointers.sqlite.reading import Asked
from checkpointers.sqlite.tenant import Tenant
from graphrt.checkpoint import (
    Commit,
    Pruned,
    PruneStrategy,
    StorageStats,
    Stored,
    TaskResult,
    ThreadInfo,
)

__all__ = ["SqliteSaver"]

_PAGES: Final = (8, 16, 32, 64)
"""Checkpoints that `history` reads at a time: few at first, for whoever wants only the newest."""


class SqliteSaver(Tenant):
    """A checkpointer that keeps threads in an SQLite file, from any event loop and thread.

    Its methods are those of `graphrt.checkpoint.Checkpointer`, which says what each promises and raises; besides, each
    may raise a `StorageError`. Nothing is opened before it is needed, and the tables are made then.

    Args:
        connection: one of your own, from aiosqlite or (with `check_same_thread=False`) sqlite3. Everything goes through
            it, between your transactions, and closing it stays with you.

    Example:
        >>> async with SqliteSaver.from_conn_string("chat.db") as saver:
        ...     graph = builder.compile(checkpointer=saver)
    """

    immediate: bool = False

    # -- threads -------------------------------------------------------------------------------------------------

    async def commit(self, commit: Commit) -> None:
        file = self._file
        if not (self._ready and file.alive):
            file = await self._enter()
        await file.writer.commit(commit)

    def launch(self, commit: Commit) -> asyncio.Future[None] | None:
        file = self._file
        return file.writer.launch(commit) if self._ready and file.alive else None

    async def append_results(
        self, thread_id: str, namespace: str, checkpoint_id: str, results: Sequence[TaskResult]
    ) -> None:
        file = self._file
        if not (self._ready and file.alive):
            file = await self._enter()
        await file.writer.append(thread_id, namespace, checkpoint_id, results)

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
        wanted: Asked | None = Asked(thread_id, namespace, dict(filter or {}), before)
        left = limit
        sizes = iter(_PAGES)
        size = 0
        while wanted is not None and (left is None or left > 0):
            size = next(sizes, size)
            number = size if left is None else min(left, size)
            page = await self._read(partial(reading.page, asked=wanted, size=number))
            for stored in page.stored:
                yield stored
            wanted = page.older
            left = None if left is None else left - len(page.stored)

    async def adelete_thread(self, thread_id: str) -> None:
        await self.aprune(
            [thread_id], strategy="delete"
        )  # some rows at a time, so that others write in between

    # -- keeping and forgetting: the contract stands with the protocols --------------------------------------------

    async def acopy_thread(self, source: str, target: str) -> int:
        """One transaction: commits of other threads wait until the thread's bytes are written once more."""
        return await (await self._shelves()).copy(source, target)

    async def adelete_for_runs(self, run_ids: Sequence[str]) -> int:
        return await forget_runs(await self._shelves(), run_names(run_ids))

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
        return await prune(await self._shelves(), wanted)

    async def athreads(
        self, *, prefix: str = "", after: str | None = None, limit: int | None = None
    ) -> AsyncIterator[ThreadInfo]:
        async for info in list_threads(await self._shelves(), prefix=prefix, after=after, limit=limit):
            yield info

    async def astats(self) -> StorageStats:
        return await (await self._shelves()).stats()

    async def areclaim(self) -> int:
        """Shorten the file by what nothing uses, a few megabytes at a time, between which others write.

        While somebody reads an older state, the file becomes shorter later, with one of the next commits. A file that
        another program made without `PRAGMA auto_vacuum = INCREMENTAL` stays as it is: run VACUUM there while nobody
        uses it.
        """
        return await (await self._shelves()).reclaim()

    async def _shelves(self) -> Housekeeping:
        file = self._file
        if not (self._ready and file.alive):
            file = await self._enter()
        return Housekeeping(file.side, partial(self._read, lane=file.side), self._write)

    # -- without an event loop -------------------------------------------------------------------------------------

    def delete_thread(self, thread_id: str) -> None:
        """`adelete_thread` for callers without an event loop.

        Raises:
            RunningLoopError: there is one in this thread.
        """
        refuse_in_loop("delete_thread")
        asyncio.run(self.adelete_thread(thread_id))
