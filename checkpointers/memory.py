"""Threads in this process's memory, through the same bytes as a database.

Commits are kept as they come, each with what its step changed. Every 64th also keeps the whole table of channels
(references, no copies of values), and so does one that does not follow the newest; so reading any checkpoint looks at
no more than 64 commits. Nothing here waits, so an operation is atomic among the tasks of a loop; a lock makes it so
among threads.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from threading import Lock
from typing import Any, Final

from graphrt.checkpoint import Checkpoint, Commit, Stored, TaskResult
from graphrt.errors import ThreadConflict

__all__ = ["InMemorySaver"]

_WHOLE_EVERY: Final = 64
"""Checkpoints between two that keep the whole table of channels."""


class _Chain:
    """The checkpoints of one namespace of a thread.

    Attributes:
        commits: by checkpoint id, in the order they came.
        results: what is known of the tasks of the step that starts from a checkpoint, by path.
        whole: complete tables of channels, for checkpoints that keep one.
        since: commits since the last one that kept its whole table.
    """

    __slots__ = ("commits", "head", "results", "since", "whole")

    def __init__(self) -> None:
        self.commits: dict[str, Commit] = {}
        self.results: dict[str, tuple[TaskResult, ...] | dict[str, TaskResult]] = {}
        self.whole: dict[str, dict[str, bytes]] = {}
        self.head: str | None = None
        self.since = 0

    def table(self, commit: Commit) -> dict[str, bytes]:
        """Every channel that has content at a checkpoint."""
        line = [commit]
        while (known := self.whole.get(line[-1].checkpoint.id)) is None:
            parent = line[-1].checkpoint.parent_id
            if parent is None:
                break
            line.append(self.commits[parent])
        else:
            line.pop()
        table: dict[str, bytes] = dict(known or {})
        for step in reversed(line):
            for item in step.channels:
                if item.data is None:
                    table.pop(item.channel, None)
                else:
                    table[item.channel] = item.data
        return table

    def keep(self, checkpoint: str, results: Sequence[TaskResult]) -> None:
        """Add results to those known; one that is there stays, unless it is an error."""
        known = self.results.get(checkpoint, ())
        if not isinstance(known, dict):
            known = self.results[checkpoint] = {result.path: result for result in known}
        for result in results:
            if result.path not in known or known[result.path].error is not None:
                known[result.path] = result

    def stored(self, commit: Commit, head: str) -> Stored:
        """What a reader gets of a checkpoint."""
        known = self.results.get(commit.checkpoint.id, ())
        results = sorted(known.values() if isinstance(known, dict) else known, key=_path)
        return Stored(commit.checkpoint, self.table(commit), tuple(results), head)


class InMemorySaver:
    """A checkpointer for tests, notebooks and single processes: threads live as long as this object does.

    Its methods are those of `graphrt.checkpoint.Checkpointer`, which says what each promises and raises.
    """

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
            parent = checkpoint.parent_id
            if parent is not None and chain.results.setdefault(parent, commit.results) is not commit.results:
                chain.keep(parent, commit.results)
            chain.commits[checkpoint.id] = commit
            chain.since += 1
            if chain.since == _WHOLE_EVERY or parent != chain.head:
                chain.whole[checkpoint.id] = chain.table(commit)
                chain.since = 0
            chain.head = checkpoint.id

    async def append_results(
        self, thread_id: str, namespace: str, checkpoint_id: str, results: Sequence[TaskResult]
    ) -> None:
        with self._lock:
            chain = self._threads.get(thread_id, {}).get(namespace)
            if chain is None or chain.head != checkpoint_id:
                raise ThreadConflict(thread_id, expected=checkpoint_id, current=chain.head if chain else None)
            chain.keep(checkpoint_id, results)

    async def load(
        self, thread_id: str, namespace: str = "", checkpoint_id: str | None = None
    ) -> Stored | None:
        with self._lock:
            chain = self._threads.get(thread_id, {}).get(namespace)
            if chain is None or chain.head is None:
                return None
            commit = chain.commits.get(checkpoint_id or chain.head)
            return chain.stored(commit, chain.head) if commit is not None else None

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
            commits = list(chain.commits.values()) if chain is not None else []
            head = chain.head if chain is not None else None
        left = limit if limit is not None else len(commits)
        for commit in reversed(commits):
            if left <= 0 or chain is None or head is None:
                return
            checkpoint = commit.checkpoint
            if (before is None or checkpoint.id < before) and (not filter or _matches(checkpoint, filter)):
                left -= 1
                with self._lock:
                    stored = chain.stored(commit, head)
                yield stored

    async def adelete_thread(self, thread_id: str) -> None:
        self.delete_thread(thread_id)

    def delete_thread(self, thread_id: str) -> None:
        """Forget everything about a thread; an unknown thread is no error."""
        with self._lock:
            self._threads.pop(thread_id, None)


def _path(result: TaskResult) -> str:
    return result.path


def _matches(checkpoint: Checkpoint, wanted: Mapping[str, Any]) -> bool:
    found = {**checkpoint.metadata, "source": checkpoint.source, "step": checkpoint.step}
    return all(key in found and found[key] == value for key, value in wanted.items())
