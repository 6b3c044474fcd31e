"""Threads in this process's memory, through the same bytes as a database.

A commit adds to each channel that it changed one entry under the commit's number; nothing is ever copied, and reading
any checkpoint looks up the newest entry it can see (`checkpointers.segments` says what that is after a fork). Nothing
here waits, so an operation is atomic among the tasks of a loop; a lock makes it so among threads.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from threading import Lock
from typing import Any, TypeAlias

from msgspec.structs import replace

from checkpointers.segments import Content, Line, Ranges, line_of
from graphrt.checkpoint import Checkpoint, Commit, Stored, TaskResult
from graphrt.errors import ThreadConflict

__all__ = ["InMemorySaver"]

Entry: TypeAlias = bytes | None | tuple[bytes, ...]
"""What a commit made of a channel: a whole value, nothing, or what it held before with parts behind it."""


class _Chain:
    """One namespace of a thread. Its commits are numbered from 1.

    Attributes:
        head: id of the newest checkpoint, `last` its number.
        number: of each checkpoint, by id.
        checkpoints: by number.
        brought: the results that came with a commit, by its number.
        kept: results appended to a checkpoint before its step was committed, by its number and their path.
        channels: per name, the numbers of the commits that changed it, ascending, and what they made of it.
        forks: where a commit did not follow the newest: the line that begins there, and its parent's number.
    """

    __slots__ = ("brought", "channels", "checkpoints", "forks", "head", "kept", "last", "number")

    def __init__(self) -> None:
        self.head: str | None = None
        self.last = 0
        self.number: dict[str, int] = {}
        self.checkpoints: dict[int, Checkpoint] = {}
        self.brought: dict[int, tuple[TaskResult, ...]] = {}
        self.kept: dict[int, dict[str, TaskResult]] = {}
        self.channels: dict[str, tuple[list[int], list[Entry]]] = {}
        self.forks: list[tuple[Line, int]] = [(Line(1, 1), 0)]

    def add(self, commit: Commit) -> None:
        """Take a commit whose turn it is."""
        checkpoint = commit.checkpoint
        seq = self.last + 1
        if checkpoint.parent_id != self.head:
            self._fork(seq, self.number.get(checkpoint.parent_id or "", 0))
        for item in commit.channels:
            self.put(item.channel, seq, item.data)
        for item in commit.appends:
            self._append(item.channel, seq, (item.data or b"",))
        if commit.results:
            self.brought[seq] = commit.results
        self.number[checkpoint.id] = seq
        self.checkpoints[seq] = checkpoint
        self.head = checkpoint.id
        self.last = seq

    def put(self, channel: str, seq: int, entry: Entry) -> None:
        """Add an entry to a channel."""
        log = self.channels.get(channel)
        if log is None:
            self.channels[channel] = ([seq], [entry])
        else:
            log[0].append(seq)
            log[1].append(entry)

    def _append(self, channel: str, seq: int, parts: tuple[bytes, ...]) -> None:
        numbers, entries = self.channels[channel]
        if numbers[-1] == seq:  # several parts at once, or behind what a deep fork has copied
            before = entries.pop()
            numbers.pop()
            if not isinstance(before, tuple):
                self.put(channel, seq, before)
            else:
                parts = (*before, *parts)
        self.put(channel, seq, parts)

    def _fork(self, seq: int, parent: int) -> None:
        line = line_of(seq, self.line(parent) if parent else None)
        if line.deep:
            for name, held in self.table(line.earlier).items():
                self.put(name, seq, held.data)
                if held.parts:
                    self.put(name, seq, held.parts)
            line = Line(seq, seq)
        self.forks.append((line, parent))

    def line(self, seq: int) -> Line:
        """Where a checkpoint stands."""
        fork, _ = self.forks[bisect_right(self.forks, seq, key=_start) - 1]
        return Line(seq, fork.start, fork.earlier)

    def children(self, seq: int) -> Iterator[int]:
        """Numbers of the commits made from a checkpoint, ascending."""
        if seq + 1 in self.checkpoints and self.checkpoints[seq + 1].parent_id == self.checkpoints[seq].id:
            yield seq + 1
        yield from (line.start for line, parent in self.forks if parent == seq and line.start != seq + 1)

    def table(self, ranges: Ranges) -> dict[str, Content]:
        """Every channel that has content for a checkpoint with these ancestors."""
        found = {name: _content(numbers, entries, ranges) for name, (numbers, entries) in self.channels.items()}
        return {name: held for name, held in found.items() if held is not None}

    def results(self, seq: int) -> tuple[TaskResult, ...]:
        """What is known of the step that starts from a checkpoint, in task order."""
        known = dict(self.kept.get(seq, ()))
        for child in self.children(seq):
            for result in self.brought.get(child, ()):
                if result.path not in known or known[result.path].error is not None:
                    known[result.path] = replace(result, child=self.checkpoints[child].id)
        return tuple([known[path] for path in sorted(known)])

    def stored(self, seq: int, head: str) -> Stored:
        """What a reader gets of a checkpoint."""
        table = self.table(self.line(seq).ranges)
        return Stored(
            self.checkpoints[seq],
            {name: held.data for name, held in table.items()},
            self.results(seq),
            head,
            {name: held.parts for name, held in table.items() if held.parts},
        )


def _start(fork: tuple[Line, int]) -> int:
    return fork[0].start


def _content(numbers: list[int], entries: list[Entry], ranges: Ranges) -> Content | None:
    behind: list[tuple[bytes, ...]] = []
    for low, high in ranges:
        at = bisect_right(numbers, high)
        while at and numbers[at - 1] >= low:
            at -= 1
            entry = entries[at]
            if isinstance(entry, tuple):
                behind.append(entry)
            elif entry is None:
                return None
            else:
                return Content(entry, tuple([part for parts in reversed(behind) for part in parts]))
    return None


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
        with self._lock:
            chains = self._threads.get(commit.thread_id)
            if chains is None:
                chains = self._threads[commit.thread_id] = {}
            chain = chains.get(commit.namespace)
            if chain is None:
                chain = chains[commit.namespace] = _Chain()
            if chain.head != commit.head:
                raise ThreadConflict(commit.thread_id, expected=commit.head, current=chain.head)
            chain.add(commit)

    async def append_results(
        self, thread_id: str, namespace: str, checkpoint_id: str, results: Sequence[TaskResult]
    ) -> None:
        with self._lock:
            chain = self._threads.get(thread_id, {}).get(namespace)
            if chain is None or chain.head != checkpoint_id:
                raise ThreadConflict(thread_id, expected=checkpoint_id, current=chain.head if chain else None)
            known = chain.kept.setdefault(chain.last, {})
            for result in results:
                if result.path not in known or known[result.path].error is not None:
                    known[result.path] = result

    async def load(
        self, thread_id: str, namespace: str = "", checkpoint_id: str | None = None
    ) -> Stored | None:
        with self._lock:
            chain = self._threads.get(thread_id, {}).get(namespace)
            if chain is None or chain.head is None:
                return None
            seq = chain.number.get(checkpoint_id or chain.head)
            return chain.stored(seq, chain.head) if seq is not None else None

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
            numbers = list(chain.checkpoints) if chain is not None else []
            head = chain.head if chain is not None else None
        left = limit if limit is not None else len(numbers)
        for seq in reversed(numbers):
            if left <= 0 or chain is None or head is None:
                return
            with self._lock:
                checkpoint = chain.checkpoints.get(seq)
                if checkpoint is None:  # forgotten meanwhile
                    continue
                if (before is not None and checkpoint.id >= before) or not _matches(checkpoint, filter or {}):
                    continue
                stored = chain.stored(seq, head)
            left -= 1
            yield stored

    async def adelete_thread(self, thread_id: str) -> None:
        self.delete_thread(thread_id)

    def delete_thread(self, thread_id: str) -> None:
        """Forget everything about a thread; an unknown thread is no error."""
        with self._lock:
            self._threads.pop(thread_id, None)


def _matches(checkpoint: Checkpoint, wanted: Mapping[str, Any]) -> bool:
    if not wanted:
        return True
    found = {**checkpoint.metadata, "source": checkpoint.source, "step": checkpoint.step}
    return all(key in found and found[key] == value for key, value in wanted.items())
