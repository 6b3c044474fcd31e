"""What a filter means, on every backend (docs/decisions/0019-one-meaning-of-filters.md).

    {"kind": "note"}                    the value's "kind" is "note"
    {"user": {"name": "Ann"}}           its "user" is a dict that has, among others, this name
    {"tags": ["a", {"n": {"$gt": 1}}]}  a list of two that match one by one
    {"age": {"$gte": 18, "$lt": 65}}    operators, all of which must hold

- A key that is not there is null.
- Values are equal if they are of one type of JSON and the same; numbers are one type, so 1 equals 1.0 and not true.
- `$eq` and `$ne` compare whole values: for them a dict equals one with the same keys. `$ne` is the opposite of `$eq`.
- `$gt $gte $lt $lte` hold between two numbers, by size, or two strings, by code points; between anything else they
  do not hold.

A database may choose rows in SQL as long as it comes to the same; it may always choose more and ask `matches`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import ge, gt, le, lt
from typing import Any, Final, TypeGuard

from graphrt.errors import InvalidFilterError, SerializationError, did_you_mean
from graphrt.store.values import is_dict, is_list, plain

__all__ = ["OPERATORS", "check_filter", "equal", "is_operators", "matches"]

_ORDER: Final[dict[str, Callable[[Any, Any], bool]]] = {"$gt": gt, "$gte": ge, "$lt": lt, "$lte": le}
OPERATORS: Final = frozenset({"$eq", "$ne", *_ORDER})
"""What a condition's key may be where it begins with a "$"."""


def check_filter(filter: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """A filter as JSON would say it (tuples are lists), None if there is nothing to check.

    Raises:
        InvalidFilterError: an operator does not exist, or stands where it has nothing to compare.
    """
    if not filter:
        return None
    try:
        checked = plain(filter, address="the filter")
    except SerializationError as error:
        raise InvalidFilterError(str(error), path=error.path) from None
    if names := [key for key in checked if key.startswith("$")]:
        raise InvalidFilterError(
            f"The filter begins with {names[0]!r}. An operator stands below the key that it is about, as in "
            "{'age': {'$gt': 17}}.",
            path="$",
        )
    for key, condition in checked.items():
        _check(condition, f"$.{key}")
    return checked


def _check(condition: Any, path: str) -> None:
    if is_list(condition):
        for index, part in enumerate(condition):
            _check(part, f"{path}[{index}]")
    elif is_operators(condition):
        for name, operand in condition.items():
            _check_operator(name, operand, path)
    elif is_dict(condition):
        for key, part in condition.items():
            _check(part, f"{path}.{key}")


def _check_operator(name: str, operand: Any, path: str) -> None:
    if name not in OPERATORS:
        what = "operator" if name.startswith("$") else "key beside operators"
        raise InvalidFilterError(
            f"The filter has the {what} {name!r} at {path}.{did_you_mean(name, OPERATORS)}", path=path
        )
    if name in _ORDER and _ordered(operand) is None:
        raise InvalidFilterError(
            f"The filter compares with {name} at {path}, which goes with numbers and strings, not {operand!r:.80}.",
            path=path,
        )


def is_operators(condition: object) -> TypeGuard[Mapping[str, Any]]:
    """Whether a condition is a dict of operators; an empty dict is none."""
    return is_dict(condition) and any(map(_is_operator, condition))


def _is_operator(key: str) -> bool:
    return key.startswith("$")


def matches(value: Mapping[str, Any], filter: Mapping[str, Any] | None) -> bool:
    """Whether a stored value is what a filter asks for.

    Args:
        filter: one that `check_filter` gave.
    """
    return not filter or all(_meets(value.get(key), condition) for key, condition in filter.items())


def _meets(value: Any, condition: Any) -> bool:
    if is_dict(condition):
        if is_operators(condition):
            return all(_holds(name, value, operand) for name, operand in condition.items())
        return is_dict(value) and matches(value, condition)
    if is_list(condition):
        return _alike(value, condition, _meets)
    return equal(value, condition)


def _holds(name: str, value: Any, operand: Any) -> bool:
    if name == "$eq":
        return equal(value, operand)
    if name == "$ne":
        return not equal(value, operand)
    return _ordered(value) is _ordered(operand) and _ORDER[name](value, operand)


def equal(one: Any, other: Any) -> bool:
    """Whether two values are the same to JSON."""
    if is_list(other):
        return _alike(one, other, equal)
    if is_dict(other):
        return (
            is_dict(one) and one.keys() == other.keys() and all(equal(one[key], other[key]) for key in other)
        )
    return isinstance(one, bool) is isinstance(other, bool) and bool(one == other)


def _alike(value: Any, parts: Sequence[Any], same: Callable[[Any, Any], bool]) -> bool:
    return is_list(value) and len(value) == len(parts) and all(map(same, value, parts))


def _ordered(value: object) -> type | None:
    """The type in whose order a value stands, None if it stands in none."""
    if isinstance(value, str):
        return str
    return float if isinstance(value, int | float) and not isinstance(value, bool) else None
