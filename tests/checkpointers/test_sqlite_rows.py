"""What commits leave in an SQLite file: few rows to read at any depth, numbers that are never used twice."""

import sqlite3
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from checkpointers.segments import MAX_SEGMENTS, TIDY_EVERY, Row, frames
from checkpointers.sqlite import SqliteSaver, reading
from checkpointers.sqlite.lanes import awaited
from checkpointers.sqlite.reading import Asked
from graphrt.testing.conformance.records import Writer, held, result

ROWS = "SELECT seq, whole, data, parts FROM graphrt_segments WHERE channel = ? ORDER BY seq"


@pytest.fixture
async def saver(tmp_path: Path) -> AsyncIterator[SqliteSaver]:
    async with SqliteSaver.from_conn_string(str(tmp_path / "threads.db")) as opened:
        yield opened


@pytest.fixture
def writer(saver: SqliteSaver) -> Writer:
    return Writer(saver, "thread")


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[int]]:
    """Numbers of the rows that were read of each channel."""
    seen: dict[str, list[int]] = {}
    rows: Any = reading._rows

    def counting(connection: Any, chain: int, channel: str, *args: Any) -> Any:
        found = rows(connection, chain, channel, *args)
        seen.setdefault(channel, []).extend(row.seq for row in found)
        return found

    monkeypatch.setattr(reading, "_rows", counting)
    return seen


async def rows_of(saver: SqliteSaver, channel: str) -> list[Row]:
    found = await saver._read(lambda c: c.execute(ROWS, (channel,)).fetchall())
    return [Row(seq, bool(whole), data, parts or b"") for seq, whole, data, parts in found]


async def one(saver: SqliteSaver, statement: str) -> Any:
    return await saver._read(lambda c: c.execute(statement).fetchone())


async def grow(writer: Writer, times: int, **fields: Any) -> None:
    for n in range(times):
        await writer.commit(appends={"log": b"%d" % n}, **fields)


# ---- merging


async def test_small_rows_become_one_and_keep_the_numbers_of_their_commits(writer: Writer) -> None:
    await writer.commit({"log": b"first"})
    await grow(writer, TIDY_EVERY - 1)
    whole, merged = await rows_of(writer.saver, "log")
    assert (whole.seq, whole.data, merged.seq) == (1, b"first", 2)
    assert [seq for seq, _ in frames(merged.parts)] == list(range(2, TIDY_EVERY + 1))


async def test_rows_are_merged_whatever_the_versions_are(writer: Writer) -> None:
    # A run that stores only its end counts all of its steps: its versions may never be multiples of anything.
    await writer.commit({"log": b"0"}, version=1)
    for n in range(1, 6 * TIDY_EVERY):
        await writer.commit(appends={"log": b"%d" % n}, version=1 + 2 * n)
    assert len(await rows_of(writer.saver, "log")) <= MAX_SEGMENTS


async def test_a_load_reads_few_rows_however_long_a_thread_is(
    writer: Writer, read: dict[str, list[int]]
) -> None:
    await writer.commit({"log": b"0", "n": b"0"})
    for n in range(1, 500):
        await writer.commit({"n": b"%d" % n}, appends={"log": b"%d" % n})
    for identity in (None, writer.made[250], writer.made[3]):
        read.clear()
        await writer.load(identity)
        assert len(read["n"]) == 1 and len(read["log"]) <= MAX_SEGMENTS


async def test_rows_of_a_branch_are_not_merged_with_those_before_the_fork(writer: Writer) -> None:
    await writer.commit({"log": b"0"})
    await grow(writer, 40)
    fork = writer.made[10]
    await writer.commit(appends={"log": b"branch"}, parent=fork)
    await grow(writer, 3 * TIDY_EVERY)
    before = [row for row in await rows_of(writer.saver, "log") if row.seq <= 41]
    assert max(seq for row in before for seq, _ in frames(row.parts)) == 41
    assert len((await writer.held(fork))["log"]) == 11
    assert len((await writer.held())["log"]) == 12 + 3 * TIDY_EVERY


async def test_a_branch_does_not_read_the_trunk_that_it_left(
    writer: Writer, read: dict[str, list[int]]
) -> None:
    for n in range(200):
        await writer.commit({"n": b"%d" % n})
    await writer.commit({"m": b"1"}, parent=writer.made[5])
    for _ in range(10):
        await writer.commit()
    read.clear()
    assert (await writer.load()).channels == {"n": b"5", "m": b"1"}
    page = await writer.saver._read(lambda c: reading.page(c, Asked("thread", "", {}, None), 8))
    assert [len(stored.channels) for stored in page.stored] == [2] * 8
    assert max(read["n"]) == 6


async def test_a_fork_of_many_forks_begins_with_a_copy(writer: Writer) -> None:
    await writer.commit({"log": b"0", "still": b"1", "gone": b"1"})
    await writer.commit({"gone": None})
    expected = [b"0"]
    for n in range(12):
        parent = writer.head
        await writer.commit(appends={"log": b"left"})
        await writer.commit(appends={"log": b"%d" % n}, parent=parent)
        expected.append(b"%d" % n)
    assert held(await writer.load()) == {"log": tuple(expected), "still": (b"1",)}
    deepest = await writer.saver._read(
        lambda c: c.execute("SELECT max(json_array_length(earlier)) FROM graphrt_checkpoints").fetchone()
    )
    assert deepest[0] <= 8
    assert len([row for row in await rows_of(writer.saver, "still") if row.whole]) == 2


# ---- numbers


async def test_the_number_of_a_forgotten_head_is_not_used_again(writer: Writer) -> None:
    await writer.commit({"n": b"1"})
    await writer.commit({"n": b"2"}, metadata={"run_id": "gone"})
    await writer.saver.adelete_for_runs(["gone"])
    writer.head = writer.made[0]
    await writer.commit({"m": b"3"})
    assert await one(writer.saver, "SELECT max(seq) FROM graphrt_checkpoints") == (3,)
    assert (await writer.load()).channels == {"n": b"1", "m": b"3"}


async def test_the_number_of_a_deleted_thread_is_not_used_again(writer: Writer) -> None:
    await writer.commit()
    await writer.saver.adelete_thread("thread")
    await Writer(writer.saver, "next").commit()
    assert await one(writer.saver, "SELECT chain FROM graphrt_threads") == (2,)


async def test_results_go_with_their_checkpoint(writer: Writer) -> None:
    await writer.commit()
    await writer.append(result("p", a=b"1"))

    def delete(connection: sqlite3.Connection) -> int:
        connection.execute("DELETE FROM graphrt_checkpoints")
        return int(connection.execute("SELECT count(*) FROM graphrt_results").fetchone()[0])

    assert await writer.saver._write(delete) == 0


# ---- history


async def test_history_goes_on_below_where_it_was_though_much_is_committed(writer: Writer) -> None:
    for _ in range(30):
        await writer.commit()
    before = list(writer.made)
    seen: list[str] = []
    async for stored in writer.saver.history("thread"):
        seen.append(stored.checkpoint.id)
        await writer.commit()
    assert seen == before[::-1]


@pytest.mark.parametrize("filter", [{}, {"source": "loop"}, {"user": "ada"}])
async def test_a_page_takes_as_many_queries_whatever_its_size(writer: Writer, filter: dict[str, Any]) -> None:
    for n in range(40):
        await writer.commit({"n": b"%d" % n}, result("p", n=b"1"), metadata={"user": "ada"})

    def queries(connection: sqlite3.Connection, size: int) -> int:
        seen: list[str] = []
        connection.set_trace_callback(seen.append)
        assert len(reading.page(connection, Asked("thread", "", filter, None), size).stored) == size
        connection.set_trace_callback(None)
        return len(seen)

    small, large = [await writer.saver._read(partial(queries, size=size)) for size in (2, 40)]
    assert small == large


async def test_history_ends_when_another_thread_has_taken_the_name(writer: Writer) -> None:
    for _ in range(20):
        await writer.commit({"a": b"old"})
    seen = []
    async for stored in writer.saver.history("thread"):
        seen.append(stored.channels["a"])
        if len(seen) == 1:
            await writer.saver.adelete_thread("thread")
            again = Writer(writer.saver, "thread")
            for _ in range(20):
                await again.commit({"a": b"new"})
    assert set(seen) == {b"old"}


async def test_history_holds_no_lock_while_its_reader_thinks(writer: Writer, tmp_path: Path) -> None:
    for _ in range(20):
        await writer.commit()
    shown = writer.saver.history("thread")
    await anext(shown)

    def empty_the_log(connection: sqlite3.Connection) -> int:
        (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return int(busy)

    assert await awaited(writer.saver._file.main, empty_the_log) == 0
    await shown.aclose()


@pytest.mark.parametrize(
    "wanted, found",
    [({"step": 1}, 2), ({"step": True}, 2), ({"step": 1.0}, 2), ({"step": 2**80}, 0), ({"source": "input"}, 1),
     ({"source": None}, 0), ({"source": 1}, 0), ({"n": 2**80}, 1), ({"n": float(2**80)}, 1), ({"n": "x"}, 0)],
)  # fmt: skip
async def test_filter_is_pythons_equality(writer: Writer, wanted: Any, found: int) -> None:
    await writer.commit(step=1, source="input", metadata={"n": 2**80})
    await writer.commit(step=1)
    await writer.commit(step=3, metadata={"step": 2})
    assert len(await writer.history(filter=wanted)) == found


async def test_before_may_be_any_text(writer: Writer) -> None:
    await writer.commit(id="an id of another program")
    await writer.commit()
    assert len(await writer.history(before="z")) == 2
    assert await writer.history(before="b") == [writer.made[1], "an id of another program"]
    assert await writer.history(before=writer.made[1]) == []
