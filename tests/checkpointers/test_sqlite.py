"""What only SQLite has: a file, options, shared transactions, connections that belong to somebody else."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import aiosqlite
import pytest

from checkpointers.segments import MAX_SEGMENTS
from checkpointers.sqlite import SqliteSaver, files, statements
from checkpointers.sqlite.options import MEMORY, Options, place_of
from graphrt.checkpoint.urls import saver_from_url
from graphrt.errors import (
    GraphValidationError,
    RunningLoopError,
    StorageError,
    StorageSchemaError,
    ThreadConflict,
)
from tests.checkpointers.records import Writer


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "threads.db")


@pytest.fixture
async def sqlite(path: str) -> AsyncIterator[SqliteSaver]:
    async with SqliteSaver.from_conn_string(path) as saver:
        yield saver


# ---- places and options


@pytest.mark.parametrize(
    "conn_string, place",
    [
        ("/var/chat.db", "/var/chat.db"),
        ("sqlite:////var/chat.db", "/var/chat.db"),
        ("sqlite:////var/a%20b.db", "/var/a b.db"),
        (":memory:", MEMORY),
        ("sqlite://", MEMORY),
        ("sqlite:///:memory:", MEMORY),
    ],
)
def test_place_that_a_string_names(conn_string: str, place: str) -> None:
    assert place_of(conn_string, {}) == (place, Options())


def test_relative_url_means_the_working_folder(monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert place_of("sqlite:///chat.db", {})[0] == str(tmp_path / "chat.db")


def test_options_come_from_the_url_and_from_keywords() -> None:
    _, options = place_of("sqlite:////x.db?synchronous=FULL&readers=5", {"busy_timeout_s": 1})
    assert options == Options(synchronous="FULL", readers=5, busy_timeout_s=1.0)


@pytest.mark.parametrize(
    "conn_string, says",
    [
        ("sqlite:////x.db?synchronus=FULL", "Did you mean 'synchronous'"),
        ("sqlite:////x.db?synchronous=SOMETIMES", "Invalid enum value"),
        ("sqlite:////x.db?readers=0", "readers at least 1"),
        ("sqlite:chat.db", "sqlite:///chat.db"),
        ("sqlite://host/chat.db", "sqlite:///chat.db"),
        ("", "path"),
    ],
)
def test_string_that_makes_no_sense_says_what_would(conn_string: str, says: str) -> None:
    with pytest.raises(GraphValidationError, match=says):
        SqliteSaver.from_conn_string(conn_string)


@pytest.mark.parametrize("synchronous, number", [("OFF", 0), ("NORMAL", 1), ("FULL", 2), ("EXTRA", 3)])
async def test_writer_uses_the_option(path: str, synchronous: Any, number: int) -> None:
    async with SqliteSaver.from_conn_string(path, synchronous=synchronous) as saver:
        (value,) = await saver._write(lambda c: c.execute("PRAGMA synchronous").fetchone())
    assert value == number


async def test_saver_by_url_opens_at_first_use(path: str) -> None:
    saver = await asyncio.to_thread(saver_from_url, f"sqlite:///{path}")
    assert await saver.load("unknown") is None
    await saver.aclose()
    assert await asyncio.to_thread(Path(path).exists)


# ---- tables


def catalogue(connection: sqlite3.Connection) -> list[Any]:
    tables = connection.execute(
        "SELECT name, sql FROM sqlite_master "
        "WHERE name NOT LIKE 'sqlite_%' AND name <> 'graphrt_migrations' ORDER BY name"
    )
    return [(name, " ".join(sql.split())) for name, sql in tables]


def test_schema_is_what_the_migrations_make() -> None:
    schema = (Path(statements.__file__).parent / "schema.sql").read_text()
    with closing(sqlite3.connect(":memory:")) as migrated, closing(sqlite3.connect(":memory:")) as declared:
        for text in statements.MIGRATIONS.values():
            migrated.executescript(text)
        declared.executescript(schema)
        assert catalogue(migrated) == catalogue(declared) != []


def test_script_of_migrations_makes_what_setup_makes(path: str) -> None:
    with SqliteSaver.from_conn_string(path) as saver:
        script = saver.migrations()
    with closing(sqlite3.connect(path)) as made, closing(sqlite3.connect(":memory:")) as scripted:
        scripted.executescript(script)
        assert catalogue(scripted) == catalogue(made) != []
        newest = scripted.execute("SELECT max(version) FROM graphrt_migrations").fetchone()
        assert newest == (statements.LATEST,)


async def test_tables_of_a_later_program_are_refused(path: str) -> None:
    async with SqliteSaver.from_conn_string(path) as saver:
        await saver._write(lambda c: c.execute("INSERT INTO graphrt_migrations VALUES (99)"))
    with pytest.raises(StorageSchemaError, match="version 99"):
        await SqliteSaver.from_conn_string(path).setup()


async def test_nothing_of_a_deleted_thread_is_left_in_any_table(sqlite: SqliteSaver) -> None:
    writer = Writer(sqlite)
    for n in range(3):
        await writer.commit({"a": b"%d" % n})
    await sqlite.adelete_thread(writer.thread)

    def rows(connection: sqlite3.Connection) -> list[int]:
        counts = (
            "SELECT count(*) FROM graphrt_threads",
            "SELECT count(*) FROM graphrt_checkpoints",
            "SELECT count(*) FROM graphrt_segments",
        )
        return [connection.execute(count).fetchone()[0] for count in counts]

    assert await sqlite._read(rows) == [0, 0, 0]


# ---- errors


@pytest.mark.parametrize("content", [b"this is no database, however long it may be" * 50])
async def test_file_that_is_no_database_says_so(path: str, content: bytes) -> None:
    def spoil() -> None:
        Path(path).write_bytes(content)

    await asyncio.to_thread(spoil)
    with pytest.raises(StorageError, match="not an SQLite database"):
        await SqliteSaver.from_conn_string(path).setup()


async def test_missing_folder_says_so(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="Does its folder exist"):
        await SqliteSaver.from_conn_string(str(tmp_path / "no" / "where.db")).load("t")


async def test_closed_saver_says_so(path: str) -> None:
    async with SqliteSaver.from_conn_string(path) as saver:
        pass
    with pytest.raises(StorageError, match="closed"):
        await saver.load("t")
    await saver.aclose()


async def test_lock_that_another_process_keeps_is_reported(path: str) -> None:
    async with SqliteSaver.from_conn_string(path, busy_timeout_s=0.05) as saver:
        other = await aiosqlite.connect(path, isolation_level=None)
        await other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageError, match=r"locked for 0\.05 s"):
            await Writer(saver).commit()
        await other.execute("ROLLBACK")
        await other.close()
        assert await Writer(saver).commit()


# ---- the shared writer


async def test_commits_of_the_same_moment_share_a_transaction(path: str, sqlite: SqliteSaver) -> None:
    seen: list[str] = []
    await sqlite._write(lambda c: c.set_trace_callback(seen.append))
    writers = [Writer(sqlite, f"thread-{n}") for n in range(50)]
    await asyncio.gather(*(writer.commit({"a": b"1"}) for writer in writers))
    await sqlite._write(lambda c: c.set_trace_callback(None))
    assert (
        sum(text == "COMMIT" for text in seen) <= 1 + 2 + 1
    )  # the first alone, the others, the callback's own two


async def test_savers_of_one_file_share_its_writer(path: str, sqlite: SqliteSaver) -> None:
    async with SqliteSaver.from_conn_string(path) as other:
        assert other._file is sqlite._file
    assert await Writer(sqlite).commit()  # closing one leaves it to the others


async def test_refused_commit_leaves_its_neighbours_alone(sqlite: SqliteSaver) -> None:
    good, bad = Writer(sqlite, "good"), Writer(sqlite, "bad", head="elsewhere")
    first = Writer(sqlite, "first")
    outcomes = await asyncio.gather(first.commit(), bad.commit(), good.commit(), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [str, ThreadConflict, str]


async def test_change_that_breaks_the_transaction_fails_alone(sqlite: SqliteSaver) -> None:
    def broken(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO graphrt_threads (chain) VALUES (1)")

    before, behind = Writer(sqlite, "before"), Writer(sqlite, "behind")
    outcomes = await asyncio.gather(
        before.commit(), sqlite._write(broken), behind.commit(), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [str, StorageError, str]
    assert await behind.history() == behind.made


async def test_saver_serves_several_event_loops(path: str, sqlite: SqliteSaver) -> None:
    made: list[str] = []

    def elsewhere(name: str) -> None:
        made.append(asyncio.run(Writer(sqlite, name).commit({"a": b"1"})))

    await asyncio.gather(*(asyncio.to_thread(elsewhere, f"thread-{n}") for n in range(4)))
    assert len(made) == 4
    assert {(await Writer(sqlite, f"thread-{n}").load()).head for n in range(4)} == set(made)


async def test_answer_for_a_loop_that_is_closed_is_dropped(sqlite: SqliteSaver) -> None:
    def leave() -> None:
        loop = asyncio.new_event_loop()
        task = loop.create_task(Writer(sqlite, "left").commit())
        loop.call_soon(loop.stop)
        loop.run_forever()
        task.cancel()
        loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
        loop.close()

    await asyncio.to_thread(leave)
    assert await Writer(sqlite, "stays").commit()


# ---- growing values


async def test_load_of_a_long_thread_reads_few_rows(sqlite: SqliteSaver) -> None:
    writer = Writer(sqlite)
    await writer.commit({"log": b"0", "n": b"0"})
    most = 0
    for n in range(1, 700):
        await writer.commit({"n": b"%d" % n}, appends={"log": b"%d" % n}, version=n + 1)
        if n % 32 == 31:
            most = max(most, await sqlite._read(_rows_of_log))
    assert most <= MAX_SEGMENTS
    assert (await writer.load()).appends["log"] == tuple(b"%d" % n for n in range(1, 700))
    early = await writer.load(writer.made[100])
    assert early.appends["log"] == tuple(b"%d" % n for n in range(1, 101))


def _rows_of_log(connection: sqlite3.Connection) -> int:
    (count,) = connection.execute("SELECT count(*) FROM graphrt_segments WHERE channel = 'log'").fetchone()
    return int(count)


# ---- connections of one's own, and no event loop


async def test_users_connection_is_used_and_left_open(path: str) -> None:
    async with aiosqlite.connect(path) as connection:
        async with SqliteSaver(connection) as saver:
            await Writer(saver).commit({"a": b"1"})
            assert (await Writer(saver).load()).channels == {"a": b"1"}
        async with connection.execute("SELECT count(*) FROM graphrt_checkpoints") as cursor:
            assert await cursor.fetchone() == (1,)


async def test_threads_in_memory_live_as_long_as_their_saver() -> None:
    async with (
        SqliteSaver.from_conn_string(":memory:") as one,
        SqliteSaver.from_conn_string("sqlite://") as two,
    ):
        await Writer(one).commit()
        assert await two.load("thread") is None
        assert await one.load("thread") is not None


def test_saver_serves_code_without_an_event_loop(path: str) -> None:
    with SqliteSaver.from_conn_string(path) as saver:
        asyncio.run(Writer(saver).commit())
        saver.delete_thread("thread")
        assert asyncio.run(saver.load("thread")) is None


async def test_blocking_methods_refuse_a_running_loop(sqlite: SqliteSaver) -> None:
    for method in (sqlite.close, sqlite.__enter__, lambda: sqlite.delete_thread("t")):
        with pytest.raises(RunningLoopError):
            method()


async def test_closing_ends_the_threads(path: str) -> None:
    async with SqliteSaver.from_conn_string(path) as saver:
        await saver.load("t")
        lanes = [thread for thread in threading.enumerate() if path in thread.name]
        assert lanes
    await asyncio.to_thread(lambda: [thread.join(5) for thread in lanes])
    assert not any(thread.is_alive() for thread in lanes)
    assert not any(file.place == path for file in files._open.files.values())
