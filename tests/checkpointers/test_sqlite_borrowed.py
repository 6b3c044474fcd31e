"""Connections that belong to the user: whatever their settings and transactions, they are left as they were."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiosqlite
import pytest

from checkpointers.sqlite import SqliteSaver
from checkpointers.sqlite.files import borrowed
from checkpointers.sqlite.options import Options
from graphrt.errors import (
    GraphValidationError,
    StorageBusyError,
    StorageError,
    StorageSchemaError,
    ThreadConflict,
)
from tests.checkpointers.records import Writer, result


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "users.db")


@pytest.fixture
async def connection(path: str) -> AsyncIterator[aiosqlite.Connection]:
    async with aiosqlite.connect(path) as opened:
        yield opened


@pytest.fixture
async def saver(connection: aiosqlite.Connection) -> SqliteSaver:
    return SqliteSaver(connection)


async def scalar(connection: aiosqlite.Connection, statement: str) -> Any:
    async with connection.execute(statement) as cursor:
        row = await cursor.fetchone()
        assert row is not None
        return row[0]


async def test_tables_are_made_in_the_users_database(
    connection: aiosqlite.Connection, saver: SqliteSaver
) -> None:
    await connection.execute("CREATE TABLE mine (a)")
    await Writer(saver).commit({"a": b"1"})
    assert await scalar(connection, "SELECT count(*) FROM graphrt_checkpoints") == 1
    assert await scalar(connection, "SELECT count(*) FROM mine") == 0


async def test_a_thread_grows_forks_and_is_forgotten(saver: SqliteSaver) -> None:
    writer = Writer(saver)
    await writer.commit({"log": b"0"})
    await writer.append(result("p", log=b""))
    await writer.commit(appends={"log": b"1"})
    await writer.commit(appends={"log": b"2"}, parent=writer.made[0])
    assert (await writer.load()).appends == {"log": (b"2",)}
    assert len(await writer.history()) == 3
    await saver.adelete_thread(writer.thread)
    assert await writer.history() == []


def backwards(cursor: Any, row: tuple[Any, ...]) -> dict[str, Any]:
    return dict(zip([column[0] for column in cursor.description], row[::-1], strict=True))


@pytest.mark.parametrize("isolation_level", [None, "DEFERRED", "EXCLUSIVE"])
async def test_settings_are_left_alone_and_do_not_matter(path: str, isolation_level: Any) -> None:
    async with aiosqlite.connect(path, isolation_level=isolation_level) as connection:
        connection.row_factory = backwards
        connection.text_factory = bytes
        writer = Writer(SqliteSaver(connection))
        await writer.commit({"a": b"1"}, next=("node",), metadata={"user": "ada"})
        stored = await writer.load()
        assert (stored.channels, stored.checkpoint.next) == ({"a": b"1"}, ("node",))
        await connection.set_trace_callback(None)  # its turn comes when ours is over
        assert (connection.row_factory, connection.text_factory) == (backwards, bytes)
        assert connection.isolation_level == isolation_level
        connection.row_factory = None
        assert await scalar(connection, "PRAGMA foreign_keys") == 0


async def test_deleting_leaves_nothing_though_the_user_checks_no_foreign_keys(
    connection: aiosqlite.Connection, saver: SqliteSaver
) -> None:
    writer = Writer(saver)
    await writer.commit({"a": b"1"})
    await writer.append(result("p"))
    await saver.adelete_thread(writer.thread)
    for table in ("checkpoints", "segments", "results"):
        assert await scalar(connection, f"SELECT count(*) FROM graphrt_{table}") == 0


# ---- the user's transactions


async def test_a_commit_waits_for_the_users_transaction(
    connection: aiosqlite.Connection, saver: SqliteSaver
) -> None:
    await connection.execute("CREATE TABLE mine (a)")
    writer = Writer(saver)
    await writer.commit()
    await connection.execute("INSERT INTO mine VALUES (1)")
    commit = asyncio.ensure_future(writer.commit({"a": b"1"}))
    reading = asyncio.ensure_future(saver.load("thread"))
    for _ in range(20):
        await connection.execute("INSERT INTO mine VALUES (2)")
    assert not commit.done() and not reading.done()
    await connection.rollback()
    await asyncio.gather(commit, reading)
    assert await scalar(connection, "SELECT count(*) FROM mine") == 0
    assert len(await writer.history()) == 2


async def test_a_transaction_that_the_user_forgot_is_told(connection: aiosqlite.Connection) -> None:
    saver = SqliteSaver(connection)
    saver._file = borrowed(connection, Options(busy_timeout_s=0.02))
    await saver.setup()
    await connection.execute("BEGIN")
    with pytest.raises(StorageBusyError, match="transaction of your own"):
        await Writer(saver).commit()
    with pytest.raises(StorageBusyError):
        await saver.load("t")
    await connection.rollback()
    assert await Writer(saver).commit()


async def test_what_the_user_deletes_by_hand_is_gone(
    connection: aiosqlite.Connection, saver: SqliteSaver
) -> None:
    writer = Writer(saver)
    await writer.commit()
    await connection.execute("DELETE FROM graphrt_checkpoints")
    await connection.execute("DELETE FROM graphrt_threads")
    await connection.commit()
    with pytest.raises(ThreadConflict) as caught:
        await writer.commit()
    assert caught.value.current is None


async def test_two_savers_on_one_connection_see_each_others_commits(
    saver: SqliteSaver, connection: Any
) -> None:
    one, two = Writer(saver), Writer(SqliteSaver(connection))
    for n in range(4):
        first, second = (one, two) if n % 2 else (two, one)
        first.head = second.head
        await first.commit({"n": b"%d" % n})
        with pytest.raises(ThreadConflict):
            await second.commit()
    assert len(await one.history()) == 4


async def test_commits_of_the_same_moment_share_a_transaction(
    connection: aiosqlite.Connection, saver: SqliteSaver
) -> None:
    await saver.setup()
    seen: list[str] = []
    await connection.set_trace_callback(seen.append)
    await asyncio.gather(*(Writer(saver, f"thread-{n}").commit() for n in range(30)))
    await connection.set_trace_callback(None)
    assert seen.count("COMMIT") <= 2


# ---- beginning and end


async def test_closing_the_saver_leaves_the_connection_open(connection: aiosqlite.Connection) -> None:
    async with SqliteSaver(connection) as saver:
        await Writer(saver).commit()
    assert await scalar(connection, "SELECT count(*) FROM graphrt_threads") == 1
    with pytest.raises(StorageError, match="closed"):
        await saver.load("thread")


async def test_a_connection_that_is_not_open_is_told_and_may_be_opened(path: str) -> None:
    connection = aiosqlite.connect(path)
    saver = SqliteSaver(connection)
    with pytest.raises(StorageError, match="not open"):
        await saver.setup()
    async with connection:
        assert await Writer(saver).commit()
    with pytest.raises(StorageError, match="not open"):
        await saver.load("thread")


async def test_tables_of_a_later_program_are_refused(
    connection: aiosqlite.Connection, saver: SqliteSaver
) -> None:
    await saver.setup()
    await connection.execute("INSERT INTO graphrt_migrations VALUES (99)")
    await connection.commit()
    with pytest.raises(StorageSchemaError, match="version 99"):
        await SqliteSaver(connection).setup()


async def test_a_loop_that_ends_does_not_take_the_connection_with_it(saver: SqliteSaver) -> None:
    await saver.setup()

    def leave() -> None:
        loop = asyncio.new_event_loop()
        task = loop.create_task(Writer(saver, "left").commit())
        loop.run_until_complete(asyncio.sleep(0))
        task._log_destroy_pending = False
        loop.close()

    await asyncio.to_thread(leave)
    assert await Writer(saver, "stays").commit()


@pytest.mark.parametrize("wrong", ["chat.db", None, 1])
def test_what_is_no_connection_is_refused(wrong: Any) -> None:
    with pytest.raises(GraphValidationError, match="from_conn_string"):
        SqliteSaver(wrong)


# ---- the standard library's


def test_a_connection_of_the_standard_library_serves_as_well(path: str) -> None:
    connection = sqlite3.connect(path, check_same_thread=False)
    with SqliteSaver(connection) as saver:
        asyncio.run(Writer(saver).commit({"a": b"1"}))
        stored = asyncio.run(saver.load("thread"))
        assert stored is not None and stored.channels == {"a": b"1"}
    assert connection.execute("SELECT count(*) FROM graphrt_checkpoints").fetchone() == (1,)
    connection.close()
    assert not [thread for thread in threading.enumerate() if "of the user" in thread.name and thread.join(5)]


def test_one_that_works_in_its_thread_only_is_told(path: str) -> None:
    connection = sqlite3.connect(path)
    with pytest.raises(StorageError, match="check_same_thread=False"):
        SqliteSaver(connection).setup()
    connection.close()
