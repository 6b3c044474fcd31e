"""Looks over a checkpointer's shoulder: how long each commit takes, how many bytes it is to store."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from checkpointers.rows import pack_id, pack_metadata, pack_names, pack_results
from graphrt.checkpoint import Checkpointer, Commit, Stored, TaskResult


class Watched:
    """A checkpointer that passes everything on to another."""

    immediate = False

    def __init__(self, saver: Checkpointer) -> None:
        self.saver = saver

    async def commit(self, commit: Commit) -> None:
        await self.saver.commit(commit)

    async def append_results(
        self, thread_id: str, namespace: str, checkpoint_id: str, results: Sequence[TaskResult]
    ) -> None:
        await self.saver.append_results(thread_id, namespace, checkpoint_id, results)

    async def load(
        self, thread_id: str, namespace: str = "", checkpoint_id: str | None = None
    ) -> Stored | None:
        return await self.saver.load(thread_id, namespace, checkpoint_id)

    def history(
        self,
        thread_id: str,
        namespace: str = "",
        *,
        filter: Mapping[str, Any] | None = None,
        before: str | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[Stored]:
        return self.saver.history(thread_id, namespace, filter=filter, before=before, limit=limit)

    async def adelete_thread(self, thread_id: str) -> None:
        await self.saver.adelete_thread(thread_id)


class Timed(Watched):
    """Notes how long its commits take."""

    def __init__(self, saver: Checkpointer, seconds: list[float]) -> None:
        super().__init__(saver)
        self.seconds = seconds

    async def commit(self, commit: Commit) -> None:
        began = time.perf_counter()
        await self.saver.commit(commit)
        self.seconds.append(time.perf_counter() - began)


class Sized(Watched):
    """Notes how many bytes each step brings."""

    def __init__(self, saver: Checkpointer) -> None:
        super().__init__(saver)
        self.sizes: list[int] = []

    async def commit(self, commit: Commit) -> None:
        self.sizes.append(size_of(commit))
        await self.saver.commit(commit)

    async def append_results(
        self, thread_id: str, namespace: str, checkpoint_id: str, results: Sequence[TaskResult]
    ) -> None:
        self.sizes.append(len(pack_results(results) or b""))
        await self.saver.append_results(thread_id, namespace, checkpoint_id, results)


def size_of(commit: Commit) -> int:
    """Return the bytes that the savers for SQLite and Postgres put into columns, numbers not counted."""
    checkpoint = commit.checkpoint
    columns = (
        pack_id(checkpoint.id),
        checkpoint.source[0],
        pack_names(checkpoint.next),
        pack_names(checkpoint.ran),
        pack_metadata(checkpoint.metadata),
        pack_results(commit.results),
        *(item.data for item in (*commit.channels, *commit.appends)),
    )
    return sum(len(column) for column in columns if column is not None)
