"""Writes that replace an aggregate instead of being folded into it (LangGraph C11)."""

import operator
from typing import Any

import pytest

from graphrt.channels import BinaryOperatorAggregate
from graphrt.errors import ErrorCode, InvalidUpdateError
from graphrt.types import Overwrite

FORMS: list[Any] = [
    pytest.param(lambda value: Overwrite(value), id="object"),
    pytest.param(lambda value: {"__overwrite__": value}, id="marked dict"),
    pytest.param(lambda value: {"value": value, "type": "__overwrite__"}, id="object that went through JSON"),
]


@pytest.fixture
def channel() -> BinaryOperatorAggregate[Any]:
    channel: BinaryOperatorAggregate[Any] = BinaryOperatorAggregate(list[int], operator.add)
    channel.key = "items"
    channel.update([[1]])
    return channel


@pytest.mark.parity("C11")
@pytest.mark.parametrize("form", FORMS)
def test_c11_overwrite_replaces_the_value(channel: BinaryOperatorAggregate[Any], form: Any) -> None:
    assert channel.update([form([9])])
    assert channel.get() == [9]
    channel.update([[10]])
    assert channel.get() == [9, 10]


@pytest.mark.parity("C11")
@pytest.mark.parametrize("form", FORMS)
def test_c11_the_steps_other_writes_are_lost(channel: BinaryOperatorAggregate[Any], form: Any) -> None:
    channel.update([[2], form([9]), [3]])
    assert channel.get() == [9]


@pytest.mark.parity("C11")
@pytest.mark.parametrize("form", FORMS)
def test_c11_two_overwrites_in_one_step_are_refused(channel: BinaryOperatorAggregate[Any], form: Any) -> None:
    with pytest.raises(InvalidUpdateError, match="only one Overwrite value per super-step") as caught:
        channel.update([form([8]), Overwrite([9])])
    assert caught.value.code is ErrorCode.INVALID_CONCURRENT_GRAPH_UPDATE
    assert caught.value.channel == "items"
    assert channel.get() == [1]


@pytest.mark.parametrize("form", FORMS)
def test_overwrite_is_unwrapped_where_it_is_the_first_write(form: Any) -> None:
    channel: BinaryOperatorAggregate[Any] = BinaryOperatorAggregate(list[int] | None, operator.add)
    channel.update([form([9]), [3]])
    assert channel.get() == [9]


@pytest.mark.parametrize(
    "write", [{}, {"value": 1}, {"value": 1, "type": "x"}, {"type": "__overwrite__", "a": 1}]
)
def test_a_dict_that_looks_similar_is_an_ordinary_write(write: dict[str, Any]) -> None:
    channel: BinaryOperatorAggregate[Any] = BinaryOperatorAggregate(dict, operator.or_)
    channel.update([{"kept": True}])
    channel.update([write])
    assert channel.get() == {"kept": True, **write}
