"""What only the in-memory checkpointer promises: it may be shared between threads and forgotten without a loop."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from graphrt.checkpoint.memory import InMemorySaver, MemorySaver
from graphrt.errors import ThreadConflict
from tests.checkpointers.records import Writer


def test_older_name_is_the_same_class():
    assert MemorySaver is InMemorySaver


async def test_saver_from_a_url_is_new_and_empty():
    full = InMemorySaver.from_conn_string("memory://")
    await Writer(full).commit()
    assert await InMemorySaver.from_conn_string("memory://").load("thread") is None


async def test_thread_can_be_deleted_without_a_loop():
    saver = InMemorySaver()
    await Writer(saver).commit()
    saver.delete_thread("thread")
    saver.delete_thread("unknown")
    assert await saver.load("thread") is None


def test_writers_in_several_threads_make_one_chain():
    saver, workers, turns = InMemorySaver(), 4, 25

    async def take_turns(writer: Writer) -> None:
        while len(writer.made) < turns:
            stored = await saver.load("thread")
            writer.head = stored.head if stored is not None else None
            try:
                await writer.commit()
            except ThreadConflict:
                continue

    with ThreadPoolExecutor(workers) as pool:
        for ended in [pool.submit(asyncio.run, take_turns(Writer(saver))) for _ in range(workers)]:
            ended.result()
    ids = asyncio.run(Writer(saver).history())
    assert len(ids) == workers * turns == len(set(ids))


async def test_dropped_history_keeps_nothing_locked():
    saver = InMemorySaver()
    await Writer(saver).commit()
    async for _ in saver.history("thread"):
        break
    assert await saver.load("thread") is not None
