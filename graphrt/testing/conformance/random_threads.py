"""Whatever is done to a thread, a checkpointer answers as a few dicts would.

A quarter of the usual number of Hypothesis's examples is tried; `Pair` plays one history on a saver and on the model.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graphrt.checkpoint import Checkpointer, TaskResult
from graphrt.errors import ThreadConflict
from graphrt.testing.conformance.case import CheckpointerCase
from graphrt.testing.conformance.model import Model
from graphrt.testing.conformance.records import Held, Writer, new_id, result

__all__ = ["Action", "Commits", "Deletes", "Keeps", "Pair", "RandomThreads", "actions", "few"]

CHANNELS: Final = "abc"

few: Final = settings(
    max_examples=max(10, settings().max_examples // 4),
    deadline=None,
    # One saver serves all examples, so threads must not touch each other either.
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.differing_executors,
    ],
)


@dataclass(frozen=True)
class Commits:
    """`times` commits in a row; the first one branches off from an older checkpoint if `branch` says which.

    Those after the first mostly append. Of `appends`, what would go behind an empty channel is left out.
    """

    changes: dict[str, bytes | None]
    appends: tuple[tuple[str, bytes], ...] = ()
    results: tuple[TaskResult, ...] = ()
    times: int = 1
    branch: int | None = None
    stale: bool = False

    def changed(self, number: int, held: Held) -> tuple[dict[str, bytes | None], list[tuple[str, bytes]]]:
        """What the commit of this number changes in channels that hold this, and what it appends."""
        changes, appends = dict(self.changes) if number == 0 else {}, list(self.appends)
        if number:
            channel = CHANNELS[number % 3]
            if channel in held and number % 20:
                appends.append((channel, b"%d" % number))
            else:
                changes[channel] = b"%d" % number
        after = {name for name in {*held, *changes} if changes.get(name, b"") is not None}
        return changes, [(name, part) for name, part in appends if name in after]


@dataclass(frozen=True)
class Keeps:
    """Results for the head, or for an older checkpoint, which does not take them."""

    results: tuple[TaskResult, ...]
    older: int | None = None


@dataclass(frozen=True)
class Deletes:
    """The end of the thread."""


Action: TypeAlias = Commits | Keeps | Deletes


def _outcome(path: str, data: bytes | None, failed: bool) -> TaskResult:
    return result(path, error="no" if failed else None, a=data)


_names = st.sampled_from(CHANNELS)
_data = st.none() | st.binary(max_size=3)
_outcomes = st.builds(_outcome, _names, _data, st.booleans())
_results = st.lists(_outcomes, max_size=3, unique_by=lambda one: one.path).map(tuple)
_parts = st.lists(st.tuples(_names, st.binary(max_size=3)), max_size=3).map(tuple)
_places = st.integers(0, 1000)
_rarely = st.just(False) | st.just(False) | st.booleans()
_times = st.just(1) | st.just(1) | st.integers(2, 70)
_commits = st.builds(
    Commits,
    st.dictionaries(_names, _data, max_size=3),
    _parts,
    _results,
    _times,
    st.none() | _places,
    _rarely,
)

actions: Final = st.lists(
    _commits | _commits | _commits | st.builds(Keeps, _results, st.none() | _places) | st.just(Deletes()),
    max_size=8,
)


@dataclass
class Pair:
    """A thread and its model, to which the same things are done."""

    writer: Writer
    model: Model

    def place(self, number: int) -> str | None:
        """One of the thread's checkpoints; None if it has none."""
        entries = list(self.model.entries)
        return entries[number % len(entries)] if entries else None

    async def play(self, actions: Iterable[Action]) -> None:
        """Do one after the other to both."""
        for action in actions:
            await self.do(action)

    async def do(self, action: Action) -> None:
        """Do it to both."""
        match action:
            case Commits():
                for number in range(action.times):
                    await self.commit(action, number)
            case Keeps():
                older = self.place(action.older) if action.older is not None else None
                identity = older or self.model.head or new_id()
                await self.agree(
                    self.writer.append(*action.results, to=identity),
                    self.model.append(identity, action.results),
                )
            case Deletes():
                await self.writer.saver.adelete_thread(self.writer.thread)
                self.model = Model()

    async def commit(self, action: Commits, number: int) -> None:
        """Make one of the action's commits."""
        branch = self.place(action.branch) if number == 0 and action.branch is not None else None
        parent = branch or self.model.head
        self.writer.head = new_id() if action.stale else self.model.head
        changes, appends = action.changed(number, self.model.held(parent))
        commit = self.writer.next(changes, *action.results, appends=appends, parent=parent)
        self.writer.versions[commit.checkpoint.id] = commit.checkpoint.version
        await self.agree(self.writer.saver.commit(commit), self.model.commit(commit))

    async def agree(self, call: Any, accepted: bool) -> None:
        """The saver takes or refuses what the model took or refused."""
        if accepted:
            await call
            return
        with pytest.raises(ThreadConflict) as caught:
            await call
        assert caught.value.current == self.model.head

    async def compare(self) -> None:
        """Everything that can be read is as the model has it."""
        saver, thread, namespace = self.writer.saver, self.writer.thread, self.writer.namespace
        expected = self.model.history()
        assert await saver.load(thread, namespace) == (expected[0] if expected else None)
        assert await self.writer.stored() == expected
        for stored in expected[:: max(1, len(expected) // 20)]:
            assert await saver.load(thread, namespace, stored.checkpoint.id) == stored


class RandomThreads(CheckpointerCase):
    """Random histories: commits, appends, branches, results, refused writers, deletions."""

    @few
    @given(actions)
    async def test_thread_is_what_was_done_to_it(self, saver: Checkpointer, actions: list[Action]) -> None:
        pair = Pair(Writer(saver), Model())
        await pair.play(actions)
        await pair.compare()

    async def test_deep_thread_reads_back_at_every_depth(self, writer: Writer) -> None:
        pair = Pair(writer, Model())
        await pair.do(Commits({"a": b"first", "b": b"first"}, times=200))
        await pair.do(Commits({"b": None}, branch=70, times=100))
        await pair.do(Commits({"c": b"branch"}, branch=64, times=3))
        await pair.compare()

    async def test_thread_of_many_branches_reads_back_on_each(self, writer: Writer) -> None:
        pair = Pair(writer, Model())
        await pair.do(Commits({"a": b"first"}, times=50))
        for n in range(30):
            await pair.do(Commits({}, (("a", b"branch"),), times=n % 7 + 1, branch=n * 13 + 5))
        await pair.compare()
