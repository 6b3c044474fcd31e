"""Who shares a file's writer, what it remembers, how it ends, and what happens to those who were waiting."""

import asyncio
import gc
import os
import subprocess
import sys
import threading
import weakref
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiosqlite
import pytest

from checkpointers.sqlite import SqliteSaver, files, opening
from checkpointers.sqlite.lanes import OwnLane, awaited
from graphrt.errors import (
    RunningLoopError,
    StorageBusyError,
    StorageError,
    StorageSchemaError,
    ThreadConflict,
)
from tests.checkpointers.records import Writer, result


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "threads.db")


@pytest.fixture
async def saver(path: str) -> AsyncIterator[SqliteSaver]:
    async with SqliteSaver.from_conn_string(path) as opened:
        yield opened


def threads_of(path: str) -> list[threading.Thread]:
    """Those that go on: one that has closed its connection takes a moment to end."""
    found = [thread for thread in threading.enumerate() if path in thread.name]
    return [thread for thread in found if thread.join(1.0) or thread.is_alive()]


async def level(saver: SqliteSaver) -> int:
    (number,) = await saver._write(lambda c: c.execute("PRAGMA synchronous").fetchone())
    return int(number)


# ---- sharing


@pytest.mark.parametrize("link", [os.symlink, os.link], ids=["symbolic link", "hard link"])
async def test_a_file_has_one_writer_under_all_its_names(path: str, saver: SqliteSaver, link: Any) -> None:
    await asyncio.to_thread(link, path, path + ".link")
    async with SqliteSaver.from_conn_string(path + ".link") as other:
        assert other._file is saver._file


async def test_files_have_writers_of_their_own(tmp_path: Path, saver: SqliteSaver) -> None:
    async with SqliteSaver.from_conn_string(str(tmp_path / "other.db")) as other:
        assert other._file is not saver._file


async def test_a_saver_that_asks_for_more_safety_gets_it_for_all(path: str, saver: SqliteSaver) -> None:
    assert await level(saver) == 1
    async with SqliteSaver.from_conn_string(path, synchronous="FULL"):
        assert await level(saver) == 2
    async with SqliteSaver.from_conn_string(path, synchronous="OFF"):
        assert await level(saver) == 2


async def test_savers_that_open_a_new_file_at_once_share_it(path: str) -> None:
    savers = [SqliteSaver.from_conn_string(path) for _ in range(8)]
    await asyncio.gather(*(Writer(one, f"thread-{n}").commit() for n, one in enumerate(savers)))
    assert len({id(one._file) for one in savers}) == 1
    assert savers[0]._file.users == 8
    for one in savers:
        await one.aclose()
    assert not await asyncio.to_thread(threads_of, path)


async def test_a_saver_that_several_tasks_use_first_opens_its_file_once(path: str) -> None:
    saver = SqliteSaver.from_conn_string(path)
    await asyncio.gather(*(saver.load("t") for _ in range(8)))
    assert saver._file.users == 1
    await saver.aclose()


async def test_opening_goes_on_when_its_caller_is_cancelled(path: str) -> None:
    saver = SqliteSaver.from_conn_string(path)
    task = asyncio.ensure_future(saver.load("t"))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert await saver.load("t") is None
    assert saver._file.users == 1
    await saver.aclose()
    assert not await asyncio.to_thread(threads_of, path)


# ---- transactions


async def test_results_and_commits_of_the_same_moment_share_a_transaction(saver: SqliteSaver) -> None:
    writers = [Writer(saver, f"thread-{n}") for n in range(40)]
    await asyncio.gather(*(writer.commit() for writer in writers))
    seen: list[str] = []
    await saver._write(lambda c: c.set_trace_callback(seen.append))
    await asyncio.gather(
        *(writer.append(result("p")) for writer in writers[:20]),
        *(writer.commit() for writer in writers[20:]),
    )
    await saver._write(lambda c: c.set_trace_callback(None))
    assert seen.count("COMMIT") <= 1 + 2


async def test_one_commit_is_few_statements(saver: SqliteSaver) -> None:
    writer = Writer(saver)
    await writer.commit({"a": b"1"})
    seen: list[str] = []
    await saver._write(lambda c: c.set_trace_callback(seen.append))
    await writer.commit({"a": b"2"}, result("p"))
    seen.clear()
    await writer.commit({"a": b"3"}, result("p"))
    done = [text.split()[0] for text in seen if not text.startswith("--")]
    assert done == ["BEGIN", "PRAGMA", "INSERT", "INSERT", "COMMIT"]


async def test_what_another_connection_commits_is_seen(path: str, saver: SqliteSaver) -> None:
    mine = Writer(saver, "shared")
    async with aiosqlite.connect(path, isolation_level=None) as connection:
        theirs = Writer(SqliteSaver(connection), "shared")
        for n in range(6):
            writer, other = (mine, theirs) if n % 2 else (theirs, mine)
            writer.head = other.head
            await writer.commit({"n": b"%d" % n})
            with pytest.raises(ThreadConflict):
                await other.commit()
    assert [stored.channels["n"] async for stored in saver.history("shared")] == [
        b"%d" % n for n in (5, 4, 3, 2, 1, 0)
    ]


async def test_what_was_rolled_back_is_not_remembered(saver: SqliteSaver) -> None:
    writer = Writer(saver)
    await writer.commit()
    head = writer.head

    def broken(connection: Any) -> None:
        connection.execute("INSERT INTO graphrt_threads (chain) VALUES (NULL)")

    alone = asyncio.ensure_future(Writer(saver, "first").commit())
    lost = asyncio.ensure_future(saver.commit(writer.next({"a": b"x"}, step=2**70)))
    failed = asyncio.ensure_future(saver._write(broken))
    outcomes = await asyncio.gather(alone, lost, failed, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [str, OverflowError, StorageError]
    assert (await writer.load()).head == head
    assert await writer.commit({"a": b"1"})


class Gate:
    """Work that says when it has begun, and goes on when it may."""

    def __init__(self) -> None:
        self.began = threading.Event()
        self.open = threading.Event()

    def __call__(self, connection: Any) -> None:
        self.began.set()
        assert self.open.wait(10)


async def test_a_commit_that_is_cancelled_before_its_turn_never_happens(saver: SqliteSaver) -> None:
    writer, gate = Writer(saver), Gate()
    head = await writer.commit()
    blocked = asyncio.ensure_future(awaited(saver._file.main, gate))
    await asyncio.to_thread(gate.began.wait, 10)
    task = asyncio.ensure_future(saver.commit(writer.next()))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    gate.open.set()
    await blocked
    assert task.cancelled()
    assert (await writer.load()).head == head


async def test_a_commit_that_is_cancelled_in_its_transaction_has_happened_when_the_caller_goes_on(
    saver: SqliteSaver,
) -> None:
    writer, before, inside = Writer(saver), Gate(), Gate()
    await writer.commit()
    commit = writer.next()
    blocked = [asyncio.ensure_future(awaited(saver._file.main, before))]
    await asyncio.to_thread(before.began.wait, 10)
    blocked.append(asyncio.ensure_future(saver._write(inside)))
    task = asyncio.ensure_future(saver.commit(commit))
    await asyncio.sleep(0)
    before.open.set()
    await asyncio.to_thread(inside.began.wait, 10)  # and the commit waits in the same transaction
    task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    inside.open.set()
    await asyncio.gather(task, *blocked, return_exceptions=True)
    assert task.cancelled()
    assert (await writer.load()).head == commit.checkpoint.id


async def test_readers_see_one_moment_while_others_commit(saver: SqliteSaver) -> None:
    writer = Writer(saver)
    await writer.commit({"a": b"0"})
    gate = Gate()

    def look_twice(connection: Any) -> list[Any]:
        first = connection.execute("SELECT count(*) FROM graphrt_checkpoints").fetchone()
        gate(connection)
        return [first, connection.execute("SELECT count(*) FROM graphrt_checkpoints").fetchone()]

    looking = asyncio.ensure_future(saver._read(look_twice))
    await asyncio.to_thread(gate.began.wait, 10)
    await writer.commit({"a": b"1"})
    assert (await writer.load()).channels == {"a": b"1"}
    gate.open.set()
    first, second = await looking
    assert first == second == (1,)


# ---- ends


async def test_closing_leaves_one_file_and_no_thread(tmp_path: Path, path: str) -> None:
    async with SqliteSaver.from_conn_string(path) as saver:
        await Writer(saver).commit()
        await asyncio.gather(*(saver.load("t") for _ in range(4)))
    assert await asyncio.to_thread(os.listdir, tmp_path) == ["threads.db"]
    assert not await asyncio.to_thread(threads_of, path)


async def test_closing_finishes_what_was_asked_for(path: str) -> None:
    saver = SqliteSaver.from_conn_string(path)
    await saver.setup()
    commits = [asyncio.ensure_future(Writer(saver, f"thread-{n}").commit()) for n in range(20)]
    await asyncio.sleep(0)
    await saver.aclose()
    assert all([await commit for commit in commits])
    async with SqliteSaver.from_conn_string(path) as again:
        assert [await again.load(f"thread-{n}") is not None for n in range(20)] == [True] * 20


async def test_a_file_that_is_closed_while_it_is_opened_is_no_hindrance(path: str) -> None:
    saver = SqliteSaver.from_conn_string(path)
    opening = asyncio.ensure_future(saver.load("t"))
    await asyncio.sleep(0)
    await saver.aclose()
    await asyncio.gather(opening, return_exceptions=True)
    assert not any(file.place == path for file in files._open.files.values())
    async with SqliteSaver.from_conn_string(path) as again:
        assert await Writer(again).commit()


async def test_closing_twice_or_unused_is_fine(path: str) -> None:
    saver = SqliteSaver.from_conn_string(path)
    await saver.aclose()
    await asyncio.gather(saver.aclose(), saver.aclose())
    with pytest.raises(StorageError, match="closed"):
        await saver.commit(Writer(saver).next())
    assert not await asyncio.to_thread(os.path.exists, path)


async def test_a_job_that_comes_after_the_end_is_told() -> None:
    lane = OwnLane(lambda: pytest.fail("nobody asked"), name="never opened")
    lane.close()
    with pytest.raises(StorageError, match="closed"):
        await awaited(lane, lambda connection: connection)


async def test_a_saver_that_nobody_holds_closes_its_file(path: str) -> None:
    saver = SqliteSaver.from_conn_string(path)
    await saver.load("t")
    ended, gone = saver._file.main.ended, weakref.ref(saver)
    del saver
    gc.collect()
    await asyncio.to_thread(ended.result, 10)
    assert gone() is None
    assert not await asyncio.to_thread(threads_of, path)


async def test_refusals_leave_no_cycle(saver: SqliteSaver) -> None:
    writer = Writer(saver)
    await writer.commit()
    stale = writer.next()
    await writer.commit()
    refused: list[weakref.ref[ThreadConflict]] = []
    gc.disable()
    try:
        for _ in range(5):
            try:
                await saver.commit(stale)
            except ThreadConflict as error:
                refused.append(weakref.ref(error))
        await saver.commit(
            writer.next()
        )  # until it has more to do, the writing thread holds what it said last
        assert [error() for error in refused] == [None] * 5
    finally:
        gc.enable()


def test_a_saver_works_without_a_loop(path: str) -> None:
    saver = SqliteSaver.from_conn_string(path)
    saver.setup()
    asyncio.run(Writer(saver, "t").commit())
    saver.delete_thread("t")
    assert asyncio.run(saver.load("t")) is None
    saver.close()
    saver.close()
    assert not threads_of(path)


async def test_setup_may_be_awaited(path: str) -> None:
    saver = SqliteSaver.from_conn_string(path)
    await saver.setup()
    await saver.setup()
    await saver.aclose()


def test_what_setup_gives_without_a_loop_may_be_awaited_too(path: str) -> None:
    saver = SqliteSaver.from_conn_string(path)
    done = saver.setup()

    async def wait() -> None:
        assert await done is None

    asyncio.run(wait())
    saver.close()


async def test_blocking_doors_are_shut_in_a_loop(saver: SqliteSaver) -> None:
    for method in (saver.close, saver.__enter__, lambda: saver.delete_thread("t")):
        with pytest.raises(RunningLoopError):
            method()


FORK = """
import asyncio, os, sys
from checkpointers.sqlite import SqliteSaver
from tests.checkpointers.records import Writer

saver = SqliteSaver.from_conn_string(sys.argv[1])
memory = SqliteSaver.from_conn_string(":memory:")
asyncio.run(Writer(saver, "parent").commit())
memory.setup()
child = os.fork()
if not child:
    asyncio.run(Writer(saver, "child").commit())
    try:
        memory.setup()
    except Exception as error:
        os.write(1, str(error).encode())
    os._exit(0)
os.waitpid(child, 0)
assert asyncio.run(saver.load("child")) is not None
asyncio.run(Writer(saver, "after").commit())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_child_process_opens_its_own_connections(path: str) -> None:
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORK, path]
    ended = subprocess.run(
        command, cwd=Path(__file__).parents[2], env={**os.environ, "PYTHONPATH": "."}, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "forked off" in ended.stdout


# ---- what cannot be opened


async def test_a_failed_opening_can_be_tried_again(tmp_path: Path) -> None:
    folder = tmp_path / "later"
    saver = SqliteSaver.from_conn_string(str(folder / "threads.db"))
    for _ in range(2):
        with pytest.raises(StorageError, match="folder"):
            await saver.load("t")
    await asyncio.to_thread(folder.mkdir)
    assert await saver.load("t") is None
    await saver.aclose()


@pytest.fixture
def read_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on files can be read only, also by somebody who may do anything."""
    connect = opening.sqlite3.connect

    def only_read(place: str, **options: Any) -> Any:
        return connect(f"file:{place}?mode=ro", uri=True, **options)

    monkeypatch.setattr(opening.sqlite3, "connect", only_read)


async def test_a_read_only_file_can_be_read(path: str, request: pytest.FixtureRequest) -> None:
    async with SqliteSaver.from_conn_string(path) as saver:
        await Writer(saver, "t").commit({"a": b"1"})
    request.getfixturevalue("read_only")
    async with SqliteSaver.from_conn_string(path) as saver:
        stored = await saver.load("t")
        assert stored is not None and stored.channels == {"a": b"1"}
        with pytest.raises(StorageError, match="read-only"):
            await Writer(saver, "other").commit()


@pytest.mark.usefixtures("read_only")
async def test_tables_that_cannot_be_made_are_missed(path: str) -> None:
    saver = SqliteSaver.from_conn_string(path)
    with pytest.raises(StorageSchemaError, match="graphrt migrate"):
        await saver.setup()
    await saver.aclose()


async def test_a_busy_file_is_told_to_all_who_wait(path: str) -> None:
    async with SqliteSaver.from_conn_string(path, busy_timeout_s=0.05) as saver:
        async with aiosqlite.connect(path, isolation_level=None) as other:
            await other.execute("BEGIN IMMEDIATE")
            outcomes = await asyncio.gather(
                *(Writer(saver, f"thread-{n}").commit() for n in range(5)), return_exceptions=True
            )
            await other.execute("ROLLBACK")
        assert [type(outcome) for outcome in outcomes] == [StorageBusyError] * 5
        assert {outcome.waited_s for outcome in outcomes if isinstance(outcome, StorageBusyError)} == {0.05}
        assert files._open.files


async def test_a_full_disk_fails_who_wants_space_and_nobody_else(saver: SqliteSaver) -> None:
    await saver._write(lambda c: c.execute("PRAGMA max_page_count = 60").fetchall())
    first, large, small = (Writer(saver, name) for name in ("first", "large", "small"))
    outcomes = await asyncio.gather(
        first.commit(),
        large.commit({"a": b"x" * 1_000_000}),
        small.commit({"a": b"1"}),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes] == [str, StorageError, str]
    assert "disk is full" in str(outcomes[1])
    assert await saver.load("large") is None
    await saver._write(lambda c: c.execute("PRAGMA max_page_count = 100000").fetchall())
    assert await large.commit({"a": b"x" * 1_000_000})


RACE = """
import asyncio, sys
from checkpointers.sqlite import SqliteSaver
from graphrt.errors import ThreadConflict
from tests.checkpointers.records import Writer

async def main():
    made = 0
    async with SqliteSaver.from_conn_string(sys.argv[1]) as saver:
        while made < 15:
            stored = await saver.load("t")
            writer = Writer(saver, "t", head=stored.head if stored else None)
            total = int(stored.channels["total"]) if stored else 0
            try:
                await writer.commit({"total": b"%d" % (total + 1)}, id=sys.argv[2] + "-" + str(total))
                made += 1
            except ThreadConflict:
                pass

asyncio.run(main())
"""


def test_processes_that_race_for_a_new_file_make_one_chain(path: str) -> None:
    env = {**os.environ, "PYTHONPATH": "."}
    root = Path(__file__).parents[2]
    children = [
        subprocess.Popen([sys.executable, "-c", RACE, path, f"process {n}"], cwd=root, env=env)
        for n in range(3)
    ]
    assert [child.wait(60) for child in children] == [0, 0, 0]
    with SqliteSaver.from_conn_string(path) as saver:
        stored = asyncio.run(saver.load("t"))
    assert stored is not None and stored.channels == {"total": b"45"}
