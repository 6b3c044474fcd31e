"""A thread kept the simplest way: every checkpoint has a copy of everything it holds."""

from __future__ import annotations

from dataclasses import dataclass, field

from msgspec.structs import replace

from graphrt.checkpoint import Checkpoint, Commit, Stored, TaskResult
from graphrt.testing.conformance.records import Held, came_with

__all__ = ["Entry", "Model"]


@dataclass
class Entry:
    """One checkpoint, what it holds, and the results of the step that starts from it."""

    checkpoint: Checkpoint
    held: Held
    results: dict[str, TaskResult] = field(default_factory=dict[str, TaskResult])

    def keep(self, results: tuple[TaskResult, ...]) -> None:
        """Add results: one that is there stays, unless it is an error."""
        for one in results:
            known = self.results.get(one.path)
            if known is None or known.error is not None:
                self.results[one.path] = one


@dataclass
class Model:
    """One namespace of a thread; entries in the order in which they were made."""

    entries: dict[str, Entry] = field(default_factory=dict[str, Entry])
    head: str | None = None

    def held(self, identity: str | None) -> Held:
        """What a checkpoint holds; nothing before the first one."""
        return dict(self.entries[identity].held) if identity is not None else {}

    def commit(self, commit: Commit) -> bool:
        """Take a commit; False if it is refused."""
        if commit.head != self.head:
            return False
        checkpoint = commit.checkpoint
        held = self.held(checkpoint.parent_id)
        for item in commit.channels:
            held.pop(item.channel, None)
            if item.data is not None:
                held[item.channel] = (item.data,)
        for item in commit.appends:
            held[item.channel] += (item.data or b"",)
        if checkpoint.parent_id is not None:
            brought = tuple([came_with(checkpoint.id, one) for one in commit.results])
            self.entries[checkpoint.parent_id].keep(brought)
        self.entries[checkpoint.id] = Entry(checkpoint, held)
        self.head = checkpoint.id
        return True

    def append(self, identity: str, results: tuple[TaskResult, ...]) -> bool:
        """Keep results of the step that starts from the head; False if they are refused."""
        if identity != self.head:
            return False
        self.entries[identity].keep(results)
        return True

    def forget_older(self, count: int) -> None:
        """Forget all checkpoints but the newest ones."""
        self.entries = dict(list(self.entries.items())[-count:] if count else [])
        for entry in self.entries.values():
            if entry.checkpoint.parent_id not in self.entries:
                entry.checkpoint = replace(entry.checkpoint, parent_id=None)

    def stored(self, identity: str) -> Stored:
        """What a reader must get of a checkpoint."""
        entry = self.entries[identity]
        assert self.head is not None
        return Stored(
            entry.checkpoint,
            {name: parts[0] for name, parts in entry.held.items()},
            tuple([one for _, one in sorted(entry.results.items())]),
            self.head,
            {name: parts[1:] for name, parts in entry.held.items() if len(parts) > 1},
        )

    def history(self) -> list[Stored]:
        """Every checkpoint, newest first."""
        return [self.stored(identity) for identity in reversed(self.entries)]
