"""Rows of growing channels in Postgres: merged now and then, bounded in number, and read as if nothing had happened."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from checkpointers.postgres import saver as saver_module
from checkpointers.postgres import tidying
from checkpointers.postgres.statements import statements
from checkpointers.rows import pack_id
from checkpointers.segments import MAX_SEGMENTS, TIDY_EVERY
from graphrt.checkpoint.postgres import PostgresSaver
from graphrt.testing.conformance.forks import Forks
from graphrt.testing.conformance.growth import Growth
from graphrt.testing.conformance.random_threads import RandomThreads
from tests.checkpointers.postgres_world import locked, until_waiting
from tests.checkpointers.records import Writer


@pytest.fixture
async def saver(postgres: str) -> AsyncIterator[PostgresSaver]:
    async with PostgresSaver.from_conn_string(postgres) as saver:
        yield saver


@pytest.fixture
def writer(saver: PostgresSaver) -> Writer:
    return Writer(saver)


@pytest.fixture
async def connection(postgres: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(postgres)
    yield connection
    await connection.close()


async def grow(writer: Writer, count: int) -> None:
    if writer.head is None:
        await writer.commit({"log": b""})
    for n in range(count):
        await writer.commit(appends={"log": b"%d" % n})


async def rows(connection: Any) -> int:
    number: int = await connection.fetchval("SELECT count(*) FROM graphrt.segments")
    return number


class TestMergedAfterEveryCommit(Growth, Forks, RandomThreads):
    """The suite's tests of growing and branching threads, with rows that are merged far more often than usual."""

    @pytest.fixture
    async def saver(self, postgres: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[PostgresSaver]:
        monkeypatch.setattr(saver_module, "TIDY_EVERY", 1)
        async with PostgresSaver.from_conn_string(postgres) as saver:
            yield saver


# ---- how many


async def test_commits_since_the_last_merging_are_rows_of_their_own(writer: Writer, connection: Any) -> None:
    await grow(writer, TIDY_EVERY - 2)
    assert await rows(connection) == TIDY_EVERY - 1
    await grow(writer, 1)
    assert await rows(connection) == 2  # the whole value, and all parts


@pytest.mark.parametrize("commits", [100, 1000])
async def test_load_reads_few_rows_however_long_the_thread(
    writer: Writer, connection: Any, commits: int
) -> None:
    await grow(writer, commits)
    assert await rows(connection) <= MAX_SEGMENTS
    assert (await writer.load()).appends["log"] == tuple([b"%d" % n for n in range(commits)])


async def blocks(connection: Any, writer: Writer, identity: str | None = None) -> int:
    """Blocks of tables and indexes that a load looks at."""
    (row,) = await connection.fetch(
        "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + statements("graphrt").load,
        writer.thread, "", pack_id(identity) if identity is not None else None,
    )  # fmt: skip
    plan = json.loads(row[0])[0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


async def test_load_does_not_look_at_history(writer: Writer, connection: Any) -> None:
    looked_at: list[tuple[int, int]] = []
    for _ in range(2):
        for n in range(700):
            await writer.commit({"a": b"%d" % n, "b": b"%d" % n}, metadata={"filling": "x" * 100})
        await connection.execute("ANALYZE graphrt.checkpoints, graphrt.segments")
        looked_at.append(
            (await blocks(connection, writer), await blocks(connection, writer, writer.made[-9]))
        )
    (head, old), (later_head, later_old) = looked_at
    assert later_head <= head + 4
    assert later_old <= old + 8


async def test_ids_that_do_not_sort_by_time_are_found(writer: Writer) -> None:
    for identity in ("m", "z", "a", "\0\ud800", "q", "b"):
        await writer.commit({"a": identity.encode(errors="surrogatepass")}, id=identity)
    for identity in writer.made:
        assert await writer.held(identity) == {"a": (identity.encode(errors="surrogatepass"),)}
    assert await writer.history(before="n") == ["b", "\0\ud800", "a", "m"]


async def test_what_one_branch_merges_the_others_still_see(writer: Writer) -> None:
    await grow(writer, 20)
    trunk = writer.head
    await writer.commit(appends={"log": b"branch"}, parent=writer.made[10])
    await grow(writer, 2 * TIDY_EVERY)
    numbers = [b"%d" % n for n in range(2 * TIDY_EVERY)]
    assert (await writer.load()).appends["log"] == (*numbers[:10], b"branch", *numbers)
    assert (await writer.load(trunk)).appends["log"] == tuple(numbers[:20])


async def test_deep_fork_begins_a_line_of_its_own(writer: Writer, connection: Any) -> None:
    await grow(writer, 3)
    for _ in range(30):
        kept = writer.head
        await writer.commit(appends={"log": b"abandoned"})
        await writer.commit(appends={"log": b"kept"}, parent=kept)
    longest = await connection.fetchval("SELECT max(cardinality(earlier)) FROM graphrt.checkpoints")
    assert longest <= 16
    assert (await writer.load()).appends["log"] == (b"0", b"1", b"2", *[b"kept"] * 30)


# ---- while others work


async def test_commits_wait_for_a_merging_and_succeed(
    saver: PostgresSaver, writer: Writer, postgres: str
) -> None:
    await grow(writer, TIDY_EVERY - 2)
    async with locked(postgres, writer):
        tidy = asyncio.ensure_future(saver._tidy(writer.thread, ""))
        await until_waiting(postgres)
        commit = asyncio.ensure_future(writer.commit(appends={"log": b"more"}, version=1))
        await until_waiting(postgres, 2)
    await asyncio.gather(tidy, commit)
    assert (await writer.load()).appends["log"][-1] == b"more"
    assert len((await writer.load()).appends["log"]) == TIDY_EVERY - 1


async def test_many_mergings_at_once_lose_nothing(
    writer: Writer, saver: PostgresSaver, connection: Any
) -> None:
    for n in range(3):
        await grow(writer, TIDY_EVERY - 10 + n)
        await asyncio.gather(*(saver._tidy(writer.thread, "") for _ in range(6)))
    numbers = [b"%d" % n for turn in range(3) for n in range(TIDY_EVERY - 10 + turn)]
    assert (await writer.load()).appends["log"] == tuple(numbers)
    assert await rows(connection) < TIDY_EVERY


async def test_merging_of_a_thread_that_was_deleted_does_nothing(saver: PostgresSaver) -> None:
    await saver._tidy("unknown", "")


async def test_merging_that_fails_does_not_fail_the_commit(
    writer: Writer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, connection: Any
) -> None:
    async def fail(*_: Any) -> None:
        raise asyncpg.DiskFullError("no room")

    await grow(writer, TIDY_EVERY - 2)
    monkeypatch.setattr(tidying, "tidy", fail)
    with caplog.at_level(logging.WARNING):
        await grow(writer, 1)
    assert "could not be merged" in caplog.text
    assert await rows(connection) == TIDY_EVERY
    monkeypatch.undo()
    await grow(writer, TIDY_EVERY)
    assert await rows(connection) == 2


async def test_merging_in_a_transaction_of_the_users_is_part_of_it(connection: Any) -> None:
    writer = Writer(PostgresSaver(connection))
    transaction = connection.transaction()
    await transaction.start()
    await grow(writer, TIDY_EVERY - 1)
    assert await rows(connection) == 2
    await transaction.rollback()
    assert await rows(connection) == 0
