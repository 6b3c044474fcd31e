"""Records to store, and a writer that knows where it left its thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from os import urandom
from threading import Lock
from typing import Any, Final, TypeAlias

from msgspec.structs import replace

from graphrt.checkpoint import ChannelData, Checkpoint, Checkpointer, Commit, Stored, TaskResult
from graphrt.core.ids import CheckpointIds

__all__ = ["Channels", "Held", "Parts", "Writer", "came_with", "checkpoint", "held", "id_at", "new_id",
           "new_thread", "result"]  # fmt: skip

Channels: TypeAlias = Mapping[str, bytes | None]
"""What a commit stores whole."""

Parts: TypeAlias = dict[str, bytes] | Sequence[tuple[str, bytes]]
"""What a commit appends; pairs where one channel gets several parts."""

Held: TypeAlias = dict[str, tuple[bytes, ...]]
"""Each channel's value, and the parts behind it."""

_BEGIN_NS: Final = 1_700_000_000_000_000_000
_STEP_NS: Final = 1_000_000

_ids = CheckpointIds(0xFEED)
_clock = count(_BEGIN_NS, _STEP_NS)
_one_at_a_time = Lock()
_process = urandom(4).hex()
_threads = count(1)


def new_id() -> str:
    """A checkpoint id that sorts after all that it gave out before, in whichever thread it is asked for."""
    with _one_at_a_time:
        return _ids.next(next(_clock))


def id_at(now_ns: int) -> str:
    """A checkpoint id that was made at a time of the test's choosing."""
    return CheckpointIds(int.from_bytes(urandom(6))).next(now_ns)


def new_thread() -> str:
    """A thread that nobody has: a saver may be full of what other tests, and other processes, left in it."""
    return f"thread {_process}-{next(_threads)}"


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


def came_with(child: str, one: TaskResult) -> TaskResult:
    """A result as it is read back when the commit of `child` brought it."""
    return replace(one, child=child)


def held(stored: Stored) -> Held:
    """What every channel holds at a checkpoint."""
    return {name: (data, *stored.appends.get(name, ())) for name, data in stored.channels.items()}


@dataclass
class Writer:
    """Commits to one namespace of a thread, and knows its head.

    Attributes:
        made: ids of the checkpoints it made, oldest first.
        versions: how many commits led to each.
    """

    saver: Checkpointer
    thread: str = field(default_factory=new_thread)
    namespace: str = ""
    head: str | None = None
    made: list[str] = field(default_factory=list[str])
    versions: dict[str, int] = field(default_factory=dict[str, int])

    def next(
        self,
        channels: Channels | None = None,
        *results: TaskResult,
        appends: Parts = (),
        parent: str | None = None,
        **fields: Any,
    ) -> Commit:
        """The commit that would follow, on top of the head or of `parent`."""
        origin = parent or self.head
        version = self.versions.get(origin or "", 0) + 1
        record = checkpoint(origin, **{"version": version, **fields})
        pairs = appends.items() if isinstance(appends, dict) else appends
        return Commit(
            self.thread,
            self.namespace,
            record,
            self.head,
            tuple([ChannelData(name, data) for name, data in (channels or {}).items()]),
            results,
            tuple([ChannelData(name, part) for name, part in pairs]),
        )

    async def send(self, commit: Commit) -> str:
        """Make a commit; the new head."""
        await self.saver.commit(commit)
        self.head = commit.checkpoint.id
        self.versions[self.head] = commit.checkpoint.version
        self.made.append(self.head)
        return self.head

    async def commit(
        self,
        channels: Channels | None = None,
        *results: TaskResult,
        appends: Parts = (),
        parent: str | None = None,
        **fields: Any,
    ) -> str:
        """Make the commit that follows; the new head."""
        return await self.send(self.next(channels, *results, appends=appends, parent=parent, **fields))

    async def append(self, *results: TaskResult, to: str | None = None) -> None:
        """Keep results of the step that starts from the head."""
        await self.saver.append_results(self.thread, self.namespace, to or self.head or "none", results)

    async def load(self, identity: str | None = None) -> Stored:
        """A checkpoint that must be there."""
        stored = await self.saver.load(self.thread, self.namespace, identity)
        assert stored is not None
        return stored

    async def held(self, identity: str | None = None) -> Held:
        """What every channel holds at a checkpoint that must be there."""
        return held(await self.load(identity))

    async def stored(self, **options: Any) -> list[Stored]:
        """The thread's history, newest first."""
        return [stored async for stored in self.saver.history(self.thread, self.namespace, **options)]

    async def history(self, **options: Any) -> list[str]:
        """The ids of the thread's history."""
        return [stored.checkpoint.id for stored in await self.stored(**options)]
