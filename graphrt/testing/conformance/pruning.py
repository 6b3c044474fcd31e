"""Optional: forgetting older checkpoints. Whatever goes, what stays loads as before.

Of §3.4 this covers `prune`: keep latest in one thread, in several, across namespaces (also ones that look like a
call's), writes, delete, other threads, empty list, unknown thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from graphrt.checkpoint import Checkpointer, Pruned, Prunes, Stored, time_of
from graphrt.errors import GraphValidationError, ThreadConflict
from graphrt.testing.clock import FakeClock
from graphrt.testing.conformance.case import CheckpointerCase, capable
from graphrt.testing.conformance.model import Model
from graphrt.testing.conformance.random_threads import Action, Deletes, Pair, actions, few
from graphrt.testing.conformance.records import Writer, came_with, id_at, new_thread, result

__all__ = ["Pruning"]

HOUR: Final = timedelta(hours=1)


async def grown(writer: Writer, length: int = 10) -> Writer:
    """A thread with a value that is replaced and one that grows; every commit brings a result."""
    await writer.commit({"n": b"0", "log": b"0"})
    for n in range(1, length):
        await writer.commit({"n": b"%d" % n}, result("p", n=None), appends={"log": b"%d" % n})
    return writer


def remaining(shown: Sequence[Stored]) -> list[Stored]:
    """These checkpoints as they read when all others are forgotten."""
    ids = {stored.checkpoint.id for stored in shown}
    return [
        stored
        if stored.checkpoint.parent_id in ids
        else replace(stored, checkpoint=replace(stored.checkpoint, parent_id=None))
        for stored in shown
    ]


def without_end(actions: list[Action]) -> list[Action]:
    """A history that leaves the thread there: other namespaces of it are compared too."""
    return [action for action in actions if not isinstance(action, Deletes)]


def limit_of(ids: list[str], last: int, by_age: bool) -> dict[str, Any]:
    """What to prune a thread by so that this many of its checkpoints stay, if it has them."""
    if by_age and last <= len(ids):
        return {"older_than": time_of(ids[-last])}
    return {"keep_last": last}


def count_kept(ids: list[str], *, keep_last: int = 1, older_than: datetime | None = None) -> int:
    """How many of a namespace's checkpoints must stay."""
    times = [made for made in map(time_of, ids) if made is not None]
    young = [made for made in times if older_than is not None and made >= older_than]
    return max(keep_last, len(young))


async def hourly(writer: Writer) -> FakeClock:
    """A thread of five checkpoints, made every hour until half an hour ago; the clock that says so."""
    clock = FakeClock(datetime.now(UTC) - 4.5 * HOUR)
    for n in range(5):
        await writer.commit({"n": b"%d" % n}, id=id_at(clock.time_ns()))
        clock.move(HOUR if n < 4 else HOUR / 2)
    return clock


class Pruning(CheckpointerCase):
    """`aprune` by number, by age and by thread."""

    @pytest.fixture
    def pruner(self, saver: Checkpointer) -> Prunes:
        """The saver, if it prunes."""
        pruner: Prunes = capable(saver, Prunes, "prune")
        return pruner

    # ---- by number

    async def test_newest_checkpoint_stays_and_loads_as_before(self, pruner: Prunes, writer: Writer) -> None:
        await grown(writer)
        before = await writer.stored(limit=1)
        pruned = await pruner.aprune([writer.thread])
        assert (pruned.threads, pruned.checkpoints) == (0, 9)
        assert await writer.stored() == remaining(before)
        assert await writer.saver.load(writer.thread, "", writer.made[0]) is None

    @pytest.mark.parametrize("last", [1, 2, 9, 10, 100])
    async def test_so_many_checkpoints_stay(self, pruner: Prunes, writer: Writer, last: int) -> None:
        await grown(writer)
        before = await writer.stored(limit=last)
        await pruner.aprune([writer.thread], keep_last=last)
        assert await writer.stored() == remaining(before)

    @pytest.mark.parametrize("last", [1, 31, 33, 64, 100])
    async def test_long_thread_stays_whole_at_every_checkpoint_that_stays(
        self, pruner: Prunes, writer: Writer, last: int
    ) -> None:
        await grown(writer, 130)
        before = remaining(await writer.stored(limit=last))
        await pruner.aprune([writer.thread], keep_last=last)
        assert await writer.stored() == before
        assert [await writer.load(stored.checkpoint.id) for stored in before[::10]] == before[::10]

    async def test_several_threads_are_pruned_at_once(self, pruner: Prunes, writer: Writer) -> None:
        others = [await grown(each) for each in (writer, Writer(writer.saver), Writer(writer.saver))]
        await pruner.aprune([each.thread for each in others[:2]], keep_last=2)
        assert [len(await each.history()) for each in others] == [2, 2, 10]

    async def test_newest_checkpoint_of_every_namespace_stays(self, pruner: Prunes, writer: Writer) -> None:
        await grown(writer)
        inner = [
            await grown(Writer(writer.saver, writer.thread, namespace), 3)
            for namespace in ("child", "child:1", "child:1|x:2")
        ]
        assert (await pruner.aprune([writer.thread])).checkpoints == 9 + 3 * 2
        assert [await each.history() for each in (writer, *inner)] == [
            each.made[-1:] for each in (writer, *inner)
        ]
        assert await inner[0].held() == {"n": (b"2",), "log": (b"0", b"1", b"2")}

    async def test_results_that_wait_at_the_newest_checkpoint_stay(
        self, pruner: Prunes, writer: Writer
    ) -> None:
        await grown(writer)
        await writer.append(result("p", a=b"1"), result("q", error="no"))
        await pruner.aprune([writer.thread])
        assert (await writer.load()).results == (result("p", a=b"1"), result("q", error="no"))

    async def test_results_that_came_with_a_commit_that_stays_stay(
        self, pruner: Prunes, writer: Writer
    ) -> None:
        await grown(writer)
        await pruner.aprune([writer.thread], keep_last=2)
        parent, child = writer.made[-2:]
        assert (await writer.load(parent)).results == (came_with(child, result("p", n=None)),)

    async def test_fork_keeps_what_it_saw(self, pruner: Prunes, writer: Writer) -> None:
        await grown(writer, 60)
        await writer.commit({"n": b"fork"}, parent=writer.made[40], appends={"log": b"fork"}, source="fork")
        before = await writer.stored(limit=3)
        await pruner.aprune([writer.thread], keep_last=3)
        assert await writer.stored() == remaining(before)

    async def test_thread_goes_on_after_it_was_pruned(self, pruner: Prunes, writer: Writer) -> None:
        await grown(writer, 40)
        await pruner.aprune([writer.thread])
        pruned = writer.head
        await writer.append(result("q"))
        for n in range(40, 80):
            await writer.commit({"n": b"%d" % n}, appends={"log": b"%d" % n})
        assert await writer.held() == {"n": (b"79",), "log": tuple(b"%d" % n for n in range(80))}
        assert (await writer.load(pruned)).results == (result("q"),)

    async def test_commit_on_a_forgotten_parent_is_refused(self, pruner: Prunes, writer: Writer) -> None:
        await grown(writer)
        await pruner.aprune([writer.thread])
        before = await writer.stored()
        with pytest.raises(ThreadConflict):
            await writer.commit({"n": b"x"}, result("q"), appends={"log": b"x"}, parent=writer.made[3])
        assert await writer.stored() == before

    async def test_pruning_again_changes_nothing(self, pruner: Prunes, writer: Writer) -> None:
        await grown(writer)
        await pruner.aprune([writer.thread], keep_last=3)
        before = await writer.stored()
        assert (await pruner.aprune([writer.thread], keep_last=3)).checkpoints == 0
        assert await writer.stored() == before

    async def test_other_threads_stay_as_they_are(self, pruner: Prunes, writer: Writer) -> None:
        other = await grown(Writer(writer.saver))
        await grown(writer)
        before = await other.stored()
        await pruner.aprune([writer.thread])
        assert await other.stored() == before

    async def test_no_threads_and_unknown_threads_are_nothing_to_prune(
        self, pruner: Prunes, writer: Writer
    ) -> None:
        await grown(writer)
        assert await pruner.aprune([]) == Pruned()
        assert await pruner.aprune([new_thread()]) == Pruned()
        assert await pruner.aprune([], strategy="delete") == Pruned()
        assert len(await writer.history()) == 10

    @pytest.mark.parametrize(
        "options",
        [{"keep_last": 0}, {"keep_last": -1}, {"strategy": "none"}, {"strategy": "delete", "keep_last": 1}],
    )
    async def test_wishes_that_make_no_sense_are_refused(
        self, pruner: Prunes, writer: Writer, options: dict[str, Any]
    ) -> None:
        await grown(writer)
        with pytest.raises(GraphValidationError):
            await pruner.aprune([writer.thread], **options)
        assert len(await writer.history()) == 10

    # ---- by age

    @pytest.mark.parametrize(
        "options, left",
        [
            ({"older_than": 2 * HOUR}, 2),
            ({"older_than": 2 * HOUR, "keep_last": 4}, 4),
            ({"older_than": 24 * HOUR}, 5),
            ({"older_than": timedelta(0)}, 1),
        ],
    )
    async def test_young_checkpoints_stay(
        self, pruner: Prunes, writer: Writer, options: dict[str, Any], left: int
    ) -> None:
        await hourly(writer)
        before = await writer.stored(limit=left)
        await pruner.aprune([writer.thread], **options)
        assert await writer.stored() == remaining(before)

    async def test_age_may_be_a_moment(self, pruner: Prunes, writer: Writer) -> None:
        clock = await hourly(writer)
        await pruner.aprune([writer.thread], older_than=clock.now() - 3 * HOUR)
        assert await writer.history() == writer.made[:-4:-1]

    async def test_checkpoint_of_that_very_moment_stays(self, pruner: Prunes, writer: Writer) -> None:
        await grown(writer, 6)
        await pruner.aprune([writer.thread], older_than=time_of(writer.made[2]))
        assert await writer.history() == writer.made[:1:-1]

    async def test_only_threads_that_nothing_happened_to_are_deleted_by_age(
        self, pruner: Prunes, writer: Writer
    ) -> None:
        clock = await hourly(writer)
        old, inner = Writer(writer.saver), Writer(writer.saver, writer.thread, "inner")
        await old.commit(id=id_at(clock.time_ns() - 10**13))
        await inner.commit(id=id_at(clock.time_ns() - 10**14))
        pruned = await pruner.aprune([writer.thread, old.thread], strategy="delete", older_than=2 * HOUR)
        assert pruned == replace(pruned, threads=1, checkpoints=1)
        assert await writer.saver.load(old.thread) is None
        assert (len(await writer.history()), len(await inner.history())) == (5, 1)

    # ---- whole threads

    async def test_threads_are_deleted_with_all_namespaces(self, pruner: Prunes, writer: Writer) -> None:
        await grown(writer)
        inner, other = Writer(writer.saver, writer.thread, "inner"), Writer(writer.saver)
        await inner.commit()
        await other.commit()
        pruned = await pruner.aprune([writer.thread, new_thread()], strategy="delete")
        assert (pruned.threads, pruned.checkpoints) == (1, 11)
        assert (await writer.history(), await inner.history()) == ([], [])
        assert await other.history() == other.made

    async def test_all_threads_are_never_deleted_by_accident(self, pruner: Prunes, writer: Writer) -> None:
        await writer.commit()
        with pytest.raises(GraphValidationError):
            await pruner.aprune(strategy="delete")
        assert await writer.history() == writer.made

    # ---- whatever happened to a thread

    @settings(few, max_examples=max(10, few.max_examples // 2))
    @given(actions, actions, st.integers(1, 60), st.booleans(), actions)
    async def test_what_stays_of_any_thread_loads_as_before(
        self,
        pruner: Prunes,
        saver: Checkpointer,
        past: list[Action],
        inner_past: list[Action],
        last: int,
        by_age: bool,
        later: list[Action],
    ) -> None:
        outer = Pair(Writer(saver), Model())
        inner = Pair(Writer(saver, outer.writer.thread, "inner"), Model())
        await outer.play(without_end(past))
        await inner.play(without_end(inner_past))
        limit = limit_of(list(outer.model.entries), last, by_age)
        await pruner.aprune([outer.writer.thread], **limit)
        for pair in (outer, inner):
            pair.model.forget_older(count_kept(list(pair.model.entries), **limit))
            await pair.compare()
        for pair in (inner, outer):
            await pair.play(without_end(later))
        for pair in (outer, inner):
            await pair.compare()
