"""SqliteStore: files that last, shared by tasks, processes and savers; strings that mean nothing to SQL; sqlite-vec."""

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import timedelta
from math import dist
from pathlib import Path
from typing import Any

import aiosqlite
import pytest

from checkpointers.sqlite.writer import Writer
from graphrt.checkpoint.sqlite import SqliteSaver
from graphrt.errors import (
    DeserializationError,
    GraphValidationError,
    RunningLoopError,
    StorageError,
    StorageSchemaError,
)
from graphrt.store.base import GetOp, PutOp
from graphrt.store.sqlite import AsyncSqliteStore, SqliteStore
from graphrt.testing.clock import FakeClock
from stores.rows import below, pack_namespace, unpack_namespace
from stores.sqlite import extension
from tests.hostile.corpus import ALL
from tests.hostile.test_sql import listen_to_sqlite
from tests.store.trials import INDEX, exercise, same_as_memory

NS = ("users", "17")


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "memory.db")


@pytest.fixture
async def store(path: str) -> AsyncIterator[SqliteStore]:
    async with SqliteStore.from_conn_string(path) as opened:
        yield opened


def rows(path: str, sql: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as connection, connection:
        return connection.execute(sql).fetchall()


# ---- files


async def test_items_are_there_when_the_file_is_opened_again(path: str) -> None:
    async with SqliteStore.from_conn_string(f"sqlite:///{path}") as store:
        await store.aput(NS, "k", {"a": [1, 1.0, None]})
    async with SqliteStore.from_conn_string(path) as store:
        item = await store.aget(NS, "k")
        assert item is not None and repr(item.value) == "{'a': [1, 1.0, None]}"


def test_langgraphs_names_mean_the_same_class() -> None:
    assert AsyncSqliteStore is SqliteStore


def test_file_is_used_without_a_loop(path: str) -> None:
    with SqliteStore.from_conn_string(path) as store:
        store.setup()
        store.put(NS, "k", {"a": 1})
        assert store.search(("users",))[0].key == "k"


async def test_sync_methods_refuse_to_block_a_loop(store: SqliteStore) -> None:
    with pytest.raises(RunningLoopError):
        store.get(NS, "k")


PROGRAM = """
import asyncio, sys
from graphrt.store.sqlite import SqliteStore

async def main(path, name):
    async with SqliteStore.from_conn_string(path) as store:
        await asyncio.gather(*(store.aput(("all",), f"{name} {n}", {"n": n}) for n in range(100)))

sys.stdin.readline()
asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.slow
def test_processes_write_to_one_file(path: str) -> None:
    command = [sys.executable, "-c", PROGRAM, path]
    processes = [subprocess.Popen([*command, str(n)], stdin=subprocess.PIPE, text=True) for n in range(4)]
    for process in processes:
        process.communicate("go\n")
    assert [process.returncode for process in processes] == [0] * 4
    with SqliteStore.from_conn_string(path) as store:
        assert len(store.search(("all",), limit=1_000)) == 400


async def test_puts_of_many_tasks_share_transactions(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    transactions: list[Any] = []
    transact = Writer._transact
    monkeypatch.setattr(
        Writer, "_transact", lambda self, *args: (transactions.append(args), transact(self, *args))[1]
    )
    await asyncio.gather(*(store.abatch([PutOp(NS, f"{n}", {"n": n})]) for n in range(100)))
    assert len(transactions) <= 3
    assert len(await store.asearch(NS, limit=200)) == 100


async def test_saver_and_store_of_one_file_share_its_writer(path: str, store: SqliteStore) -> None:
    async with SqliteSaver.from_conn_string(path) as saver:
        assert saver._file is store._file._file


async def test_connection_of_the_user_is_used_and_left_open() -> None:
    async with aiosqlite.connect(":memory:") as connection:
        async with SqliteStore(connection) as store:
            await store.aput(NS, "k", {"a": 1})
        cursor = await connection.execute("SELECT value FROM graphrt_store")
        assert await cursor.fetchone() == ('{"a":1}',)


async def test_put_that_is_cancelled_is_done_or_not(store: SqliteStore) -> None:
    for turns in range(12):
        batch = asyncio.create_task(store.abatch([PutOp(NS, f"{turns} {n}", {"n": n}) for n in range(3)]))
        for _ in range(turns):
            await asyncio.sleep(0)
        batch.cancel()
        await asyncio.gather(batch, return_exceptions=True)
        found = [await store.aget(NS, f"{turns} {n}") for n in range(3)]
        assert all(found) or not any(found)


# ---- what goes wrong


async def test_file_that_is_no_database_says_so(path: str) -> None:
    await asyncio.to_thread(Path(path).write_bytes, b"no database " * 100)
    with pytest.raises(StorageError, match="not an SQLite database"):
        await SqliteStore.from_conn_string(path).aget(NS, "k")


async def test_closed_store_says_so(store: SqliteStore) -> None:
    await store.aclose()
    with pytest.raises(StorageError, match="SqliteStore is closed"):
        await store.aget(NS, "k")


async def test_tables_of_a_newer_program_are_left_alone(path: str, store: SqliteStore) -> None:
    await asyncio.to_thread(rows, path, "INSERT INTO graphrt_store_migrations VALUES (99)")
    other = SqliteStore.from_conn_string(path)
    with pytest.raises(StorageSchemaError, match="version 99"):
        await other.aget(NS, "k")
    await other.aclose()


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE graphrt_store SET value = '{'",
        "UPDATE graphrt_store SET value = x'00'",
        "UPDATE graphrt_store SET value = '[1]'",
        "UPDATE graphrt_store SET created = 'x'",
        "UPDATE graphrt_store SET updated = 9e18",
    ],
)
async def test_damaged_row_is_an_error_of_its_own(path: str, store: SqliteStore, damage: str) -> None:
    await store.aput(NS, "k", {"a": 1})
    await asyncio.to_thread(rows, path, damage)
    with pytest.raises(DeserializationError):
        await store.aget(NS, "k")
    with pytest.raises(DeserializationError):
        await store.asearch(())


async def test_option_that_there_is_not_is_refused(path: str) -> None:
    with pytest.raises(GraphValidationError, match="SqliteStore has no option 'sync'"):
        SqliteStore.from_conn_string(path, sync="FULL")  # type: ignore[call-arg]


# ---- strings


async def test_no_string_means_anything_to_sql(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    listen_to_sqlite(monkeypatch, said)
    async with SqliteStore.from_conn_string(path, index=INDEX) as store:
        await store.aput(("victim",), "victim", {"text": "victim"})
        await exercise(store, "an ordinary name")
        ordinary = set(said)
        for text in ALL:
            await exercise(store, text)
        assert set(said) <= ordinary
        assert [item.key for item in await store.asearch(())] == ["victim"]


@pytest.mark.parametrize(
    "labels", [("a",), ("\x01", "\x02"), ("\x02\x02", "\x01\x01"), ("\x02\x03\x01",), ("é b",)]
)
def test_namespaces_come_back_from_their_packed_form(labels: tuple[str, ...]) -> None:
    assert unpack_namespace(pack_namespace(labels)) == labels
    low, high = below(labels)
    assert low <= pack_namespace((*labels, "\x01")) < high
    assert not low <= pack_namespace((*labels[:-1], labels[-1] + "\x01")) < high


def test_packed_namespaces_sort_as_tuples_do() -> None:
    labels = ["a", "a!", "a-b", "a b", "\x01", "\x02", "\x03", "b", "é", "\U0010ffff"]
    spaces = [(one,) for one in labels] + [(one, two) for one in labels for two in labels]
    assert sorted(spaces) == sorted(spaces, key=pack_namespace)


@pytest.mark.parametrize("filter", [None, {"a": 1}])
async def test_page_may_be_larger_than_a_database_counts(store: SqliteStore, filter: Any) -> None:
    await store.aput(NS, "k", {"a": 1})
    assert len(await store.asearch((), limit=10**30, filter=filter)) == 1
    assert await store.asearch((), offset=10**30, limit=10**30, filter=filter) == []


# ---- time to live


async def test_s6_a_sweep_deletes_what_is_over_however_much_that_is(path: str) -> None:
    clock = FakeClock()
    async with SqliteStore.from_conn_string(path, clock=clock, index=INDEX) as store:
        await store.abatch([PutOp(NS, f"{n}", {"text": "a"}, None, 1.0) for n in range(1_500)])
        await store.aput(NS, "stays", {})
        await clock.advance(timedelta(minutes=2))
        assert await store.sweep_ttl() == 1_500
        assert await store.sweep_ttl() == 0
    assert await asyncio.to_thread(rows, path, "SELECT count(*) FROM graphrt_store_vectors") == [(0,)]
    assert await asyncio.to_thread(rows, path, "SELECT key FROM graphrt_store") == [("stays",)]


async def test_s6_reading_begins_the_time_anew_in_the_file(path: str) -> None:
    clock = FakeClock()
    async with SqliteStore.from_conn_string(path, clock=clock) as store:
        await store.aput(NS, "k", {}, ttl=10)
        await clock.advance(timedelta(minutes=9))
        await store.abatch([GetOp(NS, "k", True), PutOp(NS, "other", {})])
        await clock.advance(timedelta(minutes=9))
        assert await store.aget(NS, "k", refresh_ttl=False) is not None
        await clock.advance(timedelta(minutes=1))
        assert await store.aget(NS, "k") is None


# ---- vectors


def lend_distances(connection: sqlite3.Connection) -> bool:
    """What sqlite-vec has, for Pythons that cannot load it; a little wrong in the last digits, as it is."""

    def cosine_distance(one: bytes, other: bytes) -> float | None:
        a, b = (memoryview(data).cast("f").tolist() for data in (one, other))
        zero = [0.0] * len(a)
        lengths = dist(a, zero) * dist(b, zero)
        return 1 + 1e-6 - sum(x * y for x, y in zip(a, b, strict=True)) / lengths if lengths else None

    connection.create_function("vec_version", 0, lambda: "lent")
    connection.create_function("vec_distance_cosine", 2, cosine_distance)
    return True


@pytest.mark.parametrize("way", ["none", "lent", "real"])
async def test_s4_searches_find_the_same_with_sqlite_vec_and_without(
    path: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = extension._loaded
    loads = {"none": lambda connection: False, "lent": lend_distances, "real": real}[way]
    monkeypatch.setattr(extension, "_loaded", loads)
    clock = FakeClock()
    async with SqliteStore.from_conn_string(path, index=INDEX, clock=clock) as store:
        if way == "real" and not await store._file.read(real):
            pytest.skip("this Python cannot load sqlite-vec")
        await same_as_memory(store, clock)


async def test_vectors_of_other_dims_are_left_out(path: str) -> None:
    async with SqliteStore.from_conn_string(
        path, index={"dims": 2, "embed": lambda texts: [[1.0, 0.0]] * len(texts)}
    ) as old:
        await old.aput(NS, "old", {"text": "a"})
    async with SqliteStore.from_conn_string(path, index=INDEX) as store:
        await store.aput(NS, "new", {"text": "a"})
        found = await store.asearch(NS, query="a")
        assert [(item.key, item.score) for item in found] == [("new", pytest.approx(1.0)), ("old", None)]
