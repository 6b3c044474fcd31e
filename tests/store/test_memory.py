"""What only the store in memory does."""

import asyncio
import sys
from collections.abc import Iterable
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest

from graphrt.errors import RunningLoopError
from graphrt.store.base import BaseStore, Op, Result
from graphrt.store.memory import InMemoryStore
from graphrt.testing.clock import FakeClock

HERE = ("a",)


def embed(texts: Any) -> list[list[float]]:
    return [[float(text.count(letter)) for letter in "ab"] for text in texts]


async def test_sync_methods_may_be_called_in_a_loop_as_they_never_wait():
    store = InMemoryStore(index={"dims": 2, "embed": embed})
    store.put(HERE, "k", {"text": "a"})
    assert [item.key for item in store.search(HERE, query="a")] == ["k"]
    store.delete(HERE, "k")
    assert store.list_namespaces() == []


def test_items_as_json():
    store = InMemoryStore(clock=FakeClock())
    store.put(HERE, "k", {"n": 1})
    item = store.get(HERE, "k")
    assert item is not None
    came = "2026-01-01T00:00:00+00:00"
    expected = {"namespace": ["a"], "key": "k", "value": {"n": 1}, "created_at": came, "updated_at": came}
    assert item.dict() == expected
    assert store.search(HERE)[0].dict() == {**expected, "score": None}
    assert len({item, store.get(HERE, "k")}) == 1


def test_without_numpy_it_finds_the_same(monkeypatch: pytest.MonkeyPatch):
    def found() -> list[Any]:
        store = InMemoryStore(index={"dims": 2, "embed": embed}, clock=FakeClock())
        for text in ("a", "ab", "b", "x"):
            store.put(HERE, text, {"text": text}, index=["text"])
        return [(item.key, item.score) for item in store.search(HERE, query="aab")]

    with_numpy = found()
    monkeypatch.setitem(sys.modules, "numpy", None)
    assert found() == with_numpy
    assert [key for key, _ in with_numpy] == ["ab", "a", "b", "x"]


def test_threads_lose_nothing():
    store = InMemoryStore()

    def put(thread: int) -> None:
        for n in range(200):
            store.put((str(thread),), str(n), {})

    threads = [Thread(target=put, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.search((), limit=10_000)) == 800


async def test_leaving_the_store_stops_its_sweeper():
    async with InMemoryStore(clock=FakeClock()) as store:
        task = await store.start_ttl_sweeper()
    assert task.done()


async def test_sweeper_goes_on_after_a_failed_sweep(caplog: pytest.LogCaptureFixture):
    clock = FakeClock()
    sweeps: list[int] = []

    class Failing(InMemoryStore):
        async def sweep_ttl(self) -> int:
            sweeps.append(1)
            raise ConnectionError("gone")

    async with Failing(clock=clock) as store:
        await store.start_ttl_sweeper(1)
        await clock.advance(timedelta(minutes=2))
    assert len(sweeps) == 2
    assert "sweep" in caplog.text


class Mine(BaseStore):
    """A store that has only what it must have."""

    def __init__(self) -> None:
        self.inner = InMemoryStore()

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        await asyncio.sleep(0)
        return await self.inner.abatch(ops)


def test_store_of_ones_own_needs_abatch_only():
    store = Mine()
    store.put(HERE, "k", {"n": 1})
    assert [item.value for item in store.search(HERE)] == [{"n": 1}]


async def test_blocking_call_in_a_running_loop_is_refused():
    with pytest.raises(RunningLoopError, match=r"await store\.abatch"):
        Mine().get(HERE, "k")


def test_store_without_ttl_refuses_one():
    with pytest.raises(NotImplementedError, match="ttl"):
        Mine().put(HERE, "k", {}, ttl=1)
    Mine().put(HERE, "k", {}, ttl=None)
