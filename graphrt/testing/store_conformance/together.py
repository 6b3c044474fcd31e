"""Several ops in one batch, and several callers at once."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from graphrt.store.base import (
    BaseStore,
    GetOp,
    Item,
    ListNamespacesOp,
    MatchCondition,
    Op,
    PutOp,
    SearchItem,
    SearchOp,
)
from graphrt.testing.clock import FakeClock
from graphrt.testing.store_conformance.case import Root, StoreCase, keys

__all__ = ["Batches", "Callers"]


class Batches(StoreCase):
    """Reads first, last put wins, one result for each op."""

    async def test_empty_batch_is_no_work(self, store: BaseStore) -> None:
        assert await store.abatch([]) == []

    async def test_results_are_in_the_order_of_the_ops(self, store: BaseStore, root: Root) -> None:
        await store.aput(root, "k", {"n": 1})
        put, search, nothing, listing, get = await store.abatch(
            iter(
                [
                    PutOp(root, "other", {}),
                    SearchOp(root),
                    GetOp(root, "nobody"),
                    ListNamespacesOp((MatchCondition("prefix", root),)),
                    GetOp(root, "k"),
                ]
            )
        )
        assert put is nothing is None
        assert keys(cast("list[SearchItem]", search)) == ["k"]
        assert listing == [root]
        assert cast("Item", get).value == {"n": 1}

    async def test_reads_see_what_was_there_before_the_batch(self, store: BaseStore, root: Root) -> None:
        await store.aput(root, "old", {"n": 1})
        ops: list[Op] = [
            PutOp(root, "old", {"n": 2}),
            PutOp(root, "new", {}),
            GetOp(root, "old"),
            GetOp(root, "new"),
            PutOp(root, "old", None),
            SearchOp(root),
        ]
        results = await store.abatch(ops)
        assert cast("Item", results[2]).value == {"n": 1}
        assert results[3] is None
        assert keys(cast("list[SearchItem]", results[5])) == ["old"]
        assert keys(await store.asearch(root)) == ["new"]

    async def test_last_put_to_a_key_wins(self, store: BaseStore, root: Root) -> None:
        await store.abatch(
            [
                PutOp(root, "a", {"n": 1}),
                PutOp(root, "b", None),
                PutOp(root, "a", None),
                PutOp(root, "b", {"n": 2}),
                PutOp(root, "a", {"n": 3}),
                PutOp((*root, "below"), "a", {"n": 4}),
            ]
        )
        found = {(item.namespace, item.key): item.value["n"] for item in await store.asearch(root)}
        assert found == {(root, "a"): 3, (root, "b"): 2, ((*root, "below"), "a"): 4}

    async def test_large_batch(self, store: BaseStore, root: Root) -> None:
        await store.abatch([PutOp(root, f"{n:04}", {"n": n}) for n in range(2_000)])
        results = await store.abatch([GetOp(root, f"{n:04}") for n in range(2_000)])
        assert [cast("Item", item).value["n"] for item in results] == list(range(2_000))
        assert len(await store.asearch(root, limit=5_000)) == 2_000


class Callers(StoreCase):
    """Nobody loses what somebody else puts."""

    async def test_many_tasks_put_and_read(self, store: BaseStore, root: Root) -> None:
        async def use(n: int) -> None:
            await store.aput(root, str(n), {"n": n})
            item = await store.aget(root, str(n))
            assert item is not None
            assert item.value == {"n": n}

        await asyncio.gather(*map(use, range(50)))
        assert len(await store.asearch(root, limit=100)) == 50

    async def test_mistake_of_one_caller_is_not_another_ones(self, store: BaseStore, root: Root) -> None:
        calls: list[Any] = [
            store.aput(root, "good", {}),
            store.aput(root, "bad", {"a": object()}),
            store.asearch(root, filter={"a": {"$x": 1}}),
            store.aget(root, "nobody"),
        ]
        good, bad, worse, nobody = await asyncio.gather(*calls, return_exceptions=True)
        assert good is nobody is None
        assert type(bad).__name__ == "SerializationError"
        assert type(worse).__name__ == "InvalidFilterError"
        assert keys(await store.asearch(root)) == ["good"]

    async def test_cancelled_caller_leaves_a_store_that_works(self, store: BaseStore, root: Root) -> None:
        tasks = [asyncio.create_task(store.aput(root, str(n), {})) for n in range(10)]
        await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(outcome, asyncio.CancelledError | None) for outcome in done)
        found = keys(await store.asearch(root, limit=100))
        assert {str(n) for n in range(10) if done[n] is None} <= set(found)

    async def test_two_stores_of_one_database_see_the_same(
        self, opened: Any, root: Root, clock: FakeClock
    ) -> None:
        one, other = await opened(), await opened()
        await one.aput(root, "k", {"n": 1})
        if await other.aget(root, "k") is None:
            return  # each store is a world of its own
        clock.move(1)
        await other.aput(root, "k", {"n": 2})
        [item] = await one.asearch(root)
        assert item.value == {"n": 2}
        assert item.updated_at - item.created_at
