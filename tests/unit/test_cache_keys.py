"""Names of inputs by their content: equal inputs have the same everywhere, others never (LangGraph R4)."""

import subprocess
import sys
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphrt.cache import default_cache_key
from graphrt.cache.keys import content_key
from graphrt.errors import SerializationError
from graphrt.serde import Serializer, TypeRegistry
from tests.unit.serde_world import values, world_serializer


@dataclass
class Point:
    x: int
    y: Any


def key(value: Any) -> str:
    registry = TypeRegistry()
    registry.register("point", Point)
    return content_key(Serializer(registry), value)


SAME = [
    ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    ({"x": [{"a": 1, "b": {1, 2}}]}, {"x": [{"b": {2, 1}, "a": 1}]}),
    ({1: "a", "b": 2}, {"b": 2, 1: "a"}),
    ({(1, 2): {"a": 1, "b": 2}, 3: 4}, {3: 4, (1, 2): {"b": 2, "a": 1}}),
    (Point(1, {"a": 1, "b": (2,)}), Point(1, {"b": (2,), "a": 1})),
    ([Point(1, {"a": 1, "b": (2,)})] * 12, [Point(1, {"b": (2,), "a": 1})] * 12),
    (({"a": 1, "b": 2},), ({"b": 2, "a": 1},)),
]

DIFFERENT = [
    (1, True),
    (1, 1.0),
    (0.0, -0.0),
    ("1", 1),
    ("a", b"a"),
    ([1, 2], (1, 2)),
    ([1, 2], [2, 1]),
    ({1, 2}, frozenset({1, 2})),
    (None, []),
    ({}, []),
    ({"a": None}, {}),
    ({"a": {"b": 1}}, {"a": 1, "b": 1}),
    (OrderedDict(a=1, b=2), OrderedDict(b=2, a=1)),
    (OrderedDict(a=1), {"a": 1}),
    (Point(1, 2), {"x": 1, "y": 2}),
    ({1: "a", 2: "b"}, {1: "b", 2: "a"}),
]


@pytest.mark.parametrize("pair", SAME, ids=str)
def test_the_order_of_a_dict_does_not_matter(pair: Any) -> None:
    assert key(pair[0]) == key(pair[1])


@pytest.mark.parametrize("pair", DIFFERENT, ids=str)
def test_values_that_differ_in_type_or_order_have_different_names(pair: Any) -> None:
    assert key(pair[0]) != key(pair[1])


def reversed_dicts(value: Any) -> Any:
    if type(value) is dict:
        return {k: reversed_dicts(value[k]) for k in reversed(value)}
    return [reversed_dicts(item) for item in value] if type(value) is list else value


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=3)
    | st.binary(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(plain)
def test_any_dict_in_any_depth_may_be_turned_round(value: Any) -> None:
    assert key(value) == key(reversed_dicts(value))


@given(values)
def test_a_value_that_was_stored_and_read_has_the_same_name(value: Any) -> None:
    serializer = world_serializer()
    assert content_key(serializer, value) == content_key(
        serializer, serializer.loads(serializer.dumps(value))
    )


def test_other_processes_find_the_same_names() -> None:
    program = (
        "from graphrt.cache import default_cache_key as key; import sys\n"
        "print(key({'b': {'x', 'y', 'z'}, 'a': (1, 2.5, None)}, tags=frozenset({'p', 'q'})))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert found == {
        default_cache_key({"a": (1, 2.5, None), "b": {"z", "y", "x"}}, tags=frozenset({"q", "p"})) + "\n"
    }


def test_arguments_and_their_names_count() -> None:
    assert len({default_cache_key(1, 2), default_cache_key([1, 2]), default_cache_key(1, b=2)}) == 3
    assert default_cache_key(a=1, b=2) == default_cache_key(b=2, a=1)


def test_what_cannot_be_told_by_its_content_has_no_name() -> None:
    with pytest.raises(SerializationError):
        default_cache_key(object())
