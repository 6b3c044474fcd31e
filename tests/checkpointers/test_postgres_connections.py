"""Connections of PostgresSaver: few, never held while other code runs, replaced when they break, bounded in time."""

import asyncio
import shutil
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, TypedDict

import asyncpg
import pytest

from checkpointers.postgres.lenders import _Kept
from checkpointers.postgres.pool import Pool
from graphrt.checkpoint.postgres import PostgresSaver
from graphrt.constants import END, START
from graphrt.errors import StorageBusyError, StorageError, ThreadConflict
from graphrt.graph import StateGraph
from graphrt.testing.postgres import PostgresServer
from tests.checkpointers.postgres_world import Wire, locked, until_waiting, wire_to
from tests.checkpointers.records import Writer, result


@pytest.fixture
async def saver(postgres: str) -> AsyncIterator[PostgresSaver]:
    async with PostgresSaver.from_conn_string(postgres, max_size=4, acquire_timeout_s=5) as saver:
        yield saver


async def pool_of(saver: PostgresSaver) -> Any:
    return await saver._lender.desk()  # type: ignore[attr-defined]


async def end_backends(url: str, *pids: int) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND "
        "pid <> pg_backend_pid() AND ($1::text IS NULL OR pid::text = ANY (string_to_array($1, ',')))",
        ",".join(map(str, pids)) or None,
    )
    await connection.close()


# ---- how many


async def test_one_after_the_other_shares_one_connection(saver: PostgresSaver) -> None:
    writer = Writer(saver)
    for _ in range(5):
        await writer.commit()
        await writer.load()
        await writer.history()
    assert (await pool_of(saver)).most_lent == 1


async def test_all_at_once_have_as_many_as_there_may_be(postgres: str) -> None:
    async with PostgresSaver.from_conn_string(postgres, min_size=4, max_size=4) as saver:
        writers = [Writer(saver, f"thread {n}") for n in range(30)]
        assert await saver.load("thread") is None
        await asyncio.gather(*(writer.commit({"n": b"1"}) for writer in writers))
        pool = await pool_of(saver)
        assert (pool.most_lent, pool.lent) == (4, 0)
        assert [await writer.held() for writer in writers] == [{"n": (b"1",)}] * 30


class State(TypedDict):
    n: int


async def test_no_connection_is_lent_while_a_node_runs(saver: PostgresSaver) -> None:
    lent: list[int] = []

    async def node(state: State) -> State:
        lent.append((await pool_of(saver)).lent)
        return {"n": state["n"] + 1}

    builder = StateGraph(State)
    builder.add_node("a", node).add_node("b", node)
    builder.add_edge(START, "a").add_edge("a", "b").add_edge("b", END)
    graph = builder.compile(checkpointer=saver)
    config = {"configurable": {"thread_id": "t"}}
    assert await graph.ainvoke({"n": 0}, config, durability="sync") == {"n": 2}
    assert lent == [0, 0]


async def test_no_connection_is_lent_between_two_checkpoints_of_a_history(saver: PostgresSaver) -> None:
    writer = Writer(saver)
    for _ in range(20):
        await writer.commit()
    async for _ in saver.history(writer.thread):
        assert (await pool_of(saver)).lent == 0


async def test_least_number_is_opened_at_once(postgres: str) -> None:
    async with PostgresSaver.from_conn_string(postgres, min_size=2) as saver:
        assert len((await pool_of(saver))._idle) == 2


async def test_waiting_for_a_connection_ends_in_time(postgres: str) -> None:
    async with PostgresSaver.from_conn_string(postgres, max_size=1, acquire_timeout_s=0.05) as saver:
        writer = Writer(saver)
        await writer.commit()
        pool = await pool_of(saver)
        connection = await pool.take()
        with pytest.raises(StorageBusyError, match="max_size") as caught:
            await writer.commit()
        assert caught.value.waited_s == 0.05
        await pool.give_back(connection)
        await writer.commit()


async def test_connection_goes_to_who_waited_longest(saver: PostgresSaver) -> None:
    await saver.load("thread")
    pool = await pool_of(saver)
    held = [await pool.take() for _ in range(4)]
    order: list[int] = []

    async def wait(number: int) -> None:
        connection = await pool.take()
        order.append(number)
        await pool.give_back(connection)

    waiting = [asyncio.ensure_future(wait(n)) for n in range(3)]
    await asyncio.sleep(0)
    waiting.pop(1).cancel()
    for connection in held:
        await pool.give_back(connection)
    await asyncio.gather(*waiting)
    assert order == [0, 2]


async def test_connection_that_comes_too_late_is_for_others(saver: PostgresSaver) -> None:
    await saver.load("thread")
    pool = await pool_of(saver)
    held = [await pool.take() for _ in range(4)]
    waiting = asyncio.ensure_future(pool.take())
    await asyncio.sleep(0)
    await pool.give_back(held.pop())
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    held.append(await pool.take())
    for connection in held:
        await pool.give_back(connection)
    assert pool.lent == 0


# ---- when they break


async def test_connections_that_died_while_idle_are_replaced(saver: PostgresSaver, postgres: str) -> None:
    writers = [Writer(saver, f"thread {n}") for n in range(4)]
    await asyncio.gather(*(writer.commit() for writer in writers))
    await end_backends(postgres)
    await asyncio.gather(*(writer.commit() for writer in writers))
    assert [len(await writer.history()) for writer in writers] == [2] * 4


async def test_commit_whose_backend_ends_is_made_all_the_same(saver: PostgresSaver, postgres: str) -> None:
    writer = Writer(saver)
    await writer.commit({"a": b"1"})
    async with locked(postgres, writer):
        commit = asyncio.ensure_future(writer.commit({"a": b"2"}, result("p")))
        await end_backends(postgres, *await until_waiting(postgres))
        await until_waiting(postgres)
    await commit
    assert await writer.history() == writer.made[::-1]
    assert await writer.held() == {"a": (b"2",)}


@pytest.fixture
def short_directory() -> Iterator[Path]:
    """One whose name leaves room for a socket's."""
    path = tempfile.mkdtemp(dir="/tmp")
    yield Path(path)
    shutil.rmtree(path)


@pytest.fixture
async def wire(postgres: str, short_directory: Path) -> AsyncIterator[Wire]:
    async with wire_to(postgres, short_directory) as wire:
        yield wire


@pytest.fixture
async def wired(wire: Wire) -> AsyncIterator[Writer]:
    """A thread with one checkpoint, written through the wire."""
    async with PostgresSaver.from_conn_string(wire.url, command_timeout_s=5) as saver:
        writer = Writer(saver)
        await writer.commit({"a": b"1"})
        yield writer


async def test_commit_that_never_arrived_is_sent_again(wired: Writer, wire: Wire) -> None:
    wire.deaf = True
    commit = asyncio.ensure_future(wired.commit({"a": b"2"}))
    await wire.swallowed.wait()
    wire.deaf = False
    wire.cut()
    await commit
    assert await wired.history() == wired.made[::-1]


async def test_commit_whose_answer_was_lost_has_succeeded(wired: Writer, wire: Wire) -> None:
    wire.mute = True
    commit = asyncio.ensure_future(wired.commit({"a": b"2"}, result("p", a=b"2")))
    await wire.swallowed.wait()
    wire.mute = False
    wire.cut()
    await commit
    assert wire.links > 1
    assert await wired.history() == wired.made[::-1]
    assert len((await wired.load(wired.made[0])).results) == 1


async def test_first_commit_whose_answer_was_lost_has_succeeded(wired: Writer, wire: Wire) -> None:
    other = Writer(wired.saver, "other")
    wire.mute = True
    commit = asyncio.ensure_future(other.commit({"a": b"2"}))
    await wire.swallowed.wait()
    wire.mute = False
    wire.cut()
    await commit
    assert await other.history() == other.made


async def test_commit_is_refused_if_somebody_else_was_faster_meanwhile(
    wired: Writer, wire: Wire, postgres: str
) -> None:
    wire.deaf = True
    commit = asyncio.ensure_future(wired.commit({"a": b"2"}))
    await wire.swallowed.wait()
    async with PostgresSaver.from_conn_string(postgres) as direct:
        rival = Writer(direct, head=wired.head)
        await rival.commit({"a": b"3"})
    wire.deaf = False
    wire.cut()
    with pytest.raises(ThreadConflict) as caught:
        await commit
    assert caught.value.current == rival.head


async def test_same_commit_twice_is_refused_although_the_head_is_its_own(saver: PostgresSaver) -> None:
    writer = Writer(saver)
    commit = writer.next()
    await saver.commit(commit)
    with pytest.raises(ThreadConflict):
        await saver.commit(commit)


async def test_results_whose_answer_was_lost_are_kept_once(wired: Writer, wire: Wire) -> None:
    wire.mute = True
    append = asyncio.ensure_future(wired.append(result("p", a=b"1"), result("q", error="no")))
    await wire.swallowed.wait()
    wire.mute = False
    wire.cut()
    await append
    assert [kept.path for kept in (await wired.load()).results] == ["p", "q"]


async def test_server_that_says_nothing_is_an_error_in_time(wire: Wire) -> None:
    async with PostgresSaver.from_conn_string(wire.url, command_timeout_s=0.2) as saver:
        writer = Writer(saver)
        await writer.commit()
        wire.deaf = wire.mute = True
        with pytest.raises(StorageBusyError, match="did not answer") as caught:
            await writer.load()
        assert caught.value.waited_s == 0.2
        wire.deaf = wire.mute = False
        await writer.load()


async def test_server_that_takes_no_connection_is_an_error_in_time(wire: Wire) -> None:
    wire.deaf = True
    async with PostgresSaver.from_conn_string(wire.url, acquire_timeout_s=0.1) as saver:
        with pytest.raises(StorageBusyError, match="No connection"):
            await saver.load("thread")


async def test_lock_that_is_not_released_is_an_error_in_time(postgres: str) -> None:
    async with PostgresSaver.from_conn_string(postgres, command_timeout_s=0.2) as saver:
        writer = Writer(saver)
        await writer.commit()
        async with locked(postgres, writer):
            with pytest.raises(StorageBusyError):
                await writer.commit()
        await writer.commit()


async def test_server_that_is_not_there_is_an_error_in_time(short_directory: Path) -> None:
    url = f"postgresql://u:p@/db?host={short_directory}"
    async with PostgresSaver.from_conn_string(url, retry_s=0.05) as saver:
        with pytest.raises(StorageError, match="unreachable") as caught:
            await saver.load("thread")
        assert isinstance(caught.value.__cause__, OSError)


async def test_work_that_the_server_undoes_again_and_again_is_an_error_in_time(postgres: str) -> None:
    async def undone(connection: Any, repeated: bool) -> None:
        await connection.execute("DO $$ BEGIN RAISE SQLSTATE '40P01' USING MESSAGE = 'they met'; END $$")

    async with PostgresSaver.from_conn_string(postgres, retry_s=0.05) as saver:
        with pytest.raises(StorageBusyError, match=r"undone this work.*they met") as caught:
            await saver._access.run(undone)  # type: ignore[attr-defined]
        assert isinstance(caught.value.__cause__, asyncpg.DeadlockDetectedError)
        assert await saver.load("thread") is None


# ---- when the caller goes away


async def test_cancelled_commits_leave_the_pool_usable(saver: PostgresSaver, postgres: str) -> None:
    writer = Writer(saver)
    await writer.commit()
    async with locked(postgres, writer):
        commits = [asyncio.ensure_future(saver.commit(writer.next())) for _ in range(4)]
        await until_waiting(postgres, 4)
        for commit in commits:
            commit.cancel()
        await asyncio.gather(*commits, return_exceptions=True)
    pool = await pool_of(saver)
    assert pool.lent == 0
    await asyncio.gather(*(saver.load(writer.thread) for _ in range(8)))
    writer.head = (await writer.load()).head
    assert await writer.commit()


async def test_server_stops_what_a_cancelled_commit_was_doing(saver: PostgresSaver, postgres: str) -> None:
    writer = Writer(saver)
    await writer.commit()
    async with locked(postgres, writer) as holder:
        commit = asyncio.ensure_future(saver.commit(writer.next()))
        (pid,) = await until_waiting(postgres)
        commit.cancel()
        await asyncio.gather(commit, return_exceptions=True)
        while await holder.fetchval(
            "SELECT true FROM pg_stat_activity WHERE pid = $1 AND wait_event_type = 'Lock'", pid
        ):
            await holder.fetchval("SELECT pg_stat_clear_snapshot()")


# ---- restarts


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A server of this module's own, which may be ended."""
    server = PostgresServer(fsync=True)
    if not server.ours:
        pytest.skip("the server that was given is not ours to restart")
    with server:
        yield server


async def further(writers: list[Writer]) -> None:
    """Wait until each has made a few commits more."""
    goals = [len(writer.made) + 3 for writer in writers]
    while any(len(writer.made) < goal for writer, goal in zip(writers, goals, strict=True)):  # noqa: ASYNC110
        await asyncio.sleep(0)


@pytest.mark.slow
@pytest.mark.parametrize("end", ["stop", "kill"])
async def test_runs_survive_a_restart_of_the_server(server: PostgresServer, end: str) -> None:
    url = await server.acreate_database()
    async with PostgresSaver.from_conn_string(url) as saver:
        await saver.setup()
        writers = [Writer(saver, f"thread {n}") for n in range(4)]
        stop = asyncio.Event()

        async def work(writer: Writer) -> None:
            while not stop.is_set():
                await writer.commit({"n": b"%d" % len(writer.made)})

        working = [asyncio.ensure_future(work(writer)) for writer in writers]
        await further(writers)
        await asyncio.to_thread(getattr(server, end))
        await asyncio.to_thread(server.start)
        await further(writers)
        stop.set()
        await asyncio.gather(*working)
        for writer in writers:
            assert await writer.history() == writer.made[::-1]


@pytest.mark.slow
async def test_server_that_stays_away_is_an_error_in_time(server: PostgresServer) -> None:
    url = await server.acreate_database()
    async with PostgresSaver.from_conn_string(url, retry_s=0.1) as saver:
        await saver.setup()
        await asyncio.to_thread(server.stop)
        with pytest.raises(StorageError, match="unreachable"):
            await saver.load("thread")
        await asyncio.to_thread(server.start)
        assert await saver.load("thread") is None


async def test_thread_that_ends_while_the_saver_is_closed(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ending, asked = threading.Event(), threading.Event()
    close, end = Pool.close, _Kept.end

    async def close_when_asked_again(pool: Pool) -> None:
        ending.set()
        assert await asyncio.to_thread(asked.wait, 30)
        await close(pool)

    async def ask(kept: _Kept) -> None:
        asked.set()
        await end(kept)

    monkeypatch.setattr(Pool, "close", close_when_asked_again)
    monkeypatch.setattr(_Kept, "end", ask)
    saver = PostgresSaver.from_conn_string(postgres)
    thread = threading.Thread(target=lambda: asyncio.run(saver.load("thread")))  # type: ignore[arg-type]
    thread.start()
    assert await asyncio.to_thread(ending.wait, 30)
    (kept,) = saver._lender._pools.values()  # type: ignore[attr-defined]
    await saver.aclose()
    assert not kept.pool._open
    await asyncio.to_thread(thread.join, 30)


async def test_loop_that_was_closed_while_the_saver_is_closed(postgres: str) -> None:
    saver = PostgresSaver.from_conn_string(postgres)
    loop = asyncio.new_event_loop()
    await asyncio.to_thread(loop.run_until_complete, saver.load("thread"))
    (kept,) = saver._lender._pools.values()  # type: ignore[attr-defined]
    loop.close()
    assert kept.ending().done()
    assert not kept.pool._open
    await saver.aclose()
