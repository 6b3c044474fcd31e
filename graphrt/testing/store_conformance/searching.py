"""What a search finds: below a namespace, through a filter, in order, page by page."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from graphrt.errors import GraphValidationError, InvalidFilterError
from graphrt.store.base import BaseStore, SearchOp
from graphrt.testing.clock import FakeClock
from graphrt.testing.store_conformance.case import Root, StoreCase, keys

__all__ = ["Filters", "Pages"]

VALUES: dict[str, dict[str, Any]] = {
    "none": {},
    "null": {"x": None},
    "true": {"x": True},
    "false": {"x": False},
    "0": {"x": 0},
    "1": {"x": 1},
    "1.0": {"x": 1.0},
    "2.5": {"x": 2.5},
    "10": {"x": 10},
    "big": {"x": 2**53 + 1},
    "huge": {"x": 10**40},
    "'1'": {"x": "1"},
    "'10'": {"x": "10"},
    "'9'": {"x": "9"},
    "'Z'": {"x": "Z"},
    "'a'": {"x": "a"},
    "'é'": {"x": "é"},
    "'🐢'": {"x": "🐢"},
    "'％'": {"x": "\uff05"},
    "''": {"x": ""},
    "nul": {"x": "a\0b"},
    "[]": {"x": []},
    "[1]": {"x": [1]},
    "[1,2]": {"x": [1, 2]},
    "[{}]": {"x": [{"n": 1, "m": 2}]},
    "{}": {"x": {}},
    "{n}": {"x": {"n": 1}},
    "{n,m}": {"x": {"n": 1, "m": {"o": [True]}}},
}
"""One value of each kind, under a key that says it."""

NUMBERS_FROM_1 = {"1", "1.0", "2.5", "10", "big", "huge"}

FOUND: list[tuple[dict[str, Any] | None, set[str]]] = [
    (None, set(VALUES)),
    ({}, set(VALUES)),
    ({"x": 1}, {"1", "1.0"}),
    ({"x": 1.0}, {"1", "1.0"}),
    ({"x": True}, {"true"}),
    ({"x": 0}, {"0"}),
    ({"x": False}, {"false"}),
    ({"x": None}, {"none", "null"}),
    ({"x": {"$eq": None}}, {"none", "null"}),
    ({"x": {"$ne": None}}, set(VALUES) - {"none", "null"}),
    ({"x": "1"}, {"'1'"}),
    ({"x": ""}, {"''"}),
    ({"x": "a\0b"}, {"nul"}),
    ({"x": 2**53}, set()),
    ({"x": 2**53 + 1}, {"big"}),
    ({"x": 10**40}, {"huge"}),
    ({"x": {"$gt": 2**53}}, {"big", "huge"}),
    ({"x": {"$gte": 1}}, NUMBERS_FROM_1),
    ({"x": {"$gt": 1}}, NUMBERS_FROM_1 - {"1", "1.0"}),
    ({"x": {"$lt": 1}}, {"0"}),
    ({"x": {"$lte": 1.0}}, {"0", "1", "1.0"}),
    ({"x": {"$gt": 9, "$lt": 11}}, {"10"}),
    ({"x": {"$gt": "1"}}, {"'10'", "'9'", "'Z'", "'a'", "'é'", "'🐢'", "'％'", "nul"}),
    ({"x": {"$gt": "Z", "$lt": "b"}}, {"'a'", "nul"}),
    ({"x": {"$gt": "é"}}, {"'🐢'", "'％'"}),
    ({"x": {"$gt": "\uff05"}}, {"'🐢'"}),
    ({"x": {"$lte": ""}}, {"''"}),
    ({"x": {"$ne": 1}}, set(VALUES) - {"1", "1.0"}),
    ({"x": {"$ne": "1"}}, set(VALUES) - {"'1'"}),
    ({"x": {"$ne": True}}, set(VALUES) - {"true"}),
    ({"x": []}, {"[]"}),
    ({"x": [1]}, {"[1]"}),
    ({"x": (1, 2)}, {"[1,2]"}),
    ({"x": [1, {"$gt": 1}]}, {"[1,2]"}),
    ({"x": [{"n": 1}]}, {"[{}]"}),
    ({"x": {"$eq": [{"n": 1}]}}, set()),
    ({"x": {"$eq": [{"m": 2, "n": 1.0}]}}, {"[{}]"}),
    ({"x": {}}, {"{}", "{n}", "{n,m}"}),
    ({"x": {"$eq": {}}}, {"{}"}),
    ({"x": {"n": 1}}, {"{n}", "{n,m}"}),
    ({"x": {"$eq": {"n": 1}}}, {"{n}"}),
    ({"x": {"$ne": {"n": 1}}}, set(VALUES) - {"{n}"}),
    ({"x": {"m": {"o": [True]}}}, {"{n,m}"}),
    ({"x": {"n": {"$gte": 1}, "m": None}}, {"{n}"}),
    ({"x": {"n": None}}, {"{}"}),
    ({"y": None}, set(VALUES)),
    ({"y": {"$ne": 1}}, set(VALUES)),
    ({"y": {"$lt": 1}}, set()),
    ({"x": 1, "y": None}, {"1", "1.0"}),
    ({"x": 1, "y": 1}, set()),
]
"""Filters, and the keys of the values that they let through."""

REFUSED: list[tuple[Any, str]] = [
    ({"x": {"$in": [1]}}, "$.x"),
    ({"x": {"$GT": 1}}, "$.x"),
    ({"x": {"$gt": 1, "n": 1}}, "$.x"),
    ({"$or": []}, "$"),
    ({"x": {"n": [{"$regex": ""}]}}, "$.x.n[0]"),
    ({"x": {"$gt": None}}, "$.x"),
    ({"x": {"$lt": [1]}}, "$.x"),
    ({"x": {"$gte": True}}, "$.x"),
    ({"x": float("nan")}, "$.x"),
    ({"x": ...}, "$.x"),
]


class Filters(StoreCase):
    """A filter means the same on every backend."""

    @pytest.mark.parametrize("filter, found", FOUND, ids=[repr(filter) for filter, _ in FOUND])
    async def test_filter_finds(
        self, store: BaseStore, root: Root, filter: dict[str, Any] | None, found: set[str]
    ) -> None:
        for key, value in VALUES.items():
            await store.aput(root, key, value)
        assert set(keys(await store.asearch(root, filter=filter, limit=100))) == found

    @pytest.mark.parametrize(
        "name", ["a.b", "a'b", 'a"b', "a b", "[0]", "ключ", "a\\b", "a%", "", "a\0b", "0"]
    )
    async def test_any_text_names_a_key_of_the_value(self, store: BaseStore, root: Root, name: str) -> None:
        await store.aput(root, "has", {name: 1})
        await store.aput(root, "has not", {"a": {"b": 1}})
        assert keys(await store.asearch(root, filter={name: 1})) == ["has"]

    @pytest.mark.parametrize("filter, path", REFUSED, ids=[repr(filter) for filter, _ in REFUSED])
    async def test_filter_that_makes_no_sense_is_refused(
        self, store: BaseStore, root: Root, filter: dict[str, Any], path: str
    ) -> None:
        with pytest.raises(InvalidFilterError) as caught:
            await store.asearch(root, filter=filter)
        assert caught.value.path == path


class Pages(StoreCase):
    """The order of what is found, and parts of it."""

    async def test_last_put_comes_first(self, store: BaseStore, root: Root, clock: FakeClock) -> None:
        for key in ("b", "a", "c", "a"):
            clock.move(timedelta(microseconds=1))
            await store.aput(root, key, {})
        assert keys(await store.asearch(root)) == ["a", "c", "b"]

    async def test_items_of_one_moment_come_by_namespace_and_key(self, store: BaseStore, root: Root) -> None:
        places = [("b", "x"), ("a", "é"), ("a", "z"), ("a", "B"), ("a b", "x"), ("a\x01", "x"), ("é", "x")]
        for label, key in places:
            await store.aput((*root, label), key, {})
        await store.aput((*root, "a", "b"), "x", {})
        found = [(*item.namespace[1:], item.key) for item in await store.asearch(root, limit=100)]
        assert found == [
            ("a", "B"), ("a", "z"), ("a", "é"), ("a", "b", "x"), ("a\x01", "x"), ("a b", "x"), ("b", "x"), ("é", "x"),
        ]  # fmt: skip

    async def test_ten_are_found_unless_said_otherwise(self, store: BaseStore, root: Root) -> None:
        for n in range(12):
            await store.aput(root, f"{n:02}", {})
        assert len(await store.asearch(root)) == 10
        assert len(await store.asearch(root, limit=100)) == 12

    async def test_pages_make_up_the_whole(self, store: BaseStore, root: Root) -> None:
        for n in range(25):
            await store.aput(root, f"{n:02}", {"even": n % 2 == 0})
        pages = [
            await store.asearch(root, filter={"even": True}, limit=4, offset=n) for n in (0, 4, 8, 12, 16)
        ]
        assert [key for page in pages for key in keys(page)] == [f"{n:02}" for n in range(0, 25, 2)]
        assert pages[-1] == []

    async def test_limit_0_finds_nothing(self, store: BaseStore, root: Root) -> None:
        await store.aput(root, "k", {})
        assert await store.asearch(root, limit=0) == []

    @pytest.mark.parametrize("op", [SearchOp((), limit=-1), SearchOp((), offset=-1)])
    async def test_page_that_cannot_be_is_refused(self, store: BaseStore, op: SearchOp) -> None:
        with pytest.raises(GraphValidationError):
            await store.abatch([op])

    async def test_empty_prefix_is_all_there_is(self, store: BaseStore, root: Root) -> None:
        mark = root[0]
        await store.aput((*root, "a"), "k", {"mark": mark})
        assert keys(await store.asearch((), filter={"mark": mark})) == ["k"]

    async def test_query_changes_nothing_without_an_index(
        self, store: BaseStore, root: Root, clock: FakeClock
    ) -> None:
        for text in ("a", "b"):
            await store.aput(root, text, {"text": text})
            clock.move(1)
        found = await store.asearch(root, query="a")
        assert [(item.key, item.score) for item in found] == [("b", None), ("a", None)]
