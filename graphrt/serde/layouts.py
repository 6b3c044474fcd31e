"""The layouts of a registry's classes, each found out once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from msgspec import Struct
from msgspec.msgpack import encode

from graphrt.serde.columns import Columns
from graphrt.serde.layout import Described, Layout, described, is_plain_layout

if TYPE_CHECKING:
    from graphrt.serde.registry import TypeRegistry

__all__ = ["Layouts", "Laid", "Root"]

Root: TypeAlias = Literal["one", "list", "dict"]


class Laid(Struct, frozen=True, eq=False):
    """How records of one class are written by their layout.

    Attributes:
        holders: getters of the fields that hold any number of values with a tag.
        headers: the bytes of `[classes, layout]` for a record by itself, a list and a dict of records.
    """

    described: Described
    columns: Columns
    headers: dict[Root, bytes]
    holders: tuple[Callable[[Any], Sequence[Any]], ...]


class Layouts:
    """What is known holds for as long as nobody registers anything new."""

    def __init__(self, registry: TypeRegistry) -> None:
        self._registry = registry
        self._changes = registry.changes
        self._known: dict[type, Laid | None] = {}

    def of(self, typ: type) -> Laid | None:
        """How to write records of exactly this class, None if they have no layout."""
        if self._registry.changes != self._changes:
            self._known.clear()
            self._changes = self._registry.changes
        try:
            return self._known[typ]
        except KeyError:
            found = described(self._registry, typ)
            laid = self._known[typ] = None if found is None else _laid(found)
            return laid


def _laid(found: Described) -> Laid:
    fields = found.classes[0][3].items()
    holders = tuple(attrgetter(name) for name, layout in fields if _holds_many(layout))
    return Laid(found, Columns(found), _headers(found), holders)


def _holds_many(layout: Layout) -> bool:
    match layout:
        case ["list" | "tuple" | "dict", item]:
            return not is_plain_layout(item)
        case _:
            return False


def _headers(found: Described) -> dict[Root, bytes]:
    return {
        "one": encode([found.classes, 0]),
        "list": encode([found.classes, ["list", 0]]),
        "dict": encode([found.classes, ["dict", 0]]),
    }
