"""Several writers and readers at once: one wins, nobody sees half of anything, nothing is lost."""

import asyncio
from typing import Any

import pytest

from graphrt.errors import ThreadConflict
from tests.checkpointers.records import Writer, result


async def outcomes(*coroutines: Any) -> list[Any]:
    return await asyncio.gather(*coroutines, return_exceptions=True)


@pytest.mark.parametrize("begun", [False, True], ids=["new thread", "old thread"])
async def test_one_of_two_writers_wins(writer: Writer, begun: bool) -> None:
    if begun:
        await writer.commit()
    rivals = [Writer(writer.saver, head=writer.head) for _ in range(2)]
    ended = await outcomes(*(rival.commit({"a": b"%d" % n}, result("p")) for n, rival in enumerate(rivals)))
    (lost,) = [outcome for outcome in ended if isinstance(outcome, Exception)]
    (won,) = [outcome for outcome in ended if isinstance(outcome, str)]
    assert isinstance(lost, ThreadConflict)
    assert (lost.expected, lost.current) == (writer.head, won)
    stored = await writer.load()
    assert (stored.checkpoint.id, stored.channels) == (won, {"a": b"%d" % ended.index(won)})
    assert len(await writer.history()) == 1 + begun


async def test_history_of_many_writers_is_one_chain(writer: Writer) -> None:
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

    await asyncio.gather(*(take_turns(Writer(writer.saver)) for _ in range(rivals)))
    chain = [stored async for stored in writer.saver.history(writer.thread)]
    assert [int(stored.channels["total"]) for stored in chain] == list(range(rivals * turns, 0, -1))
    parents = [stored.checkpoint.parent_id for stored in chain]
    assert parents == [*(stored.checkpoint.id for stored in chain[1:]), None]


async def test_results_that_tasks_append_at_once_are_all_kept(writer: Writer) -> None:
    await writer.commit()
    await asyncio.gather(*(writer.append(result(f"{n:03}", a=b"%d" % n)) for n in range(30)))
    assert [r.path for r in (await writer.load()).results] == [f"{n:03}" for n in range(30)]


async def test_result_that_races_with_a_commit_lands_on_its_own_checkpoint_or_nowhere(writer: Writer) -> None:
    for n in range(10):
        head = await writer.commit()
        appended, committed = await outcomes(
            writer.append(result("p"), to=head), writer.commit({"n": b"%d" % n})
        )
        assert isinstance(committed, str)
        kept = [r.path for r in (await writer.load(head)).results]
        assert kept == ([] if isinstance(appended, ThreadConflict) else ["p"])
        assert (await writer.load(committed)).results == ()


async def test_readers_see_whole_commits_only(writer: Writer) -> None:
    await writer.commit({"a": b"0", "b": b"0"})
    done = asyncio.Event()

    async def write() -> None:
        for n in range(1, 30):
            await writer.commit({"a": b"%d" % n, "b": b"%d" % n}, version=n + 1)
            await asyncio.sleep(0)
        done.set()

    async def read() -> None:
        while not done.is_set():
            stored = await writer.load()
            assert stored.channels["a"] == stored.channels["b"] == b"%d" % (stored.checkpoint.version - 1)
            async for older in writer.saver.history(writer.thread, limit=3):
                assert older.channels["a"] == older.channels["b"]
            await asyncio.sleep(0)

    await asyncio.gather(write(), read(), read())


async def test_threads_do_not_stand_in_each_others_way(writer: Writer) -> None:
    writers = [Writer(writer.saver, f"thread-{n}") for n in range(20)]

    async def work(one: Writer) -> None:
        for n in range(5):
            await one.commit({"who": one.thread.encode(), "n": b"%d" % n}, result("p"))

    await asyncio.gather(*map(work, writers))
    for one in writers:
        assert await one.history() == one.made[::-1]
        assert (await one.load()).channels == {"who": one.thread.encode(), "n": b"4"}


@pytest.mark.parametrize("turns", range(4))
async def test_cancelled_commit_has_happened_or_not(writer: Writer, turns: int) -> None:
    before = await writer.commit({"a": b"1", "b": b"1"})
    commit = writer.next({"a": b"2", "b": b"2"}, result("p"))
    task = asyncio.ensure_future(writer.saver.commit(commit))
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    stored = await writer.load()
    assert stored.checkpoint.id in (before, commit.checkpoint.id)
    happened = stored.checkpoint.id != before
    assert set(stored.channels.values()) == {b"2" if happened else b"1"}
    assert len((await writer.load(before)).results) == happened
    writer.head = stored.head
    assert await writer.commit()
