"""The meaning of filters, without a store. What each finds is in graphrt.testing.store_conformance.searching."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphrt.errors import InvalidFilterError
from graphrt.store.filters import check_filter, equal, matches

numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | numbers | st.text(max_size=3)
names = st.sampled_from(["a", "b", "c"])
things = st.recursive(
    scalars,
    lambda part: st.lists(part, max_size=3) | st.dictionaries(names, part, max_size=3),
    max_leaves=6,
)
values = st.dictionaries(names, things, max_size=3)
operands = numbers | st.text(max_size=3)
orders = st.dictionaries(st.sampled_from(["$gt", "$gte", "$lt", "$lte"]), operands, min_size=1, max_size=1)


@given(values)
def test_value_is_found_by_itself(value: dict[str, Any]):
    assert matches(value, check_filter(value))
    assert matches(value, check_filter({key: {"$eq": part} for key, part in value.items()}))


@given(values, values)
def test_ne_is_the_opposite_of_eq(value: dict[str, Any], other: dict[str, Any]):
    for key, part in other.items():
        assert matches(value, {key: {"$eq": part}}) is not matches(value, {key: {"$ne": part}})


@given(values, names, orders)
def test_whatever_the_value_is_an_order_holds_or_not(value: dict[str, Any], name: str, order: dict[str, Any]):
    asked = check_filter({name: order})
    kind = type(next(iter(order.values())))
    if matches(value, asked):
        assert isinstance(value[name], str) is (kind is str)


@given(things, things)
def test_equality_goes_both_ways(one: Any, other: Any):
    assert equal(one, other) is equal(other, one)


@given(st.integers(), st.integers())
def test_integers_of_any_size_are_compared_exactly(one: int, other: int):
    assert matches({"n": one}, {"n": {"$gt": other}}) is (one > other)


@pytest.mark.parametrize("filter", [None, {}])
def test_no_filter_is_none(filter: Any):
    assert check_filter(filter) is None


@pytest.mark.parametrize("filter", ["x", [1], {1: 2}])
def test_filter_that_is_no_dict_of_names_is_refused(filter: Any):
    with pytest.raises(InvalidFilterError):
        check_filter(filter)
