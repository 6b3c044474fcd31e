"""PostgresSaver: how it is made, what it is given, in which loops it works, what can be set."""

import asyncio
import gc
import threading
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from checkpointers.postgres.options import Options, read_url
from graphrt.checkpoint.postgres import PostgresSaver
from graphrt.checkpoint.postgres.aio import AsyncPostgresSaver
from graphrt.checkpoint.urls import saver_from_url
from graphrt.errors import GraphValidationError, RunningLoopError, StorageError, ThreadConflict
from tests.checkpointers.postgres_world import until_waiting
from tests.checkpointers.records import Writer, result
from tests.conftest import no_threads, postgres_url


@pytest.fixture
async def saver(postgres: str) -> AsyncIterator[PostgresSaver]:
    async with PostgresSaver.from_conn_string(postgres) as saver:
        yield saver


@pytest.fixture
def url() -> str:
    """For tests that have no loop."""
    return postgres_url()


async def commit_and_load(saver: PostgresSaver, thread: str) -> None:
    writer = Writer(saver, thread)
    await writer.commit({"a": b"1"})
    assert await writer.held() == {"a": (b"1",)}


# ---- how it is made


def test_asynchronous_name_is_the_same_class() -> None:
    assert AsyncPostgresSaver is PostgresSaver


@pytest.mark.parametrize("scheme", ["postgresql", "postgres"])
async def test_saver_from_a_url_works_without_being_entered(postgres: str, scheme: str) -> None:
    saver = await asyncio.to_thread(saver_from_url, postgres.replace("postgresql:", f"{scheme}:"))
    await commit_and_load(saver, "thread")
    await saver.aclose()


async def test_closed_saver_says_so(saver: PostgresSaver) -> None:
    await saver.load("thread")
    await saver.aclose()
    with pytest.raises(StorageError, match="closed"):
        await saver.load("thread")
    async with saver:
        assert await saver.load("thread") is None


def test_something_else_is_refused() -> None:
    with pytest.raises(TypeError, match="from_conn_string"):
        PostgresSaver("postgresql://localhost/app")


async def test_saver_that_is_dropped_closes_its_connections(postgres: str) -> None:
    saver = PostgresSaver.from_conn_string(postgres)
    await saver.load("thread")
    (connection,) = (await saver._lender.desk())._open  # type: ignore[attr-defined]
    del saver
    gc.collect()
    while not connection.is_closed() or len(asyncio.all_tasks()) > 1:  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(0)


# ---- what it is given


async def test_pool_of_the_users_is_used_and_left_open(postgres: str) -> None:
    async with asyncpg.create_pool(postgres, min_size=1, max_size=2) as pool:
        async with PostgresSaver(pool) as saver:
            await asyncio.gather(*(commit_and_load(saver, f"thread {n}") for n in range(10)))
        assert await pool.fetchval("SELECT count(*) FROM graphrt.threads") == 10
        assert pool.get_idle_size() == pool.get_size()


async def test_broken_connection_of_a_given_pool_is_replaced(postgres: str) -> None:
    async with asyncpg.create_pool(postgres, min_size=1, max_size=1) as pool:
        writer = Writer(PostgresSaver(pool))
        await writer.commit()
        with pytest.raises(asyncpg.PostgresError):
            await pool.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        await writer.commit()
        assert await writer.history() == writer.made[::-1]


async def test_codecs_that_the_user_has_set_do_no_harm(postgres: str) -> None:
    async def init(connection: Any) -> None:
        for name in ("json", "jsonb"):
            await connection.set_type_codec(name, encoder=repr, decoder=repr, schema="pg_catalog")

    async with asyncpg.create_pool(postgres, min_size=1, max_size=1, init=init) as pool:
        writer = Writer(PostgresSaver(pool))
        await writer.commit(metadata={"user": "u", "n": 1})
        assert (await writer.load()).checkpoint.metadata == {"user": "u", "n": 1}
        assert await writer.history(filter={"user": "u"}) == writer.made


async def test_work_on_one_connection_takes_turns(postgres: str) -> None:
    connection = await asyncpg.connect(postgres)
    saver = PostgresSaver(connection)
    await asyncio.gather(*(commit_and_load(saver, f"thread {n}") for n in range(10)))
    await saver.aclose()
    assert not connection.is_closed()
    await connection.close()


async def test_commit_in_a_transaction_of_the_users_is_part_of_it(postgres: str) -> None:
    connection = await asyncpg.connect(postgres)
    writer = Writer(PostgresSaver(connection))
    first = await writer.commit({"a": b"1"})
    transaction = connection.transaction()
    await transaction.start()
    await writer.commit({"a": b"2"})
    await writer.commit({"a": b"3"}, parent=first)
    await writer.append(result("p"))
    with pytest.raises(ThreadConflict):
        await Writer(writer.saver).commit()
    assert len(await writer.history()) == 3
    await transaction.rollback()
    assert await writer.history() == [first]
    await connection.close()


@pytest.fixture
async def half_done(postgres: str) -> AsyncIterator[tuple[Writer, Any]]:
    """A thread whose second commit is under way in a transaction of the user's; and that transaction."""
    connection = await asyncpg.connect(postgres)
    writer = Writer(PostgresSaver(connection))
    await writer.commit({"a": b"1"})
    transaction = connection.transaction()
    await transaction.start()
    await writer.commit({"a": b"2"})
    yield writer, transaction
    await connection.close()


@pytest.mark.parametrize("end", ["commit", "rollback"])
async def test_results_wait_for_a_commit_that_is_under_way(
    half_done: tuple[Writer, Any], saver: PostgresSaver, postgres: str, end: str
) -> None:
    writer, transaction = half_done
    append = asyncio.ensure_future(saver.append_results(writer.thread, "", writer.made[0], [result("p")]))
    await until_waiting(postgres)
    await getattr(transaction, end)()
    (outcome,) = await asyncio.gather(append, return_exceptions=True)
    assert isinstance(outcome, ThreadConflict) == (end == "commit")
    assert len((await writer.load(writer.made[0])).results) == (end == "rollback")


@pytest.mark.parametrize("end", ["commit", "rollback"])
async def test_commit_waits_for_one_that_is_under_way(
    half_done: tuple[Writer, Any], saver: PostgresSaver, postgres: str, end: str
) -> None:
    writer, transaction = half_done
    rival = Writer(saver, head=writer.made[0])
    commit = asyncio.ensure_future(rival.commit({"a": b"3"}))
    await until_waiting(postgres)
    await getattr(transaction, end)()
    (outcome,) = await asyncio.gather(commit, return_exceptions=True)
    assert isinstance(outcome, ThreadConflict) == (end == "commit")
    assert await rival.held() == {"a": (b"2" if end == "commit" else b"3",)}


async def test_readers_do_not_wait_for_a_commit_that_is_under_way(
    half_done: tuple[Writer, Any], saver: PostgresSaver
) -> None:
    writer, _ = half_done
    assert await Writer(saver).history() == writer.made[:1]
    assert await Writer(saver).held() == {"a": (b"1",)}


def test_pool_of_another_loop_is_refused(url: str) -> None:
    async def make() -> Any:
        return await asyncpg.create_pool(url, min_size=0)

    saver = PostgresSaver(asyncio.run(make()))
    with pytest.raises(StorageError, match="another event loop"):
        asyncio.run(saver.load("thread"))


# ---- loops


def test_one_saver_works_in_one_loop_after_the_other(url: str) -> None:
    asyncio.run(no_threads(url))
    saver = PostgresSaver.from_conn_string(url)
    for n in range(3):
        asyncio.run(commit_and_load(saver, f"thread {n}"))
    assert len(saver._lender._pools) <= 1  # type: ignore[attr-defined]


def test_one_saver_works_in_several_loops_at_once(url: str) -> None:
    asyncio.run(no_threads(url))
    saver = PostgresSaver.from_conn_string(url)
    barrier = threading.Barrier(3)

    async def work(name: str) -> None:
        await saver.load(name)
        barrier.wait()
        for n in range(5):
            await commit_and_load(saver, f"{name} {n}")

    threads = [threading.Thread(target=lambda n=n: asyncio.run(work(f"thread {n}"))) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert asyncio.run(saver.load("thread 2 4")) is not None


def test_connections_end_with_their_loop(url: str) -> None:
    saver = PostgresSaver.from_conn_string(url)

    async def work() -> Any:
        await saver.load("thread")
        return await saver._lender.desk()  # type: ignore[attr-defined]

    assert asyncio.run(work())._size == 0


def test_loop_that_was_closed_rudely_is_let_go_of(url: str) -> None:
    saver = PostgresSaver.from_conn_string(url)
    loop = asyncio.new_event_loop()
    loop.run_until_complete(saver.load("thread"))
    loop.close()
    asyncio.run(saver.load("thread"))
    del loop
    gc.collect()  # warns of sockets that nobody closed
    assert len(saver._lender._pools) == 1  # type: ignore[attr-defined]


# ---- without a loop


def test_setup_and_deletion_and_close_need_no_loop(url: str) -> None:
    with PostgresSaver.from_conn_string(url) as saver:
        saver.setup()
        asyncio.run(commit_and_load(saver, "thread x"))
        saver.delete_thread("thread x")
        assert asyncio.run(saver.load("thread x")) is None
    with pytest.raises(StorageError, match="closed"):
        asyncio.run(saver.load("thread x"))


def test_close_ends_connections_of_a_loop_that_rests(url: str) -> None:
    saver = PostgresSaver.from_conn_string(url)
    with asyncio.Runner() as runner:
        runner.run(saver.load("thread"))
        pool = runner.run(saver._lender.desk())  # type: ignore[attr-defined]
        assert pool._size == 1
        saver.close()
        assert pool._size == 0


async def test_setup_can_be_awaited(saver: PostgresSaver) -> None:
    await saver.setup()


@pytest.mark.parametrize("method", ["close", "delete_thread"])
async def test_blocking_methods_refuse_to_block_a_loop(saver: PostgresSaver, method: str) -> None:
    with pytest.raises(RunningLoopError):
        getattr(saver, method)(*["thread"][: method == "delete_thread"])


# ---- options


def test_options_stand_in_the_url() -> None:
    url, options = read_url("postgresql://u:p@h:1/d?schema=s&max_size=3&retry_s=0.5&sslmode=disable", {})
    assert url == "postgresql://u:p@h:1/d?sslmode=disable"
    assert options == Options(schema="s", max_size=3, retry_s=0.5)


@pytest.mark.parametrize("url", ["postgresql:///d?host=%2Ftmp", "postgresql://a:1,b:2/d", "postgres://u@/d"])
def test_what_stands_in_the_url_for_the_driver_stays(url: str) -> None:
    assert read_url(url, {}) == (url, Options())


def test_keywords_go_before_what_the_url_says() -> None:
    _, options = read_url("postgresql://h/d?schema=s", {"schema": "t"})
    assert options.schema == "t"


@pytest.mark.parametrize(
    "url, said",
    [
        ("postgresql://h/d?shema=x", "Did you mean 'schema'"),
        ("postgresql://h/d?max_size=many", "max_size"),
        ("postgresql://h/d?max_size=0", "max_size"),
        ("postgresql://h/d?min_size=11", "min_size"),
        ("postgresql://h/d?command_timeout_s=0", "command_timeout_s"),
        ("postgresql://h/d?retry_s=-1", "retry_s"),
        ("postgresql://h/d?schema=", "schema"),
        ("mysql://h/d", "postgresql://"),
    ],
)
def test_what_is_wrong_in_a_url_is_said(url: str, said: str) -> None:
    with pytest.raises(GraphValidationError, match=said):
        PostgresSaver.from_conn_string(url)


def test_unknown_option_is_refused() -> None:
    with pytest.raises(GraphValidationError, match="Did you mean 'max_size'"):
        PostgresSaver.from_conn_string("postgresql://h/d", maxsize=3)


async def test_prepared_statements_may_be_off(postgres: str) -> None:
    async with PostgresSaver.from_conn_string(postgres, statement_cache_size=0) as saver:
        writer = Writer(saver)
        for n in range(40):
            await writer.commit(
                {"a": b""} if not n else {}, result("p"), appends={"a": b"%d" % n} if n else {}
            )
        await writer.append(result("q"))
        await writer.commit(parent=writer.made[5])
        assert len(await writer.history()) == 41
        connection = await (await saver._lender.desk()).take()  # type: ignore[attr-defined]
        assert await connection.fetchval("SELECT count(*) FROM pg_prepared_statements WHERE name <> ''") == 0
        await (await saver._lender.desk()).give_back(connection)  # type: ignore[attr-defined]


async def test_pooler_that_loses_prepared_statements_is_told_of(saver: PostgresSaver) -> None:
    await saver.load("thread")
    pool = await saver._lender.desk()  # type: ignore[attr-defined]
    connection = await pool.take()
    await connection.execute("DEALLOCATE ALL")
    await pool.give_back(connection)
    with pytest.raises(StorageError, match="statement_cache_size to 0"):
        await saver.load("thread")


# ---- history


@pytest.mark.parametrize(
    "filter, count",
    [
        ({"user": "ü\0"}, 100),
        ({"user": "ü\0", "n": 7}, 1),
        ({"n": 7.0}, 1),
        ({"n": True}, 1),
        ({"step": True}, 100),
        ({"source": "loop", "user": "nobody"}, 0),
        ({"user": ["ü\0"]}, 0),
        ({"user'; DROP TABLE x; --": "x"}, 0),
    ],
)
async def test_filters_are_pythons_equality(saver: PostgresSaver, filter: dict[str, Any], count: int) -> None:
    writer = Writer(saver)
    for n in range(100):
        await writer.commit(metadata={"user": "ü\0", "n": n}, step=1)
        await writer.commit(step=2)
    assert len(await writer.history(filter=filter)) == count
    assert len(await writer.history(filter=filter, limit=1)) == min(1, count)
    assert len(await writer.history(filter=filter, before=writer.made[100])) in (0, 1, 50)


async def test_page_of_history_is_two_statements(saver: PostgresSaver) -> None:
    writer = Writer(saver)
    for n in range(8):
        await writer.commit({"a": b"%d" % n}, result("p"))
    pool = await saver._lender.desk()  # type: ignore[attr-defined]
    connection = await pool.take()
    said: list[str] = []
    connection.add_query_logger(lambda record: said.append(record.query))
    await pool.give_back(connection)
    assert len(await writer.history(limit=8)) == 8
    assert len([text for text in said if "SELECT" in text]) == 2


async def test_thread_that_is_made_anew_meanwhile_is_not_mixed_with_the_old_one(saver: PostgresSaver) -> None:
    writer = Writer(saver)
    for _ in range(20):
        await writer.commit()
    old = list(writer.made)
    seen: list[str] = []
    async for stored in saver.history(writer.thread):
        if not seen:
            await saver.adelete_thread(writer.thread)
            writer.head = None
            for _ in range(30):
                await writer.commit()
        seen.append(stored.checkpoint.id)
    assert set(seen) <= set(old)
