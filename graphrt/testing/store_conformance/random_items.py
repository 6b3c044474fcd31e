"""Whatever is done to a store, it answers as a dict would. So all stores answer alike.

A quarter of the usual number of Hypothesis's examples is tried.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final, cast
from uuid import uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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
from graphrt.testing.store_conformance.case import Root, StoreCase
from graphrt.testing.store_conformance.model import Model

__all__ = ["RandomItems", "few", "histories"]

few: Final = settings(
    max_examples=max(10, settings().max_examples // 4),
    deadline=None,
    # One store serves all examples, so namespaces must not touch each other either.
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.differing_executors,
    ],
)

_labels = st.sampled_from(["a", "b", "ab", "%"])
_namespaces = st.lists(_labels, max_size=3).map(tuple)
_keys = st.sampled_from(["k", "K", "", "é"])
_scalars = (
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from([0.5, 1.0, 2**60, "1", "a", "b", ""])
)
_things = st.recursive(
    _scalars,
    lambda part: st.lists(part, max_size=2) | st.dictionaries(st.sampled_from("mn"), part, max_size=2),
    max_leaves=3,
)
_texts = st.sampled_from(["a", "ab", "abb", "c", "", "zzz"])
_values = st.fixed_dictionaries({}, optional={"x": _things, "y": _scalars, "text": _texts})
_ordered = st.integers(-1, 2) | st.sampled_from([0.5, "", "1", "a"])
_conditions = (
    _things
    | st.dictionaries(st.sampled_from(["$eq", "$ne"]), _things, min_size=1)
    | st.dictionaries(st.sampled_from(["$gt", "$gte", "$lt", "$lte"]), _ordered, min_size=1, max_size=2)
)
_filters = st.none() | st.dictionaries(st.sampled_from("xy"), _conditions, max_size=2)
_ttls = st.none() | st.none() | st.sampled_from([1.0, 2.5])
_limits = st.integers(0, 3) | st.just(100)
_offsets = st.just(0) | st.integers(0, 3)
_puts = st.builds(PutOp, _namespaces, _keys, _values, st.none() | st.none() | st.just(False), _ttls)
_paths = st.lists(_labels | st.just("*"), min_size=1, max_size=2).map(tuple)
_suffixes = st.lists(st.builds(MatchCondition, st.just("suffix"), _paths), max_size=1).map(tuple)

_ops = (
    _puts
    | _puts
    | st.builds(PutOp, _namespaces, _keys, st.none())
    | st.builds(GetOp, _namespaces, _keys, st.booleans())
    | st.builds(SearchOp, _namespaces, _filters, _limits, _offsets, st.none() | _texts, st.booleans())
    | st.builds(ListNamespacesOp, _suffixes, st.none() | st.integers(2, 4), _limits, _offsets)
)
_minutes = st.just(0.0) | st.sampled_from([0.0, 0.5, 1.0, 2.0])

histories: Final = st.lists(st.tuples(_minutes, st.lists(_ops, max_size=4)), max_size=8)
"""Batches, each with how many minutes go by before it."""


def below(root: Root, op: Op) -> Op:
    """The op, moved into a namespace of the example's own."""
    match op:
        case GetOp() | PutOp():
            return op._replace(namespace=(*root, *op.namespace))
        case SearchOp():
            return op._replace(namespace_prefix=(*root, *op.namespace_prefix))
        case ListNamespacesOp():
            conditions = (MatchCondition("prefix", root), *(op.match_conditions or ()))
            return op._replace(match_conditions=conditions)


def seen(result: Any) -> Any:
    """A result as the model gives it."""
    if isinstance(result, list):
        return [seen(one) for one in cast("list[Any]", result)]  # type: ignore[redundant-cast]
    if not isinstance(result, Item):
        return result
    score = result.score if isinstance(result, SearchItem) else None
    return rounded((result.namespace, result.key, result.value, result.created_at, result.updated_at, score))


def rounded(expected: Any) -> Any:
    """What the model gives, to as many digits."""
    match expected:
        case list():
            return [rounded(one) for one in cast("list[Any]", expected)]  # type: ignore[redundant-cast]
        case (namespace, key, value, created, updated, float(score)):
            return namespace, key, value, created, updated, round(score, 4)
        case _:
            return expected


class RandomItems(StoreCase):
    """Random histories: puts, deletes, reads, searches with filters and queries, listings, time going by."""

    @few
    @given(histories)
    async def test_store_is_what_was_done_to_it(
        self, indexed: BaseStore, clock: FakeClock, history: list[tuple[float, list[Op]]]
    ) -> None:
        root, model = (f"test-{uuid4()}",), Model()
        everything: list[Op] = [SearchOp((), limit=100), ListNamespacesOp()]
        for minutes, asked in [*history, (0.0, everything)]:
            clock.move(timedelta(minutes=minutes))
            ops = [below(root, op) for op in asked]
            results = await indexed.abatch(ops)
            assert seen(results) == rounded(model.do(ops, clock.now())), ops
