"""Where msgspec can write and read a record by itself, and how we know that nothing is lost.

Writing: msgspec writes a dataclass or Struct as the map of its fields, which is our body, but flattens tuples, enums
and much else inside without a word. So it may write a record only when every field holds a value that needs no tag; or
one that keeps to its annotation, where that is written in front (`layout`).

Reading: a decoder for the class is several times faster than filling objects one by one, but it converts towards the
declared types. It is used only where it cannot convert: for fields declared as str, int, bool, bytes, None, Any, lists
and dicts of them, and unions. Where it finds anything else it raises, and the general way reads the value.
The one silent conversion is int to float, so an int in a field declared float is written with a tag.
"""

from __future__ import annotations

import dataclasses
import inspect
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from operator import attrgetter
from typing import Any, TypeAlias

import msgspec

from graphrt.serde.plain import are_plain
from graphrt.serde.wire import ATOMS, type_of

__all__ = ["Native", "in_dict", "native_dataclass", "native_struct"]

Read: TypeAlias = Callable[[Any], Any]

_EXACT = frozenset({str, int, bool, bytes, type(None), Any, list, dict})


class Native:
    """What msgspec may do with records of one class.

    Attributes:
        names: its fields, with `reads` a getter for each and `read_all` one for all at once.
        in_dict: instances have a `__dict__`, which may hold more than the fields.
    """

    def __init__(self, typ: Any, names: tuple[str, ...], *, runs_code: bool) -> None:
        one: Any = attrgetter(*names)
        self._typ = typ
        self._runs_code = runs_code
        self.names = names
        self.reads: tuple[Read, ...] = tuple(attrgetter(name) for name in names)
        self.read_all: Callable[[Any], tuple[Any, ...]] = (
            one if len(names) > 1 else lambda record: (one(record),)
        )
        self.in_dict = bool(typ.__dictoffset__)
        if not self.hints:
            del (
                self.hints
            )  # they may name what comes later in the module: when they are used, they are looked at again

    @cached_property
    def hints(self) -> Mapping[str, Any]:
        """The types of the fields; nothing if they cannot all be known, or msgspec cannot make instances."""
        try:
            msgspec.msgpack.Decoder(self._typ)
            hints = typing.get_type_hints(self._typ)
        except Exception:  # names under TYPE_CHECKING, types msgspec has no idea of
            return {}
        return {name: hints[name] for name in self.names} if all(name in hints for name in self.names) else {}

    @cached_property
    def readable(self) -> bool:
        """Whether msgspec can make instances, running no code of the class (but the `__post_init__` of a Struct)."""
        return bool(self.hints) and not self._runs_code

    @cached_property
    def declared(self) -> bool:
        """Whether reading by declared types gives what was written, whatever that is."""
        return self.readable and all(map(_is_exact, self.hints.values()))

    @cached_property
    def floats(self) -> frozenset[str]:
        """Names of the fields that are declared float and not int."""
        return frozenset(name for name, hint in self.hints.items() if self.declared and _is_float(hint))

    @cached_property
    def likely(self) -> tuple[type, ...]:
        """What the fields most probably hold: the atom they are declared as, or str."""
        hints = [self.hints.get(name) for name in self.names]
        return tuple(hint if hint in (int, float, bool, bytes) else str for hint in hints)

    def is_flat(self, record: Any, depth: int) -> bool:
        """Whether msgspec writes this one record exactly, with `depth` containers around it."""
        try:
            values = self.read_all(record)
        except AttributeError:  # a slot or an attribute that was never set
            return False
        if not are_plain(values, depth + 1):
            return False
        if self.in_dict and len(record.__dict__) != len(self.names):
            return False
        return not self.floats or not any(type(getattr(record, name)) is int for name in self.floats)

    def flat(self, records: Sequence[Any], depth: int) -> Sequence[Any] | None:
        """What to give to msgspec for these records, all of this class; None if it would not write them exactly.

        That is their `__dict__` where they have one: msgspec writes dicts in half the time, in the order they have.
        Asked column by column: 8 to 25 ns for each field of a record, a third of what asking each record takes.

        Args:
            depth: how many containers there are around each record.
        """
        try:
            if self.in_dict:
                return self._flat_rows(records, depth)
            for name, read, likely in zip(self.names, self.reads, self.likely, strict=True):
                for value in map(read, records):
                    if type_of(value) is not likely:
                        if not self._fits(name, [*map(read, records)], depth):
                            return None
                        break
        except (AttributeError, KeyError):  # a slot or an attribute that was never set
            return None
        return records

    def rows(self, records: Sequence[Any]) -> list[dict[str, Any]] | None:
        """The `__dict__` of each record, None if one has more or less in it than the fields."""
        size = len(self.names)
        rows: list[dict[str, Any]] = []
        for record in records:
            row = record.__dict__
            if len(row) != size:
                return None
            rows.append(row)
        return rows

    def _flat_rows(self, records: Sequence[Any], depth: int) -> Sequence[Any] | None:
        rows = self.rows(records)
        if rows is None:
            return None
        for name, likely in zip(self.names, self.likely, strict=True):
            for row in rows:
                if type(row[name]) is not likely:
                    if not self._fits(name, [row[name] for row in rows], depth):
                        return None
                    break
        return rows

    def _fits(self, name: str, values: Sequence[Any], depth: int) -> bool:
        types = set(map(type, values))
        if name in self.floats and int in types:
            return False
        return types <= ATOMS or are_plain(values, depth + 1)


def native_struct(typ: Any) -> Native | None:
    """What holds for a Struct class; None if msgspec's map is not simply that of its fields."""
    config = typ.__struct_config__
    names: tuple[str, ...] = typ.__struct_fields__
    if config.array_like or config.omit_defaults or config.tag is not None or typ.__dictoffset__:
        return None
    return Native(typ, names, runs_code=False) if names and names == typ.__struct_encode_fields__ else None


def native_dataclass(typ: Any) -> Native | None:
    """What holds for a dataclass; None if fields may be unset or are not plain attributes."""
    fields = dataclasses.fields(typ)
    names = tuple(field.name for field in fields)
    slots = [
        isinstance(inspect.getattr_static(typ, name, None), types.MemberDescriptorType) for name in names
    ]
    if not all(field.init for field in fields) or not (
        all(in_dict(typ, name) for name in names) or (all(slots) and not typ.__dictoffset__)
    ):
        return None
    frozen = typ.__dataclass_params__.frozen
    runs_code = (
        hasattr(typ, "__post_init__")
        or typ.__new__ is not object.__new__
        or (typ.__setattr__ is not object.__setattr__ and not frozen)
    )
    return Native(typ, names, runs_code=runs_code) if names else None


def in_dict(typ: type, name: str) -> bool:
    """Whether an attribute of this name lives in `__dict__`: not in a slot, and behind no descriptor."""
    attribute: object = inspect.getattr_static(typ, name, None)
    return not hasattr(type(attribute), "__set__")


def _is_exact(hint: Any, *, inner: bool = False) -> bool:
    """Whether msgspec, decoding by this type, either gives what is there or raises."""
    hint = getattr(hint, "__supertype__", hint)  # NewType
    if hint is float:
        return not inner  # in a container no one would tag the ints
    if hint is Any or (isinstance(hint, type | None) and hint in _EXACT):
        return True
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return all(type(arg) is str for arg in args)
    if origin in (typing.Union, types.UnionType):
        return all(_is_exact(arg, inner=inner) for arg in args)
    if origin is list:
        return _is_exact(args[0], inner=True)
    if origin is dict:
        return args[0] is str and _is_exact(args[1], inner=True)
    return False


def _is_float(hint: Any) -> bool:
    args = typing.get_args(hint) or (hint,)
    return float in args and int not in args
