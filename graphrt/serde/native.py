"""Where msgspec can write and read a record by itself, and how we know that nothing is lost.

Writing: msgspec writes a dataclass or Struct as the map of its fields, which is our body, but flattens tuples, enums
and much else inside without a word. So it may write a record only when every field holds an exact atom, or a list or
dict of such.

Reading: a decoder for the class is several times faster than filling objects one by one, but it converts towards the
declared types. It is used only where it cannot convert: for fields declared as str, int, bool, bytes, None,
lists and dicts of them, and unions. Where it finds anything else it raises, and the general way reads the value.
The one silent conversion is int to float, so an int in a field declared float is written with a tag.
"""

from __future__ import annotations

import dataclasses
import inspect
import types
import typing
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct

from graphrt.serde.wire import ATOMS, type_of

__all__ = ["Native", "in_dict", "native_dataclass", "native_struct"]

Read: TypeAlias = Callable[[Any], Any]

_STR = frozenset({str})
_EXACT = frozenset({str, int, bool, bytes, type(None)})
_attributes = attrgetter("__dict__")


class Native(Struct, frozen=True, eq=False):
    """What msgspec may do with records of one class.

    Attributes:
        fields: one getter per field.
        all_fields: gets all fields at once.
        in_dict: instances have a `__dict__`, which may hold more than the fields.
        floats: names of the fields that are declared float and not int.
        declared: reading by declared types gives what was written.
    """

    fields: tuple[Read, ...]
    all_fields: Callable[[Any], tuple[Any, ...]]
    in_dict: bool
    floats: tuple[str, ...]
    declared: bool

    def fits(self, value: Any) -> bool:
        """Whether msgspec writes this one record exactly."""
        try:
            if not _flat(self.all_fields(value)):
                return False
        except AttributeError:  # a slot that was never set
            return False
        if self.in_dict and len(value.__dict__) != len(self.fields):
            return False
        return not self.floats or not any(type(getattr(value, name)) is int for name in self.floats)

    def fits_all(self, values: Sequence[Any]) -> bool:
        """The same for many records, column by column: a third of the time of asking each (the loops run in C)."""
        try:
            for read in self.fields:
                if not ATOMS.issuperset(map(type, map(read, values))) and not _flat(map(read, values)):
                    return False
        except AttributeError:
            return False
        if self.in_dict and not {len(self.fields)}.issuperset(map(len, map(_attributes, values))):
            return False
        return not any(int in map(type, map(attrgetter(name), values)) for name in self.floats)


def _flat(items: Iterable[Any]) -> bool:
    """Whether these are atoms, or lists and dicts of atoms. No deeper, as the general way would look there again."""
    for item in items:
        typ = type_of(item)
        if typ in ATOMS:
            continue
        if typ is list:
            if not ATOMS.issuperset(map(type, item)):
                return False
        elif typ is not dict or not (
            _STR.issuperset(map(type, item)) and ATOMS.issuperset(map(type, item.values()))
        ):
            return False
    return True


def native_struct(typ: Any) -> Native | None:
    """What holds for a Struct class; None if msgspec's map is not simply that of its fields."""
    config = typ.__struct_config__
    names: tuple[str, ...] = typ.__struct_fields__
    if config.array_like or config.omit_defaults or config.tag is not None or config.dict:
        return None
    return _native(typ, names, runs_code=False) if names == typ.__struct_encode_fields__ else None


def native_dataclass(typ: Any) -> Native | None:
    """What holds for a dataclass; None if fields may be unset or are not plain attributes."""
    fields = dataclasses.fields(typ)
    names = tuple(field.name for field in fields)
    plain = all(field.init for field in fields) and all(_is_plain(typ, name) for name in names)
    frozen = typ.__dataclass_params__.frozen
    runs_code = (
        hasattr(typ, "__post_init__")
        or typ.__new__ is not object.__new__
        or (typ.__setattr__ is not object.__setattr__ and not frozen)
    )
    return _native(typ, names, runs_code=runs_code) if plain else None


def in_dict(typ: type, name: str) -> bool:
    """Whether an attribute of this name lives in `__dict__`: not in a slot, and behind no descriptor."""
    attribute: object = inspect.getattr_static(typ, name, None)
    return not hasattr(type(attribute), "__set__")


def _is_plain(typ: type, name: str) -> bool:
    return in_dict(typ, name) or isinstance(inspect.getattr_static(typ, name), types.MemberDescriptorType)


def _native(typ: Any, names: Sequence[str], *, runs_code: bool) -> Native | None:
    if not names:
        return None
    try:
        hints = typing.get_type_hints(typ)
        msgspec.msgpack.Decoder(typ)
    except (
        Exception
    ):  # names under TYPE_CHECKING, types msgspec has no idea of: only the fast way to read is closed
        hints = {}
    declared = not runs_code and all(name in hints and _is_exact(hints[name]) for name in names)
    one: Any = attrgetter(*names)
    return Native(
        fields=tuple(attrgetter(name) for name in names),
        all_fields=one if len(names) > 1 else lambda value: (one(value),),
        in_dict=not issubclass(typ, Struct) and in_dict(typ, names[0]),
        floats=tuple(name for name in names if declared and _is_float(hints[name])),
        declared=declared,
    )


def _is_exact(hint: Any, *, inner: bool = False) -> bool:
    """Whether msgspec, decoding by this type, either gives what is there or raises."""
    hint = getattr(hint, "__supertype__", hint)  # NewType
    if hint is float:
        return not inner  # in a container no one would tag the ints
    if hint in _EXACT:
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
