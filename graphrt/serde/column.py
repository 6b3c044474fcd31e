"""Questions about one column: the values that many records have in one place.

Asked in a loop that does nothing else, or in C: 6 to 30 ns for a value (`python -m bench.serde`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, time
from itertools import chain
from operator import methodcaller
from typing import Any, TypeAlias

from graphrt.serde.native import Native
from graphrt.serde.plain import are_plain
from graphrt.serde.wire import MAX_DEPTH, type_of

__all__ = [
    "Column", "Look", "array", "by_attribute", "clock", "dicts", "exactly", "fixed", "in_rows", "plain", "tagged",
]  # fmt: skip

Column: TypeAlias = "Callable[[Sequence[Any], Look, int], bool]"
"""Whether all values, which stand below so many containers, are what is asked for."""

_values_of: Callable[[dict[str, Any]], Iterable[Any]] = methodcaller("values")


class Look:
    """One look at many values: how many would need a tag elsewhere, and which records were met on the way down."""

    __slots__ = ("met", "tagged")

    def __init__(self) -> None:
        self.tagged = 0
        self.met: set[int] = set()


def plain(values: Sequence[Any], look: Look, depth: int) -> bool:
    """Values that need no tag."""
    return are_plain(values, depth)


def exactly(typ: type) -> Column:
    """Atoms of exactly this type."""
    only = frozenset({typ})

    def column(values: Sequence[Any], look: Look, depth: int) -> bool:
        return only.issuperset(map(type, values))

    return column


def tagged(typ: type) -> Column:
    """Exactly this type, which would need a tag elsewhere."""
    only = frozenset({typ})

    def column(values: Sequence[Any], look: Look, depth: int) -> bool:
        look.tagged += len(values)
        return only.issuperset(map(type, values))

    return column


def clock(typ: type[datetime] | type[time]) -> Column:
    """Datetimes or times without a zone or in UTC: of every other zone msgspec keeps the offset or less."""

    def column(values: Sequence[Any], look: Look, depth: int) -> bool:
        look.tagged += len(values)
        for value in values:
            if type_of(value) is not typ or value.fold:
                return False
            zone = value.tzinfo
            if zone is not None and zone is not UTC:
                return False
        return True

    return column


def array(typ: type, item: Column) -> Column:
    """Lists, or tuples, of any length."""

    def column(values: Sequence[Any], look: Look, depth: int) -> bool:
        if depth >= MAX_DEPTH:
            return False
        for value in values:
            if type(value) is not typ:
                return False
        if typ is tuple:
            look.tagged += len(values)
        inner = [*chain.from_iterable(values)]
        return not inner or item(inner, look, depth + 1)

    return column


def fixed(items: Sequence[Column]) -> Column:
    """Tuples of exactly these items."""

    def column(values: Sequence[Any], look: Look, depth: int) -> bool:
        if depth >= MAX_DEPTH:
            return False
        for value in values:
            if type_of(value) is not tuple or len(value) != len(items):
                return False
        look.tagged += len(values)
        return all(
            ask(part, look, depth + 1) for ask, part in zip(items, zip(*values, strict=True), strict=True)
        )

    return column


def dicts(item: Column) -> Column:
    """Dicts with str keys."""

    def column(values: Sequence[Any], look: Look, depth: int) -> bool:
        if depth >= MAX_DEPTH:
            return False
        for value in values:
            if type(value) is not dict:
                return False
        for key in chain.from_iterable(values):
            if type(key) is not str:
                return False
        inner = [*chain.from_iterable(map(_values_of, values))]
        return not inner or item(inner, look, depth + 1)

    return column


def in_rows(native: Native, exact: dict[str, type], others: Sequence[tuple[str, Column]]) -> Column:
    """Records that keep their fields in `__dict__`."""

    def column(values: Sequence[Any], look: Look, depth: int) -> bool:
        rows = native.rows(values)
        if rows is None:
            return False
        for name, typ in exact.items():
            for row in rows:
                if type(row[name]) is not typ:
                    return False
        return all(ask([row[name] for row in rows], look, depth + 1) for name, ask in others)

    return column


def by_attribute(native: Native, exact: dict[str, type], others: Sequence[tuple[str, Column]]) -> Column:
    """Records that keep their fields in slots."""
    reads = dict(zip(native.names, native.reads, strict=True))

    def column(values: Sequence[Any], look: Look, depth: int) -> bool:
        for name, typ in exact.items():
            for value in map(reads[name], values):
                if type_of(value) is not typ:
                    return False
        return all(ask([*map(reads[name], values)], look, depth + 1) for name, ask in others)

    return column
