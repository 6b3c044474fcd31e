"""Whatever is done to a thread, a checkpointer answers as a few dicts would."""

from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graphrt.checkpoint import Checkpoint, Commit, Stored, TaskResult
from graphrt.errors import ThreadConflict
from tests.checkpointers.records import Writer, new_id, result


@dataclass
class Entry:
    checkpoint: Checkpoint
    channels: dict[str, bytes]
    results: dict[str, TaskResult] = field(default_factory=dict)

    def keep(self, results: tuple[TaskResult, ...]) -> None:
        for one in results:
            known = self.results.get(one.path)
            if known is None or known.error is not None:
                self.results[one.path] = one


@dataclass
class Model:
    """One thread, kept the simplest way: every checkpoint has a copy of everything."""

    entries: dict[str, Entry] = field(default_factory=dict)
    head: str | None = None

    def commit(self, commit: Commit) -> bool:
        if commit.head != self.head:
            return False
        checkpoint = commit.checkpoint
        channels: dict[str, bytes] = {}
        if checkpoint.parent_id is not None:
            parent = self.entries[checkpoint.parent_id]
            parent.keep(commit.results)
            channels = dict(parent.channels)
        for item in commit.channels:
            channels.pop(item.channel, None)
            if item.data is not None:
                channels[item.channel] = item.data
        self.entries[checkpoint.id] = Entry(checkpoint, channels)
        self.head = checkpoint.id
        return True

    def append(self, identity: str, results: tuple[TaskResult, ...]) -> bool:
        if identity != self.head:
            return False
        self.entries[identity].keep(results)
        return True

    def stored(self, identity: str) -> Stored:
        entry = self.entries[identity]
        results = tuple(one for _, one in sorted(entry.results.items()))
        assert self.head is not None
        return Stored(entry.checkpoint, entry.channels, results, self.head)


# ---- what can be done to a thread

names = st.sampled_from("abc")
data = st.none() | st.binary(max_size=3)
outcomes = st.builds(
    lambda path, value, bad: result(path, error="no" if bad else None, a=value), names, data, st.booleans()
)
results = st.lists(outcomes, max_size=3, unique_by=lambda one: one.path).map(tuple)
places = st.integers(0, 1000)


@dataclass(frozen=True)
class Commits:
    """`times` commits in a row; the first one branches off from an older checkpoint if `branch` says which."""

    changes: dict[str, bytes | None]
    results: tuple[TaskResult, ...]
    times: int = 1
    branch: int | None = None
    stale: bool = False


@dataclass(frozen=True)
class Appends:
    """Results for the head, or for an older checkpoint, which does not take them."""

    results: tuple[TaskResult, ...]
    older: int | None = None


@dataclass(frozen=True)
class Deletes:
    """The end of the thread."""


Action: TypeAlias = Commits | Appends | Deletes
commits = st.builds(
    Commits,
    st.dictionaries(names, data, max_size=3),
    results,
    st.just(1) | st.just(1) | st.integers(2, 80),
    st.none() | places,
    st.just(False) | st.just(False) | st.booleans(),
)
actions = st.lists(
    commits | commits | st.builds(Appends, results, st.none() | places) | st.just(Deletes()), max_size=10
)


@dataclass
class Pair:
    """A thread and its model, to which the same things are done."""

    writer: Writer
    model: Model

    def place(self, number: int) -> str | None:
        entries = list(self.model.entries)
        return entries[number % len(entries)] if entries else None

    async def do(self, action: Action) -> None:
        match action:
            case Commits():
                for n in range(action.times):
                    await self.commit(action, first=n == 0, number=n)
            case Appends():
                identity = (
                    self.place(action.older) if action.older is not None else self.model.head
                ) or new_id()
                await self.agree(
                    self.writer.append(*action.results, to=identity),
                    self.model.append(identity, action.results),
                )
            case Deletes():
                await self.writer.saver.adelete_thread(self.writer.thread)
                self.model = Model()

    async def commit(self, action: Commits, *, first: bool, number: int) -> None:
        self.writer.head = new_id() if action.stale else self.model.head
        parent = self.place(action.branch) if first and action.branch is not None else self.model.head
        changes = {**action.changes, "abc"[number % 3]: b"%d" % number} if number else action.changes
        commit = self.writer.next(changes, *action.results, parent=parent, version=number)
        await self.agree(self.writer.saver.commit(commit), self.model.commit(commit))

    async def agree(self, call: Any, accepted: bool) -> None:
        if accepted:
            await call
            return
        with pytest.raises(ThreadConflict) as caught:
            await call
        assert caught.value.current == self.model.head

    async def compare(self) -> None:
        saver, thread = self.writer.saver, self.writer.thread
        newest = [self.model.stored(identity) for identity in reversed(self.model.entries)]
        assert await saver.load(thread) == (newest[0] if newest else None)
        assert [stored async for stored in saver.history(thread)] == newest
        assert [await saver.load(thread, "", stored.checkpoint.id) for stored in newest] == newest


threads = count()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(actions)
async def test_thread_is_what_was_done_to_it(saver: Any, actions: list[Action]) -> None:
    # One saver serves all examples, so threads must not touch each other either.
    pair = Pair(Writer(saver, f"thread-{next(threads)}"), Model())
    for action in actions:
        await pair.do(action)
    await pair.compare()


async def test_deep_thread_reads_back_at_every_depth(saver: Any) -> None:
    pair = Pair(Writer(saver), Model())
    await pair.do(Commits({"a": b"first", "b": b"first"}, (), times=200))
    await pair.do(Commits({"b": None}, (), branch=70, times=100))
    await pair.do(Commits({"c": b"branch"}, (), branch=64, times=3))
    await pair.compare()
