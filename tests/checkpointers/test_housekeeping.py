"""Keeping and forgetting: whatever goes, what stays reads as before, and nothing stays in vain."""

import asyncio
import operator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from os import urandom
from pathlib import Path
from random import Random
from typing import Annotated, Any, TypedDict
from unittest.mock import AsyncMock, patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkpointers import housekeeping
from checkpointers.segments import MAX_SEGMENTS
from graphrt.checkpoint import (
    CHILDREN,
    PARENTS,
    CopiesThreads,
    ForgetsRuns,
    ListsThreads,
    Measures,
    Pruned,
    Prunes,
    Reclaims,
    StorageStats,
    ThreadInfo,
)
from graphrt.checkpoint.sqlite import SqliteSaver
from graphrt.errors import DeserializationError, GraphValidationError, ThreadConflict
from graphrt.graph import START, StateGraph
from graphrt.serde import Serializer
from graphrt.testing.conformance.random_threads import actions, few
from graphrt.testing.conformance.records import Writer, held, id_at, new_id, result
from tests.checkpointers.forgetful import ForgetfulPair

runs = st.sampled_from(["a", "b", "c"])
histories = actions.flatmap(lambda done: st.tuples(*[st.tuples(runs, st.just(one)) for one in done])).map(
    list
)
HOUR_NS = 3_600_000_000_000


@pytest.fixture
async def ten(saver: Any) -> Writer:
    """A thread of ten checkpoints: a value that is replaced, and one that grows."""
    writer = Writer(saver, "ten")
    await writer.commit({"n": b"0", "log": b"0"})
    for number in range(1, 10):
        await writer.commit({"n": b"%d" % number}, result("p", n=None), appends={"log": b"%d" % number})
    return writer


async def infos(saver: Any, **options: Any) -> list[ThreadInfo]:
    return [info async for info in saver.athreads(**options)]


@pytest.mark.parametrize("capability", [CopiesThreads, ForgetsRuns, ListsThreads, Measures, Prunes])
async def test_every_checkpointer_of_ours_keeps_house(saver: Any, capability: type) -> None:
    assert isinstance(saver, capability)


# ---- aprune: by number


async def test_only_the_newest_checkpoint_stays_by_default(ten: Writer) -> None:
    before = await ten.load()
    pruned = await ten.saver.aprune([ten.thread])
    assert (pruned.threads, pruned.checkpoints) == (0, 9)
    assert await ten.history() == [ten.head]
    assert held(await ten.load()) == held(before)


async def test_so_many_stay_as_are_asked_for(ten: Writer) -> None:
    before = await ten.stored(limit=3)
    await ten.saver.aprune([ten.thread], keep_last=3)
    after = await ten.stored()
    assert after[:2] == before[:2]
    assert (held(after[2]), after[2].results) == (held(before[2]), before[2].results)


async def test_parent_that_was_forgotten_is_none(ten: Writer) -> None:
    await ten.saver.aprune(keep_last=2)
    first, last = ten.made[-2:]
    assert [s.checkpoint.parent_id for s in await ten.stored()] == [first, None]
    assert (await ten.load(first)).checkpoint.parent_id is None
    assert (await ten.load(last)).checkpoint.parent_id == first


async def test_forgotten_checkpoint_is_not_found(ten: Writer) -> None:
    await ten.saver.aprune(keep_last=2)
    assert await ten.saver.load(ten.thread, "", ten.made[3]) is None


async def test_pruning_twice_changes_nothing_more(ten: Writer) -> None:
    await ten.saver.aprune(keep_last=4)
    before = await ten.stored(), await ten.saver.astats()
    assert await ten.saver.aprune(keep_last=4) == Pruned()
    assert (await ten.stored(), await ten.saver.astats()) == before


async def test_thread_goes_on_after_pruning(ten: Writer) -> None:
    await ten.saver.aprune()
    for number in range(10, 90):
        await ten.commit({"n": b"%d" % number}, appends={"log": b"%d" % number})
    assert await ten.held() == {"n": (b"89",), "log": tuple(b"%d" % n for n in range(90))}
    assert len(await ten.history()) == 81


async def test_results_that_wait_at_the_head_stay(ten: Writer) -> None:
    await ten.append(result("p", a=b"1"), result("q", error="no"))
    before = await ten.load()
    await ten.saver.aprune()
    assert (await ten.load()).results == before.results != ()


async def test_results_of_a_forgotten_step_go(ten: Writer) -> None:
    await ten.append(result("p", error="no"))
    await ten.commit({}, result("p", n=b"x" * 10_000))
    await ten.saver.aprune()
    assert (await ten.saver.astats()).bytes < 1_000


async def test_each_namespace_keeps_its_newest(ten: Writer) -> None:
    inner = Writer(ten.saver, ten.thread, namespace="inner:1")
    for number in range(3):
        await inner.commit({"n": b"%d" % number})
    await ten.saver.aprune([ten.thread])
    assert (await ten.history(), await inner.history()) == ([ten.head], [inner.head])
    assert await inner.held() == {"n": (b"2",)}


async def test_other_threads_are_left_alone(ten: Writer) -> None:
    other = Writer(ten.saver)
    for _ in range(3):
        await other.commit({"n": b"1"})
    await ten.saver.aprune([ten.thread, "unknown"])
    assert len(await other.history()) == 3
    assert (await ten.saver.aprune([])) == Pruned()
    assert (await ten.saver.aprune()).checkpoints == 2


async def test_fork_keeps_what_it_sees_of_the_past(ten: Writer) -> None:
    fork = await ten.commit({"n": b"fork"}, parent=ten.made[4], appends={"log": b"fork"}, source="fork")
    await ten.saver.aprune()
    assert await ten.held(fork) == {"n": (b"fork",), "log": (b"0", b"1", b"2", b"3", b"4", b"fork")}


async def test_commit_on_a_forgotten_parent_is_refused(ten: Writer) -> None:
    old = ten.made[4]
    await ten.saver.aprune()
    before = await ten.stored()
    with pytest.raises(ThreadConflict, match="forgotten") as caught:
        await ten.saver.commit(ten.next({"n": b"x"}, result("q", n=b"x"), parent=old))
    assert (caught.value.expected, caught.value.current) == (old, ten.head)
    assert await ten.stored() == before


async def test_values_that_were_replaced_give_their_bytes_back(saver: Any) -> None:
    writer = Writer(saver)
    for _ in range(50):
        await writer.commit({"page": b"x" * 1_000}, result("p", other=b"y" * 1_000))
    before = await saver.astats()
    pruned = await saver.aprune(keep_last=2)
    after = await saver.astats()
    assert after.checkpoints == 2
    assert after.bytes < 5_000 < before.bytes
    assert pruned.bytes >= 90_000


async def test_value_that_grew_stays_whole_in_few_rows(saver: Any) -> None:
    writer = Writer(saver)
    await writer.commit({"log": b"0"})
    for number in range(1, 200):
        await writer.commit({"n": b"1"}, appends={"log": b"%d" % number})
    before = (await saver.astats()).segments
    await saver.aprune()
    assert (await writer.held())["log"] == tuple(b"%d" % n for n in range(200))
    assert (await saver.astats()).segments < before
    if not saver.immediate:
        assert (await saver.astats()).segments <= 2 * MAX_SEGMENTS


async def test_pruning_again_finishes_what_was_broken_off(
    ten: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    if ten.saver.immediate:
        pytest.skip("memory does it in one go")
    before = await ten.load()
    with monkeypatch.context() as broken:
        broken.setattr(housekeeping, "_sweep", AsyncMock(side_effect=ConnectionError))
        with pytest.raises(ConnectionError):
            await ten.saver.aprune()
    assert held(await ten.load()) == held(before)
    rows = (await ten.saver.astats()).segments
    assert (await ten.saver.aprune()).checkpoints == 0
    assert (await ten.saver.astats()).segments < rows
    assert held(await ten.load()) == held(before)


# ---- aprune: by age


@pytest.fixture
async def hourly(saver: Any) -> Writer:
    """A thread of five checkpoints, made every hour until now."""
    writer = Writer(saver, "hourly")
    now = datetime.now(UTC)
    for age in reversed(range(5)):
        at = round((now - timedelta(hours=age)).timestamp()) * 1_000_000_000
        await writer.commit({"n": b"%d" % age}, id=id_at(at))
    return writer


@pytest.mark.parametrize(
    "options, left",
    [
        ({"older_than": timedelta(hours=1.5)}, 2),
        ({"older_than": timedelta(hours=1.5), "keep_last": 4}, 4),
        ({"older_than": timedelta(days=1)}, 5),
        ({"older_than": timedelta(0)}, 1),
    ],
)
async def test_young_checkpoints_stay(hourly: Writer, options: dict[str, Any], left: int) -> None:
    before = await hourly.stored(limit=left)
    await hourly.saver.aprune(**options)
    assert list(map(held, await hourly.stored())) == list(map(held, before))


async def test_age_may_be_a_moment(hourly: Writer) -> None:
    await hourly.saver.aprune(older_than=datetime.now(UTC) - timedelta(hours=2.5))
    assert len(await hourly.history()) == 3


async def test_age_of_ids_that_do_not_tell_it_is_no_reason_to_forget(saver: Any) -> None:
    writer = Writer(saver)
    for number in range(3):
        await writer.commit({"n": b"1"}, id=f"checkpoint {number}")
    assert await saver.aprune(older_than=timedelta(0)) == Pruned()
    assert (await saver.aprune(keep_last=1)).checkpoints == 2


@pytest.mark.parametrize("options", [{"keep_last": 0}, {"strategy": "none"}, {"strategy": "delete"}])
async def test_wishes_that_make_no_sense_are_refused(ten: Writer, options: dict[str, Any]) -> None:
    with pytest.raises(GraphValidationError):
        await ten.saver.aprune(**options)
    assert len(await ten.history()) == 10


# ---- aprune: whole threads


async def test_threads_are_deleted_with_all_namespaces(ten: Writer) -> None:
    await Writer(ten.saver, ten.thread, namespace="inner").commit()
    other = Writer(ten.saver)
    await other.commit({"n": b"1"})
    pruned = await ten.saver.aprune([ten.thread, "unknown"], strategy="delete")
    assert (pruned.threads, pruned.checkpoints) == (1, 11)
    assert [info.thread_id for info in await infos(ten.saver)] == [other.thread]


async def test_long_thread_is_deleted_as_a_short_one(saver: Any) -> None:
    writer, inner = Writer(saver, "long"), Writer(saver, "long", namespace="inner")
    await inner.commit()
    for number in range(1_100):
        await writer.commit({"n": b"%d" % number}, result("p", n=None))
    assert await saver.aprune(strategy="delete", older_than=timedelta(days=99_999)) == Pruned()
    pruned = await saver.aprune(["long"], strategy="delete")
    assert (pruned.threads, pruned.checkpoints) == (1, 1_101)
    assert pruned.bytes > 1_100
    assert (await saver.astats()).segments == 0


async def test_only_threads_that_faded_are_deleted(hourly: Writer) -> None:
    old, inner = Writer(hourly.saver, "old"), Writer(hourly.saver, "revived", namespace="inner")
    await old.commit(id=id_at(1_700_000_000_000_000_000))
    await Writer(hourly.saver, "revived").commit(id=id_at(1_700_000_000_000_000_000))
    await inner.commit(id=hourly.head)
    pruned = await hourly.saver.aprune(strategy="delete", older_than=timedelta(minutes=30))
    assert pruned.threads == 1
    assert [info.thread_id for info in await infos(hourly.saver)] == ["hourly", "revived"]


# ---- whatever happened to a thread


@few
@given(histories, st.integers(1, 60), histories)
async def test_pruned_thread_is_what_was_done_to_it(
    saver: Any, history: list[Any], last: int, later: list[Any]
) -> None:
    pair = ForgetfulPair.on(saver)
    await pair.play(history)
    await saver.aprune([pair.writer.thread], keep_last=last)
    pair.forget_but_last(last)
    await pair.compare()
    await pair.play(later)
    await pair.compare()


@few
@given(histories, st.sets(runs), histories)
async def test_thread_without_certain_runs_is_what_the_others_did(
    saver: Any, history: list[Any], gone: set[str], later: list[Any]
) -> None:
    pair = ForgetfulPair.on(saver)
    await pair.play(history)
    # Runs of other examples have the same names.
    await saver.aprune(
        [i.thread_id for i in await infos(saver) if i.thread_id != pair.writer.thread], strategy="delete"
    )
    assert await saver.adelete_for_runs(list(gone)) == pair.forget_runs(gone)
    await pair.compare()
    await pair.play(later)
    await pair.compare()


@few
@given(histories, st.integers(1, 9), st.integers(1, 3))
async def test_many_small_steps_do_what_few_large_ones_do(
    saver: Any, history: list[Any], last: int, size: int
) -> None:
    pair = ForgetfulPair.on(saver)
    await pair.play(history)
    with patch.multiple(housekeeping, _PAGE=size, _CUT=size, _DROP=size):
        await saver.aprune([pair.writer.thread], keep_last=last)
        pair.forget_but_last(last)
        await pair.compare()
        await saver.aprune([pair.writer.thread], strategy="delete")
    assert await saver.load(pair.writer.thread) is None
    assert (await saver.astats()).segments == 0


@few
@given(histories, st.integers(1, 60), st.sets(runs))
async def test_forgetting_in_pieces_leaves_nothing_behind(
    saver: Any, history: list[Any], last: int, gone: set[str]
) -> None:
    pair = ForgetfulPair.on(saver)
    await pair.play(history)
    await saver.aprune(keep_last=last)
    await saver.adelete_for_runs(list(gone))
    await saver.adelete_for_runs(["a", "b", "c"])
    stats = await saver.astats()
    assert (stats.threads, stats.checkpoints, stats.segments, stats.bytes) == (0, 0, 0, 0)


# ---- adelete_for_runs


async def of_run(writer: Writer, run: str, count: int) -> None:
    for _ in range(count):
        name = b"%d" % len(writer.made)
        appends = {"log": name} if writer.made else {}
        await writer.commit(
            {"n": name} | ({} if appends else {"log": name}), appends=appends, metadata={"run_id": run}
        )


async def test_head_goes_back_to_the_newest_that_remains(saver: Any) -> None:
    writer = Writer(saver)
    await of_run(writer, "one", 3)
    await of_run(writer, "two", 2)
    assert await saver.adelete_for_runs(["two"]) == 2
    stored = await writer.load()
    assert (stored.checkpoint.id, stored.head) == (writer.made[2], writer.made[2])
    assert held(stored) == {"n": (b"2",), "log": (b"0", b"1", b"2")}


async def test_run_goes_on_from_where_the_head_went_back_to(saver: Any) -> None:
    writer = Writer(saver)
    await of_run(writer, "one", 3)
    await of_run(writer, "two", 40)
    await saver.adelete_for_runs(["two"])
    writer.head = writer.made[2]
    await writer.commit({}, result("p", a=b"1"), appends={"log": b"new"})
    assert (await writer.held())["log"] == (b"0", b"1", b"2", b"new")
    assert [r.path for r in (await writer.load(writer.made[2])).results] == ["p"]


async def test_nothing_of_a_forgotten_run_comes_back_when_others_go_on(saver: Any) -> None:
    writer = Writer(saver)
    await of_run(writer, "one", 3)
    await writer.commit({"n": b"two"}, parent=writer.made[0], metadata={"run_id": "two"})
    await writer.append(result("p", a=b"two"))
    await saver.adelete_for_runs(["two"])
    writer.head = writer.made[2]
    for _ in range(3):
        await writer.commit({}, appends={"log": b"new"})
    assert [held(stored)["log"] for stored in await writer.stored(limit=3)] == [
        (b"0", b"1", b"2", *[b"new"] * count) for count in (3, 2, 1)
    ]
    assert [stored.results for stored in await writer.stored()] == [()] * 6


async def test_values_of_a_run_in_the_middle_stay_for_those_that_stand_on_them(saver: Any) -> None:
    writer = Writer(saver)
    for run in ("one", "two", "three"):
        await of_run(writer, run, 2)
    before = held(await writer.load())
    await saver.adelete_for_runs(["two"])
    assert await writer.history() == [*reversed(writer.made[4:]), *reversed(writer.made[:2])]
    assert held(await writer.load()) == before
    assert (await writer.load(writer.made[4])).checkpoint.parent_id is None


async def test_run_is_forgotten_in_all_threads_and_namespaces(saver: Any) -> None:
    writers = [Writer(saver), Writer(saver), Writer(saver, "x", namespace="inner")]
    for writer in writers:
        await of_run(writer, "one", 1)
        await of_run(writer, "two", 1)
    assert await saver.adelete_for_runs(["two", "unknown"]) == 3
    assert [await writer.history() for writer in writers] == [writer.made[:1] for writer in writers]


async def test_thread_of_forgotten_runs_alone_is_gone_and_can_begin_again(saver: Any) -> None:
    writer = Writer(saver)
    await of_run(writer, "one", 3)
    await saver.adelete_for_runs(["one"])
    assert await saver.load(writer.thread) is None
    assert await infos(saver) == []
    again = Writer(saver, writer.thread)
    await again.commit({"new": b"1"})
    assert await again.held() == {"new": (b"1",)}


async def test_run_that_is_under_way_is_refused_when_it_is_forgotten(saver: Any) -> None:
    writer = Writer(saver)
    await of_run(writer, "one", 1)
    await of_run(writer, "two", 1)
    await saver.adelete_for_runs(["two"])
    with pytest.raises(ThreadConflict):
        await writer.commit()
    with pytest.raises(ThreadConflict):
        await writer.append(result("p"))


async def test_no_runs_and_unknown_runs_are_nothing_to_forget(ten: Writer) -> None:
    assert await ten.saver.adelete_for_runs([]) == 0
    assert await ten.saver.adelete_for_runs(["unknown", "' OR 1=1 --"]) == 0
    assert len(await ten.history()) == 10


# ---- acopy_thread


async def test_copy_is_what_the_thread_was(ten: Writer) -> None:
    inner = Writer(ten.saver, ten.thread, namespace="inner")
    await inner.commit({"n": b"inner"})
    await ten.append(result("p", error="no"))
    await ten.commit({"n": b"fork"}, parent=ten.made[4], appends={"log": b"fork"})
    assert await ten.saver.acopy_thread(ten.thread, "copy") == 12
    assert await Writer(ten.saver, "copy").stored() == await ten.stored()
    assert await Writer(ten.saver, "copy", namespace="inner").stored() == await inner.stored()


async def test_copy_and_original_go_their_own_ways(ten: Writer) -> None:
    await ten.saver.acopy_thread(ten.thread, "copy")
    copy = Writer(ten.saver, "copy", head=ten.head)
    await ten.commit({"n": b"original"}, appends={"log": b"original"})
    await copy.append(result("p"))
    await copy.commit({"n": b"copy"}, appends={"log": b"copy"})
    assert (await ten.held())["log"][-2:] == (b"9", b"original")
    assert (await copy.held())["log"][-2:] == (b"9", b"copy")
    await ten.saver.adelete_thread(ten.thread)
    assert len(await copy.history()) == 11


async def test_fork_of_the_original_is_none_of_the_copy(ten: Writer) -> None:
    await ten.saver.acopy_thread(ten.thread, "copy")
    copy = Writer(ten.saver, "copy", head=ten.head)
    await ten.commit({"n": b"fork"}, parent=ten.made[4])
    for number in (10, 11):
        await copy.commit({}, appends={"log": b"%d" % number})
    assert (await copy.held())["log"] == tuple(b"%d" % number for number in range(12))


async def test_copying_onto_a_thread_is_refused(ten: Writer) -> None:
    other = Writer(ten.saver, "other")
    await other.commit({"n": b"other"})
    for target in ("other", ten.thread):
        with pytest.raises(ThreadConflict, match="exists"):
            await ten.saver.acopy_thread(ten.thread, target)
    assert await other.held() == {"n": (b"other",)}


async def test_copying_an_unknown_thread_copies_nothing(ten: Writer) -> None:
    assert await ten.saver.acopy_thread("unknown", "copy") == 0
    assert await ten.saver.acopy_thread("unknown", ten.thread) == 0
    assert await ten.saver.load("copy") is None


async def test_pruned_thread_is_copied_as_it_is(ten: Writer) -> None:
    await ten.commit({"n": b"fork"}, parent=ten.made[4], appends={"log": b"fork"})
    await ten.saver.aprune(keep_last=3)
    await ten.saver.acopy_thread(ten.thread, "copy")
    assert await Writer(ten.saver, "copy").stored() == await ten.stored()


# ---- athreads, astats


async def test_threads_are_listed_by_name(saver: Any) -> None:
    for name in ("b", "a", "B", "ä", "a b", "", "a%", "a_"):
        await Writer(saver, name).commit({"n": b"1"})
    assert [i.thread_id for i in await infos(saver)] == ["", "B", "a", "a b", "a%", "a_", "b", "ä"]
    assert [i.thread_id for i in await infos(saver, prefix="a")] == ["a", "a b", "a%", "a_"]
    assert [i.thread_id for i in await infos(saver, prefix="a%")] == ["a%"]
    assert [i.thread_id for i in await infos(saver, prefix="a", after="a b")] == ["a%", "a_"]
    assert [i.thread_id for i in await infos(saver, after="a", limit=2)] == ["a b", "a%"]
    assert await infos(saver, limit=0) == []


async def test_all_pages_together_are_all_threads(saver: Any) -> None:
    names = {f"thread {number:03}" for number in range(123)}
    for name in names:
        await Writer(saver, name).commit()
    assert [i.thread_id for i in await infos(saver)] == sorted(names)


async def test_thread_is_described(ten: Writer) -> None:
    inner = Writer(ten.saver, ten.thread, namespace="inner")
    await inner.commit({"n": b"inner"}, id=id_at(1_800_000_000 * 1_000_000_000))
    (info,) = await infos(ten.saver)
    assert (info.namespaces, info.checkpoints, info.head) == (("", "inner"), 11, ten.head)
    assert info.updated_at == datetime.fromtimestamp(1_800_000_000, UTC)
    assert info.bytes is None or 20 < info.bytes < 2_000


async def test_thread_of_a_subgraph_alone_has_no_head(saver: Any) -> None:
    await Writer(saver, namespace="inner").commit(id="not a time")
    (info,) = await infos(saver)
    assert (info.head, info.updated_at) == (None, None)


async def test_refused_commit_makes_no_thread(saver: Any) -> None:
    with pytest.raises(ThreadConflict):
        await Writer(saver, head=new_id()).commit()
    assert await infos(saver) == []


async def test_stats_count_what_is_there(ten: Writer) -> None:
    await Writer(ten.saver).commit({"n": b"x" * 1_000})
    stats = await ten.saver.astats()
    assert (stats.threads, stats.checkpoints) == (2, 11)
    assert stats.segments >= 3
    assert 1_000 < stats.bytes < 3_000


async def test_empty_checkpointer_has_nothing(saver: Any) -> None:
    stats = await saver.astats()
    assert StorageStats(0, 0, 0, 0, stats.database, stats.free) == stats


async def test_giving_space_back_changes_nothing_else(ten: Writer) -> None:
    if not isinstance(ten.saver, Reclaims):
        pytest.skip("memory shrinks by itself")
    for _ in range(100):
        await ten.commit({"page": urandom(20_000)})
    before = await ten.load()
    await ten.saver.aprune()
    assert await ten.saver.areclaim() >= 0
    assert held(await ten.load()) == held(before)
    assert await ten.commit({"page": b""})


async def test_file_of_what_was_forgotten_becomes_shorter(tmp_path: Path) -> None:
    path = tmp_path / "threads.db"
    async with SqliteSaver.from_conn_string(str(path)) as saver:
        writer = Writer(saver)
        for _ in range(100):
            await writer.commit({"page": urandom(20_000)})
        await saver.aprune()
        stats = await saver.astats()
        assert stats.database is not None and stats.free is not None
        assert 0 <= stats.database - stats.free < 200_000
        assert await saver.areclaim() == stats.free
        assert (await asyncio.to_thread(path.stat)).st_size < 200_000


# ---- through a graph


class State(TypedDict):
    log: Annotated[list[str], operator.add]


async def test_failed_step_goes_on_after_its_past_was_forgotten(saver: Any, thread: dict[str, Any]) -> None:
    ran: list[str] = []
    finished = asyncio.Event()

    async def steady(state: State) -> State:
        ran.append("steady")
        finished.set()
        return {"log": ["steady"]}

    async def shaky(state: State) -> State:
        await finished.wait()
        await asyncio.sleep(0)
        ran.append("shaky")
        if ran.count("shaky") == 1:
            raise ConnectionError
        return {"log": ["shaky"]}

    builder = StateGraph(State).add_node(steady).add_node(shaky)
    graph = builder.add_edge(START, "steady").add_edge(START, "shaky").compile(checkpointer=saver)
    with pytest.raises(ConnectionError):
        await graph.ainvoke({"log": ["input"]}, thread)
    before = await graph.aget_state(thread)
    await saver.aprune()
    after = await graph.aget_state(thread)
    assert (after.values, after.next, after.tasks) == (before.values, before.next, before.tasks)
    assert after.parent_config is None
    assert await graph.ainvoke(None, thread) == {"log": ["input", "shaky", "steady"]}
    assert ran.count("steady") == 1


# ---- while others work


async def test_runs_and_forks_go_on_while_the_past_is_forgotten(saver: Any) -> None:
    writers = [Writer(saver) for _ in range(3)]
    logs: dict[str, tuple[bytes, ...]] = {}

    async def work(writer: Writer, dice: Random) -> None:
        logs[await writer.commit({"log": b"0"})] = (b"0",)
        for number in range(80):
            part = b"%d" % number
            parent = dice.choice([writer.head, writer.head, *writer.made[-6:]])
            with suppress(ThreadConflict):  # the parent was forgotten
                made = await writer.commit(
                    {"n": part}, result("p", n=None), appends={"log": part}, parent=parent
                )
                logs[made] = (*logs[parent], part)

    async def forget(done: asyncio.Event) -> None:
        while not done.is_set():
            await saver.aprune(keep_last=3)
            await asyncio.sleep(0)

    done = asyncio.Event()
    forgetting = asyncio.create_task(forget(done))
    await asyncio.gather(*[work(writer, Random(n)) for n, writer in enumerate(writers)])
    done.set()
    await forgetting
    await saver.aprune(keep_last=3)
    for writer in writers:
        assert await writer.history() == writer.made[:-4:-1]
        for stored in await writer.stored():
            assert held(stored)["log"] == logs[stored.checkpoint.id]


async def test_child_that_is_named_while_its_thread_is_pruned_stays(
    ten: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    if ten.saver.immediate:
        pytest.skip("memory does it in one go")
    child = Writer(ten.saver, ten.thread, "child")
    for _ in range(3):
        await child.commit({"n": b"1"})
    read = housekeeping._note_children

    async def read_and_go_on(*args: Any) -> None:
        await read(*args)
        named = await child.commit({"n": b"2"})
        await ten.commit({CHILDREN: Serializer().dumps({"child": named})})
        await child.commit({"n": b"3"})

    monkeypatch.setattr(housekeeping, "_note_children", read_and_go_on)
    await ten.saver.aprune([ten.thread])
    assert await child.history() == child.made[:1:-1]


async def test_call_in_which_something_happens_while_it_is_forgotten_stays(
    ten: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    if ten.saver.immediate:
        pytest.skip("memory does it in one go")
    calls = [Writer(ten.saver, ten.thread, f"call:{n}") for n in range(2)]
    for call in calls:
        await call.commit({PARENTS: Serializer().dumps({"": ten.made[4]})})
    discard = housekeeping._discard

    async def go_on_and_discard(*args: Any) -> Any:
        await calls[1].commit({"n": b"1"})
        return await discard(*args)

    monkeypatch.setattr(housekeeping, "_discard", go_on_and_discard)
    assert (await ten.saver.aprune([ten.thread])).checkpoints == 9 + 1
    assert [await call.history() for call in calls] == [[], calls[1].made[::-1]]


async def test_damaged_notes_keep_what_they_may_need(ten: Writer) -> None:
    child = Writer(ten.saver, ten.thread, "child")
    for _ in range(3):
        await child.commit({"n": b"1"})
    await ten.commit({CHILDREN: b"\x93\x01"})
    with pytest.raises(DeserializationError):
        await ten.saver.aprune([ten.thread])
    await ten.commit({CHILDREN: b"\x81\xa1n\x01"})
    with pytest.raises(DeserializationError, match="Delete the thread"):
        await ten.saver.aprune([ten.thread])
    assert await child.history() == child.made[::-1]


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
async def test_nested_graphs_go_on_while_their_past_is_forgotten(saver: Any, durability: Any) -> None:
    async def count(state: State) -> State:
        return {"log": [str(len(state["log"]))]}

    def nested(inner: Any, **options: Any) -> Any:
        async def call(state: State) -> State:
            return {"log": (await inner.ainvoke({"log": []}))["log"][-1:]}

        builder = StateGraph(State).add_sequence([count, call]).add_edge(START, "count")
        return builder.compile(**options)

    lasting = StateGraph(State).add_node(count).add_edge(START, "count").compile(checkpointer=True)
    graph = nested(nested(nested(lasting)), checkpointer=saver)
    turns = 12

    async def work(config: Any) -> list[str]:
        for _ in range(turns):
            result = await graph.ainvoke({"log": []}, config, durability=durability)
        return [str(word) for word in result["log"][1::2]]

    async def forget(done: asyncio.Event) -> None:
        while not done.is_set():
            await saver.aprune()
            await asyncio.sleep(0)

    done = asyncio.Event()
    forgetting = asyncio.create_task(forget(done))
    counted = await asyncio.gather(*[work({"configurable": {"thread_id": f"{n}"}}) for n in range(4)])
    done.set()
    await forgetting
    assert counted == [[str(n) for n in range(turns)]] * 4
    await saver.aprune()
    assert [info.namespaces for info in await infos(saver)] == [("", "call|call|call")] * 4


async def test_history_that_is_read_meanwhile_leaves_out_what_goes(ten: Writer) -> None:
    seen = []
    async for stored in ten.saver.history(ten.thread):
        seen.append(stored.checkpoint.id)
        await ten.saver.aprune(keep_last=2)
    assert seen[:2] == ten.made[:-3:-1]
    assert seen == [one for one in reversed(ten.made) if one in seen]
