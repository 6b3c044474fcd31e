"""What is read again is what it was, whatever was done to what was read before."""

from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphrt.edits import Merge, Weave
from graphrt.errors import DeserializationError
from graphrt.serde import Serializer
from tests.unit.serde_world import seen, values, world_serializer

serializer = world_serializer()
lines = st.lists(
    st.dictionaries(st.text(max_size=3), st.none() | st.integers() | st.text(max_size=3)), max_size=4
)
weaves = st.builds(Weave, st.just([[0, 1, 0], [0, 0, 1]]), st.lists(st.integers(), min_size=1, max_size=1))
merges = st.builds(Merge, st.lists(st.text(max_size=2)), st.dictionaries(st.text(max_size=2), st.integers()))


def grows(first: Any, part: Any) -> Any:
    """A value that was stored whole, and parts behind it."""
    return st.tuples(first, st.lists(part, max_size=6))


growing = st.one_of(
    grows(lines, lines),
    grows(st.lists(values, max_size=3), st.lists(values, max_size=2)),
    grows(st.lists(values, min_size=1, max_size=3), lines | weaves),
    grows(st.dictionaries(st.text(max_size=2), values, max_size=3), merges),
    grows(st.text(max_size=3), st.text(max_size=3)),
    st.tuples(values, st.just([])),
)


def spoil(value: Any) -> None:
    """Change all that can be changed in place, inner things first."""
    for inner in list(
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    ):
        spoil(inner)
    if isinstance(value, list | deque):
        value.append("spoilt")
    elif isinstance(value, dict):
        value["spoilt"] = "spoilt"


@given(growing, st.lists(st.integers(0, 6), max_size=8))
def test_what_is_read_again_is_what_it_was(what: Any, others: list[int]):
    whole, parts = what
    data, stored = serializer.dumps(whole), tuple(map(serializer.dumps, parts))
    reader = serializer.rereader()
    for count in [*reversed(range(len(parts) + 1)), *[min(other, len(parts)) for other in others]]:
        for _ in range(2):
            value = reader.read("channel", data, stored[:count])
            assert seen(value) == seen(serializer.loads_grown_raw(data, stored[:count]))
            spoil(value)


def test_channels_are_told_apart():
    reader, data = serializer.rereader(), serializer.dumps(["x"])
    assert [reader.read(name, data, ()) for name in "aabb"] == [["x"]] * 4


def test_another_branch_is_read_as_it_is():
    reader, data, (a, b) = serializer.rereader(), serializer.dumps([]), map(serializer.dumps, (["a"], ["b"]))
    read = [reader.read("x", data, parts) for parts in [(a, b), (a,), (b,), (b, a), (b,), (a,), (), (a, a)]]
    assert read == [["a", "b"], ["a"], ["b"], ["b", "a"], ["b"], ["a"], [], ["a", "a"]]


@pytest.fixture
def decoded() -> Iterator[list[int]]:
    """How many bytes were decoded, call by call."""
    sizes: list[int] = []
    whole = Serializer.loads_raw

    def counting(self: Serializer, data: bytes) -> Any:
        sizes.append(len(data))
        return whole(self, data)

    with patch.object(Serializer, "loads_raw", counting):
        yield sizes


@pytest.mark.parametrize("item", [{"role": "user", "at": datetime(2026, 1, 1, tzinfo=UTC)}, "word"])
def test_a_list_that_grew_is_decoded_twice_at_most(decoded: list[int], item: Any):
    parts = [serializer.dumps([item])] * 50
    reader, data = serializer.rereader(), serializer.dumps([])
    for count in range(50, -1, -1):
        assert reader.read("x", data, parts[:count]) == [item] * count
    assert sum(decoded) < 2 * 55 * len(parts[0])


def test_damaged_bytes_are_refused_as_often_as_they_are_read():
    reader = serializer.rereader()
    for _ in range(3):
        with pytest.raises(DeserializationError):
            reader.read("x", b"\xc1", ())
        with pytest.raises(DeserializationError):
            reader.read("x", serializer.dumps([]), (serializer.dumps("no list"),))
