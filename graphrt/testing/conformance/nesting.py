"""Optional: what is forgotten of graphs in graphs, and what must not be (`graphrt.checkpoint.nesting`).

Of §3.4 this covers nothing: LangGraph's suite prunes each namespace by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from graphrt.checkpoint import CHILDREN, PARENTS, Checkpointer, ForgetsRuns, Prunes
from graphrt.checkpoint.nesting import is_call, parts_of
from graphrt.serde import Serializer
from graphrt.testing.conformance.case import CheckpointerCase, capable
from graphrt.testing.conformance.pruning import remaining
from graphrt.testing.conformance.random_threads import few
from graphrt.testing.conformance.records import Channels, Held, Writer, held, new_id, new_thread, result

__all__ = ["Nesting"]

CALL: Final = "call:4f1c2b6e-5d0a-4c3e-8f3b-2a9d7c1e0b5f"
"""A namespace of a call; the parts after the colon say which."""

_dumps: Final = Serializer().dumps

Notes: TypeAlias = Mapping[str, str]
"""Checkpoint ids by namespace."""


def noting(children: Notes | None = None, parents: Notes | None = None) -> dict[str, bytes]:
    """What a commit stores of what it has to do with other namespaces."""
    notes = {CHILDREN: children, PARENTS: parents}
    return {name: _dumps(dict(note)) for name, note in notes.items() if note is not None}


def inside(outer: Writer, namespace: str) -> Writer:
    """A writer for a graph inside."""
    return Writer(outer.saver, outer.thread, namespace)


async def steps(writer: Writer, count: int, **options: Any) -> list[str]:
    """So many commits, with a value that is replaced and one that grows."""
    made: list[str] = []
    begun = bool(writer.made) and "log" in await writer.held()
    for _ in range(count):
        name = b"%d" % len(writer.made)
        whole = {"n": name} if begun else {"n": name, "log": name}
        made.append(await writer.commit(whole, appends={"log": name} if begun else {}, **options))
        begun = True
    return made


async def is_there(writer: Writer, identity: str) -> bool:
    """Whether a checkpoint can be loaded."""
    return await writer.saver.load(writer.thread, writer.namespace, identity) is not None


async def anew(writer: Writer, channels: Channels) -> str:
    """A commit that has nothing to do with what is there already."""
    commit = writer.next(channels)
    return await writer.send(replace(commit, checkpoint=replace(commit.checkpoint, parent_id=None)))


async def called(outer: Writer, namespace: str = CALL, *between: Writer, count: int = 2) -> Writer:
    """A run of a graph inside, which begins where those around it stand."""
    inner = inside(outer, namespace)
    parents = {each.namespace: each.head or "" for each in (outer, *between)}
    await inner.commit({"n": b"0", "log": b"0", **noting(parents=parents)})
    await steps(inner, count - 1)
    return inner


class Nesting(CheckpointerCase):
    """Whatever is forgotten, what stays of a graph finds the graphs inside it; what nobody can find goes."""

    @pytest.fixture
    def gardener(self, saver: Checkpointer) -> Prunes:
        """The saver, if it prunes."""
        gardener: Prunes = capable(saver, Prunes, "prune")
        return gardener

    # ---- graphs that keep their state

    async def test_child_of_a_checkpoint_that_stays_stays_as_it_is(
        self, gardener: Prunes, writer: Writer
    ) -> None:
        child = inside(writer, "child")
        old = (await steps(child, 40))[24]
        before = await child.load(old)
        await steps(writer, 3)
        await writer.commit(noting({"child": old}))
        await gardener.aprune([writer.thread])
        assert await writer.history() == [writer.head]
        assert await child.history() == [child.head, old]
        assert await child.load(old) == remaining([before])[0]

    async def test_child_stays_for_whatever_was_made_from_the_checkpoint_that_names_it(
        self, gardener: Prunes, writer: Writer
    ) -> None:
        child = inside(writer, "child")
        old, _, newest = await steps(child, 3)
        await writer.commit(noting({"child": old}))
        await steps(writer, 5)
        await gardener.aprune([writer.thread], keep_last=2)
        await gardener.aprune([writer.thread], keep_last=1)
        assert await child.history() == [newest, old]

    async def test_child_of_a_fork_stays_and_that_of_the_branch_it_left_goes(
        self, gardener: Prunes, writer: Writer
    ) -> None:
        child = inside(writer, "child")
        first, second, third, newest = await steps(child, 4)
        origin = await writer.commit(noting({"child": first}))
        await writer.commit(noting({"child": second}))
        await writer.commit({"n": b"fork"}, parent=origin, source="fork")
        await gardener.aprune([writer.thread])
        assert await child.history() == [newest, first]
        assert not await is_there(child, second)
        assert not await is_there(child, third)

    async def test_child_goes_with_the_last_checkpoint_that_names_it(
        self, gardener: Prunes, writer: Writer
    ) -> None:
        child = inside(writer, "child")
        first, second, newest = await steps(child, 3)
        await writer.commit(noting({"child": first}))
        await writer.commit(noting({"child": second}))
        await gardener.aprune([writer.thread], keep_last=2)
        assert await child.history() == [newest, second, first]
        await writer.commit(noting({"child": newest}))
        await gardener.aprune([writer.thread], keep_last=1)
        assert await child.history() == [newest]

    async def test_child_of_a_child_stays(self, gardener: Prunes, writer: Writer) -> None:
        child, grandchild = inside(writer, "child"), inside(writer, "child|grandchild")
        deep, _, deepest = await steps(grandchild, 3)
        old = await child.commit(noting({"child|grandchild": deep}))
        newest = await child.commit(noting({"child|grandchild": deepest}))
        await child.commit({"n": b"1"})
        await writer.commit(noting({"child": old}))
        await gardener.aprune([writer.thread])
        assert await child.history() == [child.head, old]
        assert not await is_there(child, newest)
        assert await grandchild.history() == [deepest, deep]

    async def test_child_that_a_call_has_named_stays(self, gardener: Prunes, writer: Writer) -> None:
        await steps(writer, 2)
        call = await called(writer)
        child = inside(writer, "call|child")
        old, _ = await steps(child, 2)
        await call.commit(noting({"call|child": old}))
        await gardener.aprune([writer.thread])
        assert await is_there(child, old)

    async def test_child_goes_by_number_and_age_as_others_do(self, gardener: Prunes, writer: Writer) -> None:
        child = inside(writer, "child")
        first, *others = await steps(child, 6)
        await writer.commit(noting({"child": first}))
        await gardener.aprune([writer.thread], keep_last=2)
        assert await child.history() == [*others[:-3:-1], first]

    async def test_thread_goes_on_from_a_child_that_stayed(self, gardener: Prunes, writer: Writer) -> None:
        child = inside(writer, "child")
        old = (await steps(child, 60))[40]
        await writer.commit(noting({"child": old}))
        await gardener.aprune([writer.thread])
        await child.commit({"n": b"fork"}, appends={"log": b"fork"}, parent=old)
        await steps(child, 40)
        await gardener.aprune([writer.thread], keep_last=100)
        log = tuple(b"%d" % n for n in (*range(41), *range(61, 101)))
        assert (await child.held())["log"] == (*log[:41], b"fork", *log[41:])
        assert (await child.held(old))["log"] == log[:41]

    async def test_child_that_is_not_there_is_no_reason_to_keep_anything(
        self, gardener: Prunes, writer: Writer
    ) -> None:
        child = inside(writer, "child")
        lost = new_id()
        *_, newest = await steps(child, 3)
        await writer.commit(noting({"child": lost, "nobody": new_id()}))
        await gardener.aprune([writer.thread])
        assert await child.history() == [newest]

    async def test_child_of_another_thread_is_none(self, gardener: Prunes, writer: Writer) -> None:
        child, other = inside(writer, "child"), Writer(writer.saver)
        old, newest = await steps(child, 2)
        await other.commit(noting({"child": old}))
        await writer.commit()
        await gardener.aprune([writer.thread, other.thread])
        assert await child.history() == [newest]

    # ---- graphs that are called anew each time

    async def test_call_goes_with_the_checkpoint_that_it_began_at(
        self, gardener: Prunes, writer: Writer
    ) -> None:
        await steps(writer, 2)
        call = await called(writer)
        await steps(writer, 2)
        pruned = await gardener.aprune([writer.thread])
        assert (pruned.threads, pruned.checkpoints) == (0, 3 + 2)
        assert await call.history() == []
        assert await call.saver.load(call.thread, call.namespace) is None

    async def test_call_stays_while_the_checkpoint_that_it_began_at_does(
        self, gardener: Prunes, writer: Writer
    ) -> None:
        await steps(writer, 2)
        call = await called(writer)
        await call.append(result("asks", error="GraphInterrupt"))
        waiting = await call.load()
        await gardener.aprune([writer.thread])
        assert await call.stored() == remaining([waiting])
        await steps(writer, 1)
        await gardener.aprune([writer.thread], keep_last=2)
        assert await call.history() == [call.head]
        await gardener.aprune([writer.thread])
        assert await call.history() == []

    async def test_calls_in_calls_go_from_the_outside_in(self, gardener: Prunes, writer: Writer) -> None:
        await steps(writer, 2)
        call = await called(writer)
        old = await called(writer, f"{CALL}|inner:1", call)
        await steps(call, 1)
        new = await called(writer, f"{CALL}|inner:2", call)
        await gardener.aprune([writer.thread])
        assert [await each.history() for each in (call, old, new)] == [[call.head], [], [new.head]]
        await steps(writer, 1)
        await gardener.aprune([writer.thread])
        assert [await each.history() for each in (call, old, new)] == [[], [], []]

    async def test_call_in_a_child_goes_with_where_that_stood(self, gardener: Prunes, writer: Writer) -> None:
        await steps(writer, 1)
        child = await called(writer, "child", count=1)
        call = await called(writer, "child|call:1", child)
        await gardener.aprune([writer.thread])
        assert await call.history() == [call.head]
        await steps(child, 1)
        await gardener.aprune([writer.thread])
        assert await call.history() == []

    async def test_call_that_began_at_a_child_that_stays_stays(
        self, gardener: Prunes, writer: Writer
    ) -> None:
        child = inside(writer, "child")
        old = (await steps(child, 1))[0]
        call = inside(writer, "child|call:1")
        await call.commit(noting(parents={"child": old}))
        await steps(child, 3)
        await writer.commit(noting({"child": old}))
        await gardener.aprune([writer.thread])
        assert await call.history() == [call.head]

    async def test_call_that_began_anew_in_a_fork_stays_for_the_fork(
        self, gardener: Prunes, writer: Writer
    ) -> None:
        origin = (await steps(writer, 2))[0]
        call = await called(writer)
        await writer.commit(parent=origin, source="fork")
        await anew(call, noting(parents={"": writer.head or ""}))
        await gardener.aprune([writer.thread])
        assert await call.history() == [call.head]

    async def test_call_of_a_checkpoint_that_is_not_stored_yet_stays(
        self, gardener: Prunes, writer: Writer
    ) -> None:
        await steps(writer, 3)
        coming = inside(writer, CALL)
        await coming.commit(noting(parents={"": new_id()}))
        first = Writer(writer.saver, new_thread(), CALL)
        await first.commit(noting(parents={"": new_id()}))
        await gardener.aprune([writer.thread, first.thread])
        assert (await coming.history(), await first.history()) == ([coming.head], [first.head])

    async def test_graph_that_keeps_its_state_stays_when_its_parents_go(
        self, gardener: Prunes, writer: Writer
    ) -> None:
        await steps(writer, 1)
        child = await called(writer, "child")
        await steps(writer, 2)
        await gardener.aprune([writer.thread])
        assert await child.history() == [child.head]

    async def test_place_of_a_call_that_went_can_be_taken_again(
        self, gardener: Prunes, writer: Writer
    ) -> None:
        await steps(writer, 1)
        await called(writer)
        await steps(writer, 2)
        await gardener.aprune([writer.thread])
        again = await called(writer, count=4)
        assert await again.history() == again.made[::-1]
        assert (await again.held())["n"] == (b"3",)

    async def test_thousands_of_calls_leave_nothing(self, gardener: Prunes, writer: Writer) -> None:
        for number in range(1_200):
            if number % 100 == 0:
                await steps(writer, 1)
            await called(writer, f"call:{number}", count=1)
        await steps(writer, 1)
        pruned = await gardener.aprune([writer.thread])
        assert pruned.checkpoints == 12 + 1_200
        assert [await inside(writer, f"call:{n}").history() for n in (0, 599, 1_199)] == [[], [], []]
        assert await writer.history() == [writer.head]

    # ---- forgetting runs

    async def test_child_of_a_run_that_is_forgotten_stays_for_those_that_name_it(
        self, saver: Checkpointer, writer: Writer
    ) -> None:
        forgetter: ForgetsRuns = capable(saver, ForgetsRuns, "forget runs")
        one, two = f"one {new_thread()}", f"two {new_thread()}"
        child = inside(writer, "child")
        old, newest = await steps(child, 2, metadata={"run_id": one})
        await writer.commit(noting({"child": old}), metadata={"run_id": one})
        await writer.commit(noting({"child": newest}), metadata={"run_id": one})
        await steps(writer, 1, metadata={"run_id": two})
        before = held(await child.load(newest))
        assert await forgetter.adelete_for_runs([one]) == 2 + 1
        assert await child.history() == [newest]
        assert held(await child.load(newest)) == before
        assert await forgetter.adelete_for_runs([one, two]) == 2

    # ---- whatever happened to a thread

    @few
    @given(
        st.lists(st.tuples(st.integers(0, 5), st.integers(0, 99), st.integers(0, 99)), max_size=40),
        st.integers(1, 4),
        st.integers(1, 3),
    )
    async def test_what_stays_of_nested_graphs_is_what_is_needed(
        self, gardener: Prunes, saver: Checkpointer, done: list[tuple[int, int, int]], more: int, last: int
    ) -> None:
        family = Family(Writer(saver))
        for action in done:
            await family.commit(*action)
        for keep_last in (last + more, last):
            await gardener.aprune([family.root.thread], keep_last=keep_last)
            family.forget(keep_last)
            await family.compare()


AROUND: Final = {
    "": (),
    "child": ("",),
    "child|grandchild": ("", "child"),
    "call:1": ("",),
    "call:1|inner:2": ("", "call:1"),
    "child|call:3": ("", "child"),
}
"""Namespaces, and those around each."""


@dataclass
class Family:
    """A thread of nested graphs, and what must be left of it."""

    root: Writer
    writers: dict[str, Writer] = field(default_factory=dict[str, Writer])
    children: dict[str, Notes] = field(default_factory=dict[str, Notes])
    parents: dict[str, Notes] = field(default_factory=dict[str, Notes])
    held: dict[str, Held] = field(default_factory=dict[str, Held])

    def __post_init__(self) -> None:
        self.writers = {name: inside(self.root, name) for name in AROUND}

    async def commit(self, which: int, parent: int, child: int) -> None:
        """A commit: on an older checkpoint or none, naming an older checkpoint of a graph inside, or neither."""
        name = list(AROUND)[which]
        writer = self.writers[name]
        origin = writer.made[-1 - parent // 5 % len(writer.made)] if writer.made else None
        if parent % 5 == 0:
            origin = None
        children = dict(self.children.get(origin or "", {}))
        below = [n for n in AROUND if name in AROUND[n] and not is_call(n) and self.writers[n].made]
        if below and child % 2:
            ids = self.writers[below[child % len(below)]].made
            children[below[child % len(below)]] = ids[child // 2 % len(ids)]
        parents = {n: self.writers[n].head or "" for n in AROUND[name] if self.writers[n].head}
        if origin is None:
            identity = await anew(writer, {"n": b"1", **noting(children, parents)})
        else:
            parents = dict(self.parents[origin])
            identity = await writer.commit(noting(children), parent=origin)
        self.children[identity], self.parents[identity] = children, parents
        self.held[identity] = await writer.held(identity)

    def forget(self, keep_last: int) -> None:
        """Forget all but so many of each namespace and what else is needed."""
        stay: dict[str, list[str]] = {}
        wanted: set[str] = set()
        for name in sorted(AROUND, key=parts_of):
            made = self.writers[name].made
            lost = [any(i not in stay[n] for n, i in self.parents[identity].items()) for identity in made]
            gone = is_call(name) and all(lost)
            stay[name] = [] if gone else [i for i in made if i in made[-keep_last:] or i in wanted]
            wanted |= {identity for kept in stay[name] for identity in self.children[kept].values()}
        for name, ids in stay.items():
            self.writers[name].made = ids
            self.writers[name].head = ids[-1] if ids else None

    async def compare(self) -> None:
        """What is left is what must be, and holds what it held."""
        for name, writer in self.writers.items():
            assert (name, await writer.history()) == (name, writer.made[::-1])
            for stored in await writer.stored():
                assert held(stored) == self.held[stored.checkpoint.id]
