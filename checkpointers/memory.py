"""Threads in this process's memory, through the same bytes as a database.

Each checkpoint keeps what its step changed; every 64th also keeps the whole table of channels (references, no copies
of values), so that reading any checkpoint looks at no more than 64 of them. Nothing here waits, so an operation is
atomic among the tasks of a loop; a lock makes it so among threads.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from threading import Lock
from typing import Any, Final

from msgspec import Struct

from graphrt.checkpoint import ChannelData, Checkpoint, Commit, Stored, TaskResult
from graphrt.errors import ThreadConflict

__all__ = ["InMemorySaver"]

_WHOLE_EVERY: Final = 64
"""Checkpoints between two that keep the whole table of channels."""


class _Entry(Struct, eq=False, gc=False):
    """One checkpoint: what it changed, and the whole table if it is a 64th.

    Entries know their parents by id only: a chain of references as long as a thread's history would be freed
    recursively.
    """

    checkpoint: Checkpoint
    changed: tuple[ChannelData, ...]
    depth: int = 0
    results: tuple[TaskResult, ...] = ()
    appended: dict[str, TaskResult] | None = None
    whole: dict[str, bytes] | None = None

    def matches(self, wanted: Mapping[str, Any]) -> bool:
        c = self.checkpoint
        return all({**c.metadata, "source": c.source, "step": c.step}.get(k) == v for k, v in wanted.items())

    def keep(self, results: Sequence[TaskResult]) -> None:
        known = self.appended
        if known is None:
            known = self.appended = {result.path: result for result in self.results}
        for result in results:
            if result.path not in known or known[result.path].error is not None:
                known[result.path] = result


class _Chain:
    """The checkpoints of one namespace of a thread, by id, in the order they were committed."""

    __slots__ = ("entries", "head")

    def __init__(self) -> None:
        self.entries: dict[str, _Entry] = {}
        self.head: str | None = None

    def table(self, entry: _Entry) -> dict[str, bytes]:
        """Every channel that has content at a checkpoint."""
        line = [entry]
        while line[-1].whole is None and (parent := line[-1].checkpoint.parent_id) is not None:
            line.append(self.entries[parent])
        table: dict[str, bytes] = dict(line[-1].whole or {})
        if line[-1].whole is not None:
            line.pop()
        for step in reversed(line):
            for item in step.changed:
                if item.data is None:
                    table.pop(item.channel, None)
                else:
                    table[item.channel] = item.data
        return table

    def stored(self, entry: _Entry, head: str) -> Stored:
        results = entry.results if entry.appended is None else entry.appended.values()
        results = tuple(sorted(results, key=_path))
        return Stored(entry.checkpoint, self.table(entry), results, head)


class InMemorySaver:
    """A checkpointer for tests, notebooks and single processes: threads live as long as this object does."""

    immediate: bool = True

    def __init__(self) -> None:
        self._threads: dict[str, dict[str, _Chain]] = {}
        self._lock = Lock()

    @classmethod
    def from_conn_string(cls, conn_string: str) -> InMemorySaver:
        """A new, empty saver: `memory://` names no place."""
        return cls()

    async def commit(self, commit: Commit) -> None:
        checkpoint = commit.checkpoint
        with self._lock:
            chains = self._threads.get(commit.thread_id)
            if chains is None:
                chains = self._threads[commit.thread_id] = {}
            chain = chains.get(commit.namespace)
            if chain is None:
                chain = chains[commit.namespace] = _Chain()
            if chain.head != commit.head:
                raise ThreadConflict(commit.thread_id, expected=commit.head, current=chain.head)
            entry = _Entry(checkpoint, commit.channels)
            if checkpoint.parent_id is not None:
                parent = chain.entries[checkpoint.parent_id]
                entry.depth = parent.depth + 1
                if parent.results or parent.appended is not None:
                    parent.keep(commit.results)
                else:
                    parent.results = commit.results
            if not entry.depth % _WHOLE_EVERY:
                entry.whole = chain.table(entry)
            chain.entries[checkpoint.id] = entry
            chain.head = checkpoint.id

    async def append_results(
        self, thread_id: str, namespace: str, checkpoint_id: str, results: Sequence[TaskResult]
    ) -> None:
        with self._lock:
            chain = self._threads.get(thread_id, {}).get(namespace)
            if chain is None or chain.head != checkpoint_id:
                raise ThreadConflict(thread_id, expected=checkpoint_id, current=chain.head if chain else None)
            chain.entries[checkpoint_id].keep(results)

    async def load(self, thread_id: str, namespace: str = "", checkpoint_id: str | None = None) -> Stored | None:
        with self._lock:
            chain = self._threads.get(thread_id, {}).get(namespace)
            if chain is None or chain.head is None:
                return None
            entry = chain.entries.get(checkpoint_id or chain.head)
            return chain.stored(entry, chain.head) if entry is not None else None

    async def history(
        self,
        thread_id: str,
        namespace: str = "",
        *,
        filter: Mapping[str, Any] | None = None,
        before: str | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[Stored]:
        with self._lock:
            chain = self._threads.get(thread_id, {}).get(namespace)
            entries = list(chain.entries.values()) if chain is not None else []
            head = chain.head if chain is not None else None
        left = limit if limit is not None else len(entries)
        for entry in reversed(entries):
            if left <= 0 or chain is None or head is None:
                return
            if (before is None or entry.checkpoint.id < before) and (not filter or entry.matches(filter)):
                left -= 1
                with self._lock:
                    stored = chain.stored(entry, head)
                yield stored

    async def adelete_thread(self, thread_id: str) -> None:
        self.delete_thread(thread_id)

    def delete_thread(self, thread_id: str) -> None:
        """Forget everything about a thread; an unknown thread is no error."""
        with self._lock:
            self._threads.pop(thread_id, None)


def _path(result: TaskResult) -> str:
    return result.path
