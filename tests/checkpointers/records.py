"""Records to store, and a writer that knows where it left its thread."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from threading import Lock
from typing import Any

from graphrt.checkpoint import ChannelData, Checkpoint, Checkpointer, Commit, Stored, TaskResult
from graphrt.core.ids import CheckpointIds

Channels = Mapping[str, bytes | None]

_ids = CheckpointIds(0xFEED)
_clock = count(1_700_000_000_000_000_000, 1_000_000)
_one_at_a_time = Lock()


def new_id() -> str:
    """A checkpoint id that sorts after all others, in whichever thread it is asked for."""
    with _one_at_a_time:
        return _ids.next(next(_clock))


def checkpoint(parent: str | None = None, **fields: Any) -> Checkpoint:
    """A checkpoint in which everything is ordinary except `fields`."""
    usual: dict[str, Any] = {
        "id": new_id(),
        "version": 1,
        "step": 0,
        "source": "loop",
        "next": (),
        "ran": (),
        "metadata": {},
    }
    return Checkpoint(parent_id=parent, **{**usual, **fields})


def result(path: str, *, error: str | None = None, **writes: bytes | None) -> TaskResult:
    """What came of the task at `path`, or its error."""
    return TaskResult(path, path.rpartition(" ")[2], tuple(map(ChannelData, writes, writes.values())), error)


@dataclass
class Writer:
    """Commits to one namespace of a thread, and knows its head."""

    saver: Checkpointer
    thread: str = "thread"
    namespace: str = ""
    head: str | None = None
    made: list[str] = field(default_factory=list)

    def next(
        self, channels: Channels | None = None, *results: TaskResult, parent: str | None = None, **fields: Any
    ) -> Commit:
        """The commit that would follow, on top of the head or of `parent`."""
        record = checkpoint(parent or self.head, **fields)
        data = tuple(map(ChannelData, channels or {}, (channels or {}).values()))
        return Commit(self.thread, self.namespace, record, self.head, data, results)

    async def commit(
        self, channels: Channels | None = None, *results: TaskResult, parent: str | None = None, **fields: Any
    ) -> str:
        """Make it; the new head."""
        commit = self.next(channels, *results, parent=parent, **fields)
        await self.saver.commit(commit)
        self.head = commit.checkpoint.id
        self.made.append(self.head)
        return self.head

    async def append(self, *results: TaskResult, to: str | None = None) -> None:
        """Keep results of the step that starts from the head."""
        await self.saver.append_results(self.thread, self.namespace, to or self.head or "none", results)

    async def load(self, identity: str | None = None) -> Stored:
        """A checkpoint that must be there."""
        stored = await self.saver.load(self.thread, self.namespace, identity)
        assert stored is not None
        return stored

    async def history(self, **options: Any) -> list[str]:
        """The ids of the thread's history."""
        return [s.checkpoint.id async for s in self.saver.history(self.thread, self.namespace, **options)]
