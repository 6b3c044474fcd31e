"""Ops of one turn of the loop are one batch (LangGraph S7), whatever becomes of those who asked."""

import asyncio
import gc
from collections.abc import Iterable
from typing import Any

import pytest

from graphrt.errors import SerializationError
from graphrt.store.base import Op, PutOp, Result
from graphrt.store.base.batch import AsyncBatchedBaseStore
from graphrt.store.memory import InMemoryStore

HERE = ("a",)


class Slow(AsyncBatchedBaseStore):
    """Does nothing before `go` is set, and knows what it was asked."""

    def __init__(self) -> None:
        self.inner = InMemoryStore()
        self.batches: list[list[Op]] = []
        self.go = asyncio.Event()
        self.came = asyncio.Event()
        self.cancelled = 0

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        self.batches.append(list(ops))
        self.came.set()
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return await self.inner.abatch(self.batches[-1])


@pytest.fixture
async def store() -> Slow:
    return Slow()


async def test_those_who_come_later_are_in_another_batch(store: Slow):
    first = asyncio.create_task(store.aget(HERE, "1"))
    await store.came.wait()
    second = asyncio.create_task(store.aget(HERE, "2"))
    store.go.set()
    await asyncio.gather(first, second)
    assert [len(batch) for batch in store.batches] == [1, 1]


async def test_cancelled_before_it_starts_takes_its_op_along(store: Slow):
    store.go.set()
    gone, stays = (asyncio.create_task(store.aput(HERE, key, {})) for key in ("gone", "stays"))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.gather(gone, stays, return_exceptions=True)
    assert [op.key for batch in store.batches for op in batch if isinstance(op, PutOp)] == ["stays"]


async def test_cancelled_caller_leaves_the_others_their_batch(store: Slow):
    gone, stays = (asyncio.create_task(store.aput(HERE, key, {})) for key in ("gone", "stays"))
    await store.came.wait()
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    store.go.set()
    await stays
    assert store.cancelled == 0
    assert await store.aget(HERE, "stays") is not None


async def test_batch_that_nobody_waits_for_ends_with_its_last_caller(store: Slow):
    callers = [asyncio.create_task(store.aget(HERE, str(n))) for n in range(2)]
    await store.came.wait()
    for caller in callers:
        caller.cancel()
    await asyncio.gather(*callers, return_exceptions=True)
    assert store.cancelled == 1
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_only_the_one_who_made_a_mistake_hears_of_it(store: Slow):
    store.go.set()
    calls: list[Any] = [
        store.aput(HERE, "good", {}),
        store.aput(HERE, "bad", {"a": object()}),
        store.aget(HERE, "x"),
    ]
    good, bad, nothing = await asyncio.gather(*calls, return_exceptions=True)
    assert good is nothing is None
    assert isinstance(bad, SerializationError)


async def test_failure_of_the_store_is_everybodys():
    class Broken(AsyncBatchedBaseStore):
        async def abatch(self, ops: Iterable[Op]) -> list[Result]:
            raise ConnectionError("gone")

    broken = Broken()
    calls = (broken.aget(HERE, "1"), broken.aget(HERE, "2"))
    assert [type(error) for error in await asyncio.gather(*calls, return_exceptions=True)] == [
        ConnectionError
    ] * 2


def test_store_serves_one_loop_after_another():
    class Quick(AsyncBatchedBaseStore):
        inner = InMemoryStore()

        async def abatch(self, ops: Iterable[Op]) -> list[Result]:
            return await self.inner.abatch(ops)

    store = Quick()
    asyncio.run(store.aput(HERE, "k", {}))
    assert asyncio.run(store.aget(HERE, "k")) is not None
    assert store.get(HERE, "k") is not None  # through the bridge
    gc.collect()
