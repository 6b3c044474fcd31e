"""What comes back of what was put: values, addresses, times."""

from __future__ import annotations

import asyncio
from datetime import UTC, timedelta
from typing import Any

import pytest

from graphrt.errors import InvalidNamespaceError, SerializationError
from graphrt.store.base import BaseStore, GetOp, PutOp
from graphrt.testing.clock import FakeClock
from graphrt.testing.store_conformance.case import Root, StoreCase, keys

__all__ = ["Addresses", "Times", "Values"]

VALUES: list[dict[str, Any]] = [
    {},
    {"text": "", "none": None, "yes": True, "no": False},
    {"ints": [0, -1, 2**53 + 1, 2**63, 10**40], "floats": [0.1, 1.0, -0.0, 1e22, 5e-324]},
    {"unicode": "żółw 🐢 \x00\x1f\x7f \u2028", "": {"ключ": [[], {}, [[]]]}, "a.b": 1, "$x": 2, "'\"\\": 3},
    {"deep": {"a": {"b": {"c": {"d": [{"e": [1, [2, [3]]]}]}}}}},
    {"long": "x" * 100_000},
]
REFUSED: list[tuple[Any, str]] = [
    ({"a": [0, {"b": float("nan")}]}, "$.a[1].b"),
    ({"a": float("inf")}, "$.a"),
    ({"a": {1: "x"}}, "$.a"),
    ({"a": b"bytes"}, "$.a"),
    ({"a": {1, 2}}, "$.a"),
    ({"a": ...}, "$.a"),
    ({"a": "\ud800"}, "$.a"),
    ([1, 2], "$"),
]


class Values(StoreCase):
    """Values go through JSON."""

    @pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
    async def test_value_comes_back_as_it_was(
        self, store: BaseStore, root: Root, value: dict[str, Any]
    ) -> None:
        await store.aput(root, "k", value)
        item = await store.aget(root, "k")
        assert item is not None
        assert item.value == value
        assert repr(item.value) == repr(value)  # 1, 1.0 and True are equal, and -0.0 is 0.0

    async def test_tuple_comes_back_as_list(self, store: BaseStore, root: Root) -> None:
        await store.aput(root, "k", {"pair": (1, (2,))})
        item = await store.aget(root, "k")
        assert item is not None
        assert item.value == {"pair": [1, [2]]}

    @pytest.mark.parametrize("value, path", REFUSED, ids=[repr(value) for value, _ in REFUSED])
    async def test_what_json_cannot_say_is_refused_with_its_path(
        self, store: BaseStore, root: Root, value: Any, path: str
    ) -> None:
        with pytest.raises(SerializationError) as caught:
            await store.abatch([PutOp(root, "good", {"a": 1}), PutOp(root, "bad", value)])
        assert caught.value.path == path
        assert await store.aget(root, "good") is None

    async def test_value_that_holds_itself_is_refused(self, store: BaseStore, root: Root) -> None:
        value: dict[str, Any] = {}
        value["self"] = value
        with pytest.raises(SerializationError):
            await store.aput(root, "k", value)

    async def test_nobody_shares_objects_with_the_store(self, store: BaseStore, root: Root) -> None:
        value = {"list": [1]}
        await store.aput(root, "k", value)
        value["list"].append(2)
        first = await store.aget(root, "k")
        assert first is not None
        first.value["list"].append(3)
        [second] = await store.asearch(root)
        assert second.value == {"list": [1]}


class Addresses(StoreCase):
    """An item has one place: its namespace and its key."""

    async def test_what_is_not_there_is_none(self, store: BaseStore, root: Root) -> None:
        assert await store.aget(root, "k") is None
        assert await store.asearch(root) == []
        await store.adelete(root, "k")

    async def test_put_replaces_the_whole_value(self, store: BaseStore, root: Root) -> None:
        await store.aput(root, "k", {"a": 1})
        await store.aput(root, "k", {"b": 2})
        [item] = await store.asearch(root)
        assert item.value == {"b": 2}

    async def test_deleted_item_is_gone(self, store: BaseStore, root: Root) -> None:
        await store.aput(root, "k", {})
        await store.aput(root, "other", {})
        await store.adelete(root, "k")
        assert await store.aget(root, "k") is None
        assert keys(await store.asearch(root)) == ["other"]

    async def test_none_as_value_deletes(self, store: BaseStore, root: Root) -> None:
        await store.aput(root, "k", {})
        await store.abatch([PutOp(root, "k", None)])
        assert await store.aget(root, "k") is None

    async def test_item_knows_its_address(self, store: BaseStore, root: Root) -> None:
        namespace = (*root, "a", "b")
        await store.aput(namespace, "k", {})
        item, [found] = await store.aget(namespace, "k"), await store.asearch(root)
        assert item is not None
        assert (item.namespace, item.key) == (found.namespace, found.key) == (namespace, "k")

    @pytest.mark.parametrize("key", ["", ".", "a.b", "%", "_", "'; --", "ключ 🐢", "a\nb", "*", "x" * 2000])
    async def test_any_text_is_a_key(self, store: BaseStore, root: Root, key: str) -> None:
        await store.aput(root, key, {"key": key})
        await store.aput(root, "neighbour", {})
        item = await store.aget(root, key)
        assert item is not None
        assert item.key == key
        assert item.value == {"key": key}

    @pytest.mark.parametrize("key", ["a\x00b", "\ud800"])
    async def test_text_that_databases_do_not_take_is_no_key(
        self, store: BaseStore, root: Root, key: str
    ) -> None:
        with pytest.raises(SerializationError):
            await store.aput(root, key, {})

    @pytest.mark.parametrize("label", ["%", "_", "*", "'", "a b", "ключ 🐢", "\\", "/", "\n", ":", "a%b_c"])
    async def test_namespaces_are_told_apart_by_whole_labels(
        self, store: BaseStore, root: Root, label: str
    ) -> None:
        await store.aput((*root, label), "k", {"n": 1})
        await store.aput((*root, label + "x"), "k", {"n": 2})
        await store.aput((*root, "x" + label), "k", {"n": 3})
        await store.aput((*root, label, "below"), "k", {"n": 4})
        found = await store.asearch((*root, label))
        assert sorted(item.value["n"] for item in found) == [1, 4]

    async def test_namespaces_and_keys_differ_by_case(self, store: BaseStore, root: Root) -> None:
        await store.aput((*root, "a"), "k", {})
        assert await store.aget((*root, "A"), "k") is None
        assert await store.aget((*root, "a"), "K") is None
        assert await store.asearch((*root, "A")) == []

    @pytest.mark.parametrize(
        "namespace",
        [
            (),
            ("langgraph", "x"),
            ("graphrt",),
            ("",),
            ("a", ""),
            ("a.b",),
            ("a\x00",),
            (1,),
            "abc",
            ("\ud800",),
        ],
    )
    async def test_no_item_can_be_in_such_a_namespace(self, store: BaseStore, namespace: Any) -> None:
        for put in (store.aput(namespace, "k", {}), store.abatch([PutOp(namespace, "k", {})])):
            with pytest.raises(InvalidNamespaceError):
                await put

    @pytest.mark.parametrize("namespace", [("",), ("a.b",), ("a\x00",), (1,)])
    async def test_nothing_is_looked_for_in_a_namespace_that_cannot_be(
        self, store: BaseStore, namespace: Any
    ) -> None:
        for read in (store.abatch([GetOp(namespace, "k")]), store.asearch(namespace)):
            with pytest.raises(InvalidNamespaceError):
                await read


class Times(StoreCase):
    """When an item came, and when it changed."""

    async def test_created_once_updated_each_time(
        self, store: BaseStore, root: Root, clock: FakeClock
    ) -> None:
        came = clock.now()
        await store.aput(root, "k", {"n": 1})
        clock.move(timedelta(minutes=1))
        await store.aput(root, "k", {"n": 2})
        item, [found] = await store.aget(root, "k"), await store.asearch(root)
        assert item is not None
        for one in (item, found):
            assert one.created_at == came
            assert one.updated_at == came + timedelta(minutes=1)
            assert one.updated_at.tzinfo is UTC

    async def test_item_that_was_deleted_is_created_anew(
        self, store: BaseStore, root: Root, clock: FakeClock
    ) -> None:
        await store.aput(root, "k", {})
        await store.adelete(root, "k")
        clock.move(1)
        await store.aput(root, "k", {})
        item = await store.aget(root, "k")
        assert item is not None
        assert item.created_at == clock.now()

    async def test_times_are_exact_to_the_microsecond(
        self, store: BaseStore, root: Root, clock: FakeClock
    ) -> None:
        clock.move(timedelta(days=12_345, microseconds=123_457))
        await store.aput(root, "k", {})
        item = await store.aget(root, "k")
        assert item is not None
        assert item.updated_at == clock.now()

    async def test_threads_without_a_loop_use_the_same_store(self, store: BaseStore, root: Root) -> None:
        await store.aput(root, "from the loop", {})
        await asyncio.to_thread(store.put, root, "from a thread", {})
        found = await asyncio.to_thread(store.search, root)
        assert sorted(keys(found)) == ["from a thread", "from the loop"]
        assert await asyncio.to_thread(store.get, root, "from the loop") is not None
        assert await asyncio.to_thread(store.list_namespaces, prefix=root) == [root]
        await asyncio.to_thread(store.delete, root, "from the loop")
        assert keys(await store.asearch(root)) == ["from a thread"]
