"""Threads in a storage that somebody else can write to: made once, then changed anew for every case."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

from graphrt.checkpoint import Commit, TaskResult
from graphrt.checkpoint.memory import InMemorySaver
from tests.checkpointers.encrypted_world import Tampered, encrypted
from tests.hostile.storages import STORAGES

SECRET = "what only the other tenant knows"

Fill = Callable[[Any], Awaitable[None]]


class Recorder(Tampered):
    """Notes what was stored, so that it can be stored again elsewhere in a moment."""

    def __init__(self, saver: Any) -> None:
        super().__init__(saver)
        self.immediate = saver.immediate
        self.calls: list[tuple[str, tuple[Any, ...]]] = []

    async def commit(self, commit: Commit) -> None:
        await super().commit(commit)
        self.calls.append(("commit", (commit,)))

    async def append_results(self, *args: Any) -> None:
        await super().append_results(*args)
        self.calls.append(("append_results", args))

    async def replay(self, saver: Any) -> None:
        for name, args in self.calls:
            await getattr(saver, name)(*args)


class Bench:
    """One kind of storage, filled by running graphs on it.

    Attributes:
        truth: what was committed, as plain records: the threads that a reader must see, if they see any.
        given: the results of tasks, by the checkpoint that they belong to.
    """

    def __init__(self, kind: str, fill: Fill, directory: Path) -> None:
        name, _, encryption = kind.partition("+")
        self.encrypted = bool(encryption)
        self.truth = InMemorySaver()
        self.given: dict[str, list[TaskResult]] = {}
        self._storage = STORAGES[name](directory)
        self._fill = fill
        self._pool: list[bytes] = []

    async def prepare(self) -> None:
        """Run the graphs and keep what they store."""
        stored = Recorder(InMemorySaver())
        given = Recorder(encrypted(stored) if self.encrypted else stored)
        await self._fill(given)
        await given.replay(self.truth)
        for name, args in given.calls:
            commit = args[0] if name == "commit" else None
            checkpoint, results = (commit.checkpoint.parent_id, commit.results) if commit else args[2:4]
            self.given.setdefault(checkpoint or "", []).extend(results)
        for name, args in stored.calls:
            if name == "commit":
                self._pool += [item.data for item in (*args[0].channels, *args[0].appends) if item.data]
        await self._storage.prepare(stored.replay)

    @asynccontextmanager
    async def opened(self, random: Random) -> AsyncIterator[Any]:
        """The storage, changed, as a checkpointer."""
        async with self._storage.changed(random, self._pool) as saver:
            yield encrypted(saver) if self.encrypted else saver

    async def close(self) -> None:
        await self._storage.close()
