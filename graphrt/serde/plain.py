"""Whether a value is MessagePack already: exact atoms, lists, and dicts with exact str keys, all the way down.

`type(x) is str` stands before the look into the set because most leaves are strings and `is` takes half the time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct, ValidationError, convert

from graphrt.serde.wire import ATOMS, MAX_DEPTH, type_of

__all__ = ["are_plain", "are_plain_dicts", "is_plain"]

LOOKAHEAD = 4

_MANY = 8
"""Dicts from which looking at them as rows of a table pays."""


def is_plain(value: Any, depth: int, reach: int = LOOKAHEAD) -> bool:
    """Whether a list or dict that stands below `depth` other containers needs no tag anywhere.

    False says that the walk has to look: there may be a tag to put, or too many levels, or a cycle. The walk asks again
    further down; so that it asks of nothing more than a few times, the answer is no where it would take more than
    `reach` levels to find out.
    """
    if depth >= MAX_DEPTH or not reach:
        return False
    typ = type_of(value)
    if typ is dict:
        for key, item in value.items():
            if type(key) is not str:
                return False
            if type(item) is not str and type(item) not in ATOMS and not is_plain(item, depth + 1, reach - 1):
                return False
        return True
    if typ is not list:
        return False
    for item in value:
        if type(item) is not str and type(item) not in ATOMS and not is_plain(item, depth + 1, reach - 1):
            return False
    return True


def are_plain(values: Iterable[Any], depth: int) -> bool:
    """Whether none of these values, which stand below `depth` containers, needs a tag."""
    for value in values:
        if type(value) is not str and type(value) not in ATOMS and not is_plain(value, depth, MAX_DEPTH):
            return False
    return True


def are_plain_dicts(values: Sequence[Any], depth: int) -> bool:
    """The same, all of them being dicts: most of these are flat, and a call for each would double the time."""
    if depth >= MAX_DEPTH:
        return False
    if len(values) >= _MANY and _are_flat_rows(values):
        return True
    for value in values:
        if type_of(value) is not dict:
            return False
        for key, item in value.items():
            if type(key) is not str:
                return False
            if type(item) is not str and type(item) not in ATOMS and not is_plain(item, depth + 1):
                return False
    return True


class _OnlyKeys(Struct, gc=False):
    """What a dict is converted to when nothing but its keys is of interest."""


def _have_str_keys(values: Sequence[dict[Any, Any]]) -> bool:
    """Whether msgspec takes all keys for field names: 13 ns for a dict of three keys, a loop takes 60."""
    try:
        convert(values, list[_OnlyKeys])
    except ValidationError:
        return False
    return True


def _subclass_of_str() -> Any:
    return type("Key", (str,), {})("key")


_KNOWS_KEYS = not _have_str_keys([{_subclass_of_str(): 1}]) and not _have_str_keys([{1: 1}])
"""That msgspec tells a str from a subclass of it here is said nowhere: so it is asked, once."""


def _are_flat_rows(values: Sequence[Any]) -> bool:
    """Whether these are dicts with the same str keys and atoms under each: looked at column by column."""
    first = values[0]
    if type_of(first) is not dict or not _KNOWS_KEYS:
        return False
    size = len(first)
    for value in values:
        if type_of(value) is not dict or len(value) != size:
            return False
    if not _have_str_keys(values):
        return False
    try:
        for key in first:
            for value in values:
                if type(value[key]) is not str:
                    if not ATOMS.issuperset(map(type, [value[key] for value in values])):
                        return False
                    break
    except KeyError:
        return False
    return True
