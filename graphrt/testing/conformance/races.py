"""Several writers and readers at once: one wins, nobody sees half of anything, nothing is lost."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from graphrt.checkpoint import Commit
from graphrt.errors import ThreadConflict
from graphrt.testing.conformance.case import CheckpointerCase
from graphrt.testing.conformance.records import Writer, came_with, result

__all__ = ["Races"]


async def outcomes(*coroutines: Any) -> list[Any]:
    """What each returned or raised, when all have."""
    return await asyncio.gather(*coroutines, return_exceptions=True)


async def cut_short(turns: int, call: Any) -> None:
    """Cancel a call after so many turns of the loop."""
    task = asyncio.ensure_future(call)
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


class Races(CheckpointerCase):
    """Calls at the same time, from tasks of one loop."""

    @pytest.mark.parametrize("begun", [False, True], ids=["new thread", "old thread"])
    async def test_one_of_two_writers_wins(self, writer: Writer, begun: bool) -> None:
        if begun:
            await writer.commit()
        rivals = [Writer(writer.saver, writer.thread, head=writer.head) for _ in range(2)]
        ended = await outcomes(
            *(rival.commit({"a": b"%d" % n}, result("p")) for n, rival in enumerate(rivals))
        )
        (lost,) = [outcome for outcome in ended if isinstance(outcome, Exception)]
        (won,) = [outcome for outcome in ended if isinstance(outcome, str)]
        assert isinstance(lost, ThreadConflict)
        assert (lost.expected, lost.current) == (writer.head, won)
        stored = await writer.load()
        assert (stored.checkpoint.id, stored.channels) == (won, {"a": b"%d" % ended.index(won)})
        assert len(await writer.history()) == 1 + begun

    async def test_history_of_many_writers_is_one_chain(self, writer: Writer) -> None:
        rivals, turns = 6, 5

        async def take_turns(rival: Writer) -> None:
            while len(rival.made) < turns:
                stored = await rival.saver.load(rival.thread)
                rival.head = stored.head if stored is not None else None
                total = int(stored.channels["total"]) if stored is not None else 0
                try:
                    await rival.commit({"total": b"%d" % (total + 1)})
                except ThreadConflict:
                    await asyncio.sleep(0)

        await asyncio.gather(*(take_turns(Writer(writer.saver, writer.thread)) for _ in range(rivals)))
        chain = await writer.stored()
        assert [int(stored.channels["total"]) for stored in chain] == list(range(rivals * turns, 0, -1))
        parents = [stored.checkpoint.parent_id for stored in chain]
        assert parents == [*(stored.checkpoint.id for stored in chain[1:]), None]

    async def test_parts_of_many_writers_are_all_there_in_order(self, writer: Writer) -> None:
        head = await writer.commit({"log": b"0"})

        async def take_turns(rival: Writer) -> None:
            while len(rival.made) < 12:
                try:
                    await rival.commit(appends={"log": b"%d" % len((await rival.held())["log"])})
                except ThreadConflict as conflict:
                    rival.head = conflict.current

        await asyncio.gather(*(take_turns(Writer(writer.saver, writer.thread, head=head)) for _ in range(4)))
        parts = (await writer.held())["log"]
        assert len(parts) == 49

    async def test_results_that_tasks_append_at_once_are_all_kept(self, writer: Writer) -> None:
        await writer.commit()
        await asyncio.gather(*(writer.append(result(f"{n:03}", a=b"%d" % n)) for n in range(30)))
        assert [one.path for one in (await writer.load()).results] == [f"{n:03}" for n in range(30)]

    async def test_of_results_appended_at_once_for_one_task_one_stays(self, writer: Writer) -> None:
        await writer.commit()
        rivals = [result("p", error="no"), *(result("p", a=b"%d" % n) for n in range(5))]
        await asyncio.gather(*(writer.append(one) for one in rivals))
        (kept,) = (await writer.load()).results
        assert kept in rivals[1:]

    async def test_result_that_races_with_a_commit_lands_on_its_own_checkpoint_or_nowhere(
        self, writer: Writer
    ) -> None:
        for n in range(10):
            head = await writer.commit()
            appended, committed = await outcomes(
                writer.append(result("p"), to=head), writer.commit({"n": b"%d" % n})
            )
            assert isinstance(committed, str)
            kept = [one.path for one in (await writer.load(head)).results]
            assert kept == ([] if isinstance(appended, ThreadConflict) else ["p"])
            assert (await writer.load(committed)).results == ()

    async def test_readers_see_whole_commits_only(self, writer: Writer) -> None:
        await writer.commit({"a": b"0", "b": b"0"})
        done = asyncio.Event()

        async def write() -> None:
            for n in range(1, 70):
                await writer.commit({"a": b"%d" % n}, appends={"b": b"%d" % n})
                await asyncio.sleep(0)
            done.set()

        async def read() -> None:
            while not done.is_set():
                stored = await writer.load()
                n = stored.checkpoint.version - 1
                parts = stored.appends.get("b", ())
                assert (stored.channels["a"], len(parts), parts[-1:]) == (
                    b"%d" % n,
                    n,
                    (b"%d" % n,) if n else (),
                )
                async for older in writer.saver.history(writer.thread, limit=3):
                    assert int(older.channels["a"]) == len(older.appends.get("b", ()))
                await asyncio.sleep(0)

        await asyncio.gather(write(), read(), read())

    async def test_threads_do_not_stand_in_each_others_way(self, writer: Writer) -> None:
        writers = [Writer(writer.saver) for _ in range(20)]

        async def work(one: Writer) -> None:
            await one.commit({"who": one.thread.encode(), "log": b"0"})
            for n in range(1, 6):
                await one.commit({}, result("p"), appends={"log": b"%d" % n})

        await asyncio.gather(*map(work, writers))
        for one in writers:
            assert await one.history() == one.made[::-1]
            assert await one.held() == {
                "who": (one.thread.encode(),),
                "log": (b"0", b"1", b"2", b"3", b"4", b"5"),
            }

    async def test_one_refused_commit_does_not_fail_its_neighbours(self, writer: Writer) -> None:
        # A saver may put the commits of several threads into one transaction.
        writers = [Writer(writer.saver) for _ in range(8)]
        await asyncio.gather(*(one.commit({"a": b"1"}) for one in writers))
        for one in writers[::2]:
            one.head = "unknown"
        ended = await outcomes(*(one.commit({"a": b"2"}) for one in writers))
        assert [isinstance(outcome, ThreadConflict) for outcome in ended] == [True, False] * 4
        assert [(await one.load()).channels["a"] for one in writers] == [b"1", b"2"] * 4

    async def test_commits_of_one_writer_may_be_under_way_at_once(self, writer: Writer) -> None:
        # Each knows the head that the one before it makes: in whatever order they are tried, none is lost or split.
        commits: list[Commit] = []
        for n in range(5):
            commits.append(writer.next({"n": b"%d" % n}))
            writer.head = commits[-1].checkpoint.id
        ended = await outcomes(*map(writer.saver.commit, commits))
        done = [commit for commit, outcome in zip(commits, ended, strict=True) if outcome is None]
        assert done == commits[: max(1, len(done))]
        assert await writer.history() == [commit.checkpoint.id for commit in reversed(done)]

    # ---- cancelled

    @pytest.mark.parametrize("turns", range(6))
    async def test_cancelled_commit_has_happened_or_not(self, writer: Writer, turns: int) -> None:
        before = await writer.commit({"a": b"1", "b": b"1"})
        commit = writer.next({"a": b"2"}, result("p"), appends={"b": b"2"})
        await cut_short(turns, writer.saver.commit(commit))

        stored = await writer.load()
        assert stored.checkpoint.id in (before, commit.checkpoint.id)
        happened = stored.checkpoint.id != before
        assert await writer.held() == (
            {"a": (b"2",), "b": (b"1", b"2")} if happened else {"a": (b"1",), "b": (b"1",)}
        )
        brought = (came_with(commit.checkpoint.id, result("p")),)
        assert (await writer.load(before)).results == (brought if happened else ())
        writer.head = stored.head
        assert await writer.commit()

    @pytest.mark.parametrize("turns", range(4))
    async def test_cancelled_results_are_all_kept_or_none(self, writer: Writer, turns: int) -> None:
        await writer.commit()
        await cut_short(turns, writer.append(result("p"), result("q")))
        assert [one.path for one in (await writer.load()).results] in ([], ["p", "q"])
        await writer.append(result("p"), result("q"), result("r"))
        assert [one.path for one in (await writer.load()).results] == ["p", "q", "r"]

    @pytest.mark.parametrize("turns", range(4))
    async def test_cancelled_readers_leave_the_saver_as_it_was(self, writer: Writer, turns: int) -> None:
        for n in range(5):
            await writer.commit({"a": b"%d" % n})
        for _ in range(10):
            await cut_short(turns, writer.load())
            await cut_short(turns, writer.history())
        assert await writer.history() == writer.made[::-1]
        assert await writer.commit()
