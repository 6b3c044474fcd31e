"""Items whose time is over (LangGraph S6)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from graphrt.errors import GraphValidationError
from graphrt.store.base import BaseStore, GetOp, PutOp, SearchOp
from graphrt.testing.clock import FakeClock
from graphrt.testing.store_conformance.case import INDEX, Root, StoreCase, keys

__all__ = ["Expiring", "Sweeping"]

MINUTE = timedelta(minutes=1)


async def alive(store: BaseStore, root: Root) -> list[str]:
    """What is there, seen without changing anything."""
    return sorted(keys(await store.asearch(root, limit=100, refresh_ttl=False)))


async def swept_clean(store: Any, clock: FakeClock) -> None:
    """Nothing is left in the store that other tests gave some time."""
    clock.move(timedelta(days=10_000))
    await store.sweep_ttl()


class _Timed(StoreCase):
    @pytest.fixture(autouse=True)
    def _can_expire(self, request: pytest.FixtureRequest) -> None:
        if not getattr(self, "supports_ttl", True):
            pytest.skip(f"{type(self).__name__} says its store keeps items for ever")


class Expiring(_Timed):
    """Nobody sees an item whose time is over, swept or not."""

    async def test_item_ends_when_its_minutes_are_over(
        self, store: BaseStore, root: Root, clock: FakeClock
    ) -> None:
        assert store.supports_ttl
        await store.aput(root, "half a minute", {}, ttl=0.5)
        await store.aput((*root, "below"), "a minute", {}, ttl=1)
        await store.aput(root, "for ever", {})
        clock.move(timedelta(seconds=30) - timedelta(microseconds=1))
        assert await alive(store, root) == ["a minute", "for ever", "half a minute"]
        clock.move(timedelta(microseconds=1))
        assert await alive(store, root) == ["a minute", "for ever"]
        assert await store.aget(root, "half a minute") is None
        clock.move(MINUTE)
        assert await alive(store, root) == ["for ever"]
        assert await store.alist_namespaces(prefix=root) == [root]

    async def test_put_that_does_not_say_takes_the_default(
        self, opened: Any, root: Root, clock: FakeClock
    ) -> None:
        store = await opened(ttl={"default_ttl": 1})
        await store.aput(root, "default", {})
        await store.aput(root, "longer", {}, ttl=3)
        await store.aput(root, "for ever", {}, ttl=None)
        clock.move(MINUTE)
        assert await alive(store, root) == ["for ever", "longer"]
        clock.move(timedelta(days=1000))
        assert await alive(store, root) == ["for ever"]

    async def test_reading_begins_its_time_anew(self, store: BaseStore, root: Root, clock: FakeClock) -> None:
        for key in ("got", "left alone"):
            await store.aput(root, key, {"key": key}, ttl=2)
        clock.move(MINUTE)
        await store.aget(root, "got")
        clock.move(MINUTE)
        assert await alive(store, root) == ["got"]
        await store.asearch(root)
        clock.move(MINUTE)
        assert await alive(store, root) == ["got"]
        clock.move(MINUTE)
        assert await alive(store, root) == []

    async def test_search_refreshes_what_it_returns(
        self, store: BaseStore, root: Root, clock: FakeClock
    ) -> None:
        for key in ("1", "2", "3"):
            await store.aput(root, key, {"n": int(key)}, ttl=2)
        clock.move(MINUTE)
        assert keys(await store.asearch(root, filter={"n": {"$gt": 1}}, limit=1)) == ["2"]
        clock.move(MINUTE)
        assert await alive(store, root) == ["2"]

    async def test_reading_leaves_it_if_told_so(self, store: BaseStore, root: Root, clock: FakeClock) -> None:
        await store.aput(root, "k", {}, ttl=2)
        clock.move(MINUTE)
        await store.aget(root, "k", refresh_ttl=False)
        await store.asearch(root, refresh_ttl=False)
        await store.abatch([GetOp(root, "k", False), SearchOp(root, refresh_ttl=False)])
        clock.move(MINUTE)
        assert await alive(store, root) == []

    async def test_config_says_whether_reading_refreshes(
        self, opened: Any, root: Root, clock: FakeClock
    ) -> None:
        store = await opened(ttl={"refresh_on_read": False})
        for key in ("got", "refreshed"):
            await store.aput(root, key, {}, ttl=2)
        clock.move(MINUTE)
        await store.aget(root, "got")
        await store.aget(root, "refreshed", refresh_ttl=True)
        clock.move(MINUTE)
        assert await alive(store, root) == ["refreshed"]

    async def test_reading_refreshes_if_the_config_does_not_say(
        self, opened: Any, root: Root, clock: FakeClock
    ) -> None:
        store = await opened(ttl={"default_ttl": 2})
        await store.aput(root, "k", {})
        clock.move(MINUTE)
        await store.aget(root, "k")
        clock.move(MINUTE)
        assert await alive(store, root) == ["k"]

    async def test_reading_changes_no_times_that_are_seen(
        self, store: BaseStore, root: Root, clock: FakeClock
    ) -> None:
        await store.aput(root, "k", {}, ttl=2)
        clock.move(MINUTE)
        await store.aget(root, "k")
        item = await store.aget(root, "k")
        assert item is not None
        assert item.created_at == item.updated_at == clock.now() - MINUTE

    async def test_put_says_anew_how_long(self, store: BaseStore, root: Root, clock: FakeClock) -> None:
        await store.aput(root, "kept", {}, ttl=1)
        await store.aput(root, "kept", {})
        await store.aput(root, "over", {})
        await store.aput(root, "over", {}, ttl=1)
        clock.move(MINUTE)
        assert await alive(store, root) == ["kept"]

    async def test_put_after_the_end_makes_a_new_item(
        self, store: BaseStore, root: Root, clock: FakeClock
    ) -> None:
        await store.aput(root, "k", {}, ttl=1)
        clock.move(MINUTE)
        await store.aput(root, "k", {})
        item = await store.aget(root, "k")
        assert item is not None
        assert item.created_at == clock.now()

    async def test_put_decides_over_a_read_of_its_batch(
        self, store: BaseStore, root: Root, clock: FakeClock
    ) -> None:
        await store.aput(root, "k", {}, ttl=10)
        await store.abatch([PutOp(root, "k", {}, ttl=1), GetOp(root, "k"), SearchOp(root)])
        clock.move(MINUTE)
        assert await alive(store, root) == []

    async def test_what_is_over_takes_no_place_on_a_page(
        self, opened: Any, root: Root, clock: FakeClock
    ) -> None:
        store = await opened(index=INDEX)
        for n in range(4):
            await store.aput(root, f"over {n}", {"text": "a"}, ttl=1)
            await store.aput(root, f"stays {n}", {"text": "ab"}, ttl=3)
        clock.move(MINUTE)
        for query in (None, "a"):
            found = await store.asearch(root, query=query, limit=4, refresh_ttl=False)
            assert sorted(keys(found)) == [f"stays {n}" for n in range(4)]

    @pytest.mark.parametrize("ttl", [0, -1, float("nan"), float("inf")])
    async def test_time_that_cannot_be_is_refused(self, store: BaseStore, root: Root, ttl: float) -> None:
        with pytest.raises(GraphValidationError):
            await store.aput(root, "k", {}, ttl=ttl)


class Sweeping(_Timed):
    """What is over is deleted sooner or later."""

    async def test_sweep_says_how_many_it_deleted(self, opened: Any, root: Root, clock: FakeClock) -> None:
        store = await opened(index=INDEX)
        await swept_clean(store, clock)
        for n in range(3):
            await store.aput(root, str(n), {"text": "a"}, ttl=n + 1)
        clock.move(MINUTE)
        assert await store.sweep_ttl() == 1
        assert await store.sweep_ttl() == 0
        assert await alive(store, root) == ["1", "2"]

    async def test_sweeper_sweeps_every_interval(self, opened: Any, root: Root, clock: FakeClock) -> None:
        store = await opened(ttl={"sweep_interval_minutes": 2})
        sweep, swept = store.sweep_ttl, asyncio.Queue[int]()

        async def heard() -> None:
            await swept.put(await sweep())

        await swept_clean(store, clock)
        store.sweep_ttl = heard
        await store.aput(root, "k", {}, ttl=1)
        task = await store.start_ttl_sweeper()
        assert await store.start_ttl_sweeper() is task
        for count in (1, 0):
            await clock.advance(2 * MINUTE)
            assert await swept.get() == count
        assert await store.stop_ttl_sweeper()
        assert task.done()
        assert await store.stop_ttl_sweeper()
