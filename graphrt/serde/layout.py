"""How nested typed records lie in plain MessagePack: their types stand once in front, the data behind has none.

A layout is stored with the data, so it is made of what MessagePack keeps:

    "any"                                                   a value that needs no tag
    "null" "bool" "int" "float" "str" "bytes"               exactly such a value
    "datetime" "date" "time" "timedelta" "uuid" "decimal"   as msgspec writes it
    ["list", item] ["dict", value]                          keys are str
    ["tuple", item] ["fixed", first, second, ...]           of any length; of exactly these items
    ["or", one, another, ...]                               told apart by how they lie in MessagePack
    2                                                       an instance of the class at place 2 of the list

    class:  ["record", tag, version, {field: layout}]  or  ["enum", tag, version, {member: value}]

It comes from the annotations of a class whose records msgspec writes and reads by itself, and only if reading by these
annotations gives back what was written. Whether a value keeps to its annotations is asked of each one (`columns`).
"""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping, MutableMapping, MutableSequence, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import UUID

from msgspec import Struct

from graphrt.serde.native import Native

if TYPE_CHECKING:
    from graphrt.serde.registry import TypeRegistry

__all__ = ["PLAIN_WORDS", "WORDS", "Described", "LaidClass", "Layout", "described", "is_plain_layout"]

Layout: TypeAlias = "str | int | list[Any]"
LaidClass: TypeAlias = "tuple[str, str, int, dict[str, Any]]"
"""Kind, tag, version, and the layouts of the fields or the values of the members."""

PLAIN_WORDS: dict[str, type] = {
    "null": type(None),
    "bool": bool,
    "int": int,
    "float": float,
    "str": str,
    "bytes": bytes,
}
WORDS: dict[str, type] = {
    "datetime": datetime,
    "date": date,
    "time": time,
    "timedelta": timedelta,
    "uuid": UUID,
    "decimal": Decimal,
}
_WORD_OF = {typ: word for word, typ in (PLAIN_WORDS | WORDS).items()}
_LISTS = (list, Sequence, MutableSequence)
_DICTS = (dict, Mapping, MutableMapping)


class Described(Struct, frozen=True, eq=False):
    """What the annotations of a class come to.

    Attributes:
        classes: those that the layout mentions; the first is the class itself.
        types: the classes themselves, in the same order.
        natives: how to get at their fields; None for enums.
    """

    classes: tuple[LaidClass, ...]
    types: tuple[type, ...]
    natives: tuple[Native | None, ...]


class _NoLayoutError(Exception):
    """Internal: an annotation by which msgspec would not give back what was written."""


def described(registry: TypeRegistry, typ: type) -> Described | None:
    """The layout of records of exactly this class, None if there is none that would keep them as they are."""
    describing = _Describing(registry)
    try:
        describing.place_of(typ)
    except _NoLayoutError:
        return None
    if describing.natives[0] is None:  # an enum has nothing to lay out
        return None
    return Described(tuple(describing.classes), tuple(describing.types), tuple(describing.natives))


class _Describing:
    """One class and what it mentions, on the way to a `Described`."""

    def __init__(self, registry: TypeRegistry) -> None:
        self.registry = registry
        self.classes: list[LaidClass] = []
        self.types: list[type] = []
        self.natives: list[Native | None] = []

    def place_of(self, typ: type) -> int:
        """Where the class stands in the list, after putting it there."""
        if typ in self.types:
            return self.types.index(typ)
        codec = self.registry.by_type(typ)
        if codec is None:
            raise _NoLayoutError
        native = codec.native
        place = len(self.types)
        self.types.append(typ)
        self.natives.append(native)
        if codec.members is not None:
            self.classes.append(("enum", codec.tag, codec.version, dict(codec.members)))
        elif native is not None and native.readable:
            fields: dict[str, Any] = {}
            self.classes.append(("record", codec.tag, codec.version, fields))
            fields.update((name, self.layout(native.hints[name])) for name in native.names)
        else:
            raise _NoLayoutError
        return place

    def layout(self, hint: Any) -> Layout:
        """What an annotation says.

        Raises:
            _NoLayoutError: not enough, or something that msgspec would turn into something else.
        """
        for name in ("__supertype__", "__value__"):  # NewType, type aliases
            hint = getattr(hint, name, hint)
        origin, args = typing.get_origin(hint), typing.get_args(hint)
        if origin is None:
            return self._bare(hint)
        if origin is typing.Literal:
            return self._either([self._bare(type(arg)) for arg in args])
        if origin in (typing.Union, types.UnionType):
            return self._either([self.layout(arg) for arg in args])
        if origin is tuple:
            open_ended = len(args) == 2 and args[1] is Ellipsis
            return ["tuple", self.layout(args[0])] if open_ended else ["fixed", *map(self.layout, args)]
        if origin in _LISTS:
            return ["list", self.layout(args[0])]
        if origin in _DICTS and args[0] is str:
            return ["dict", self.layout(args[1])]
        raise _NoLayoutError

    def _bare(self, hint: Any) -> Layout:
        if hint is Any:
            return "any"
        if hint is None:
            return "null"
        if isinstance(hint, type):
            if hint in _WORD_OF:
                return _WORD_OF[hint]
            if hint in (list, dict, tuple):
                return [hint.__name__, "any"]
            if not getattr(hint, "__parameters__", ()):  # what a T stands for is not known
                return self.place_of(hint)
        raise _NoLayoutError

    def _either(self, members: Sequence[Layout]) -> Layout:
        """A union, if its members cannot be taken for each other: dicts and arrays lie differently from all others."""
        unique: list[Layout] = []
        for member in members:
            for one in member[1:] if isinstance(member, list) and member[0] == "or" else [member]:
                if one not in unique:
                    unique.append(one)
        if len(unique) == 1:
            return unique[0]
        shapes = [self._shape(member) for member in unique]
        if len(set(shapes)) < len(shapes) or ("lone" in shapes and set(shapes) != {"lone", "null"}):
            raise _NoLayoutError
        return ["or", *sorted(unique, key=repr)]  # in whatever order they are annotated

    def _shape(self, layout: Layout) -> str:
        """What two members of a union cannot share. Beside a "lone" one there may only be None."""
        match layout:
            case "any":
                return "lone"
            case str():
                return "lone" if layout in WORDS else layout
            case int():
                return "map" if self.classes[layout][0] == "record" else "lone"
            case ["dict", *_]:
                return "map"
            case _:
                return "array"


def is_plain_layout(layout: Layout) -> bool:
    """Whether what lies so is what it stands for."""
    match layout:
        case str():
            return layout not in WORDS
        case ["list" | "dict" | "or", *inner]:
            return all(map(is_plain_layout, inner))
        case _:
            return False
