"""Which namespaces there are."""

from __future__ import annotations

from typing import Any

import pytest

from graphrt.errors import GraphValidationError, InvalidNamespaceError
from graphrt.store.base import BaseStore, ListNamespacesOp, MatchCondition
from graphrt.testing.store_conformance.case import Root, StoreCase

__all__ = ["Listing"]

SPACES: list[tuple[str, ...]] = [
    ("a",), ("a", "b"), ("a", "b", "c"), ("a", "x", "c"), ("a b",), ("ab",), ("b", "c"), ("é",), ("*", "c"),
]  # fmt: skip
"""Below the test's own namespace."""


async def listed(
    store: BaseStore, root: Root, *, prefix: tuple[str, ...] = (), **asked: Any
) -> list[tuple[str, ...]]:
    """A listing below the root, without the root."""
    found = await store.alist_namespaces(prefix=(*root, *prefix), **asked)
    assert all(namespace[:1] == root for namespace in found)
    return [namespace[1:] for namespace in found]


class Listing(StoreCase):
    """Distinct, sorted, chosen by their ends, cut off and paged."""

    @pytest.mark.parametrize(
        "asked, found",
        [
            ({}, sorted(SPACES)),
            ({"prefix": ("a",)}, [("a",), ("a", "b"), ("a", "b", "c"), ("a", "x", "c")]),
            ({"prefix": ("*", "c")}, [("*", "c"), ("b", "c")]),
            ({"prefix": ("a", "*", "c")}, [("a", "b", "c"), ("a", "x", "c")]),
            ({"suffix": ("c",)}, [("*", "c"), ("a", "b", "c"), ("a", "x", "c"), ("b", "c")]),
            ({"suffix": ("b", "*")}, [("a", "b", "c"), ("b", "c")]),
            ({"prefix": ("a",), "suffix": ("c",)}, [("a", "b", "c"), ("a", "x", "c")]),
            ({"prefix": ("nobody",)}, []),
            ({"max_depth": 2}, [("*",), ("a",), ("a b",), ("ab",), ("b",), ("é",)]),
            ({"prefix": ("a",), "max_depth": 3}, [("a",), ("a", "b"), ("a", "x")]),
            ({"suffix": ("c",), "max_depth": 2}, [("*",), ("a",), ("b",)]),
            ({"limit": 2}, [("*", "c"), ("a",)]),
            ({"limit": 2, "offset": 1}, [("a",), ("a", "b")]),
            ({"limit": 2, "offset": 3, "max_depth": 2}, [("ab",), ("b",)]),
            ({"limit": 0}, []),
            ({"offset": 100}, []),
        ],
        ids=repr,
    )
    async def test_list(
        self, store: BaseStore, root: Root, asked: dict[str, Any], found: list[tuple[str, ...]]
    ) -> None:
        for space in SPACES:
            await store.aput((*root, *space), "k", {})
            await store.aput((*root, *space), "another", {})
        assert await listed(store, root, **asked) == found

    async def test_namespace_goes_with_its_last_item(self, store: BaseStore, root: Root) -> None:
        await store.aput((*root, "a"), "1", {})
        await store.aput((*root, "a"), "2", {})
        await store.adelete((*root, "a"), "1")
        assert await listed(store, root) == [("a",)]
        await store.adelete((*root, "a"), "2")
        assert await listed(store, root) == []

    async def test_several_conditions_must_all_hold(self, store: BaseStore, root: Root) -> None:
        for space in SPACES:
            await store.aput((*root, *space), "k", {})
        asked = (
            MatchCondition("prefix", (*root, "a")),
            MatchCondition("suffix", ("c",)),
            MatchCondition("prefix", ("*", "*", "x")),
        )
        assert await store.abatch([ListNamespacesOp(asked)]) == [[(*root, "a", "x", "c")]]

    async def test_listing_that_cannot_be_is_refused(self, store: BaseStore) -> None:
        with pytest.raises(GraphValidationError):
            await store.alist_namespaces(max_depth=0)
        with pytest.raises(InvalidNamespaceError):
            await store.alist_namespaces(prefix=("a.b",))
