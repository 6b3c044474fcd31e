"""Codecs for classes that describe themselves: which family a class belongs to, and the families of one value."""

from __future__ import annotations

import enum
from collections import deque
from typing import Any

from graphrt.serde.codec import Codec, Decode, Encode, checked, type_name
from graphrt.serde.failures import exception_codec
from graphrt.serde.models import model_codec
from graphrt.serde.records import record_codec

__all__ = ["derive"]


def derive(typ: Any, tag: str | None = None) -> Codec | None:
    """The codec that `typ` describes by itself, or None if it says nothing about its parts."""
    tag = tag or type_name(typ)
    if issubclass(typ, enum.Enum):
        return Codec(tag, typ, *_enum(typ), members=_native_members(typ))
    if issubclass(typ, BaseException):
        return exception_codec(tag, typ)
    base = next((base for base in _PLAIN if base in typ.__mro__), None)
    if base is None or hasattr(typ, "_fields"):
        return model_codec(tag, typ) or record_codec(tag, typ)
    return Codec(tag, typ, *_subclass(typ, base)) if _is_bare(typ, base) else None


def _enum(typ: type[enum.Enum]) -> tuple[Encode, Decode]:
    """By the member's name, which survives a change of its value; flags by value, because combinations have no name."""
    if issubclass(typ, enum.Flag):
        return (lambda value: value.value), (lambda body: typ(checked(body, int)))
    members = typ.__members__
    return (lambda value: value._name_), (lambda body: members[body])


def _native_members(typ: type[enum.Enum]) -> dict[str, Any] | None:
    """The values of an enum that msgspec knows by them: all texts or all ints, and no combinations or surprises."""
    values = {name: member._value_ for name, member in typ.__members__.items()}
    asks_class = getattr(typ._missing_, "__func__", None) is not _NOTHING_MISSING
    if asks_class or issubclass(typ, enum.Flag) or set(map(type, values.values())) not in ({str}, {int}):
        return None
    return values


_NOTHING_MISSING = getattr(enum.Enum._missing_, "__func__", None)


def _is_bare(typ: type, base: type) -> bool:
    """Whether instances have nothing but the built-in part, as far as the class can tell."""
    own = [cls for cls in typ.__mro__ if not issubclass(base, cls)]
    return not any(cls.__dict__.get("__slots__") or "__dataclass_fields__" in cls.__dict__ for cls in own)


def _subclass(typ: Any, base: Any) -> tuple[Encode, Decode]:
    """`class UserId(str)` and the like: the built-in part is the value; attributes of its own are refused."""
    plain, stored = _PLAIN[base]
    mutable = base.__hash__ is None

    def encode(value: Any) -> Any:
        if getattr(value, "__dict__", None):
            raise TypeError("it has attributes of its own; register its type with encode= and decode=")
        return plain(value)

    def decode(body: Any) -> Any:
        checked(body, stored)
        if not mutable:
            return base.__new__(typ, body)
        value = base.__new__(typ)
        base.__init__(value, body)
        return value

    return encode, decode


def _listed(base: Any) -> Encode:
    return lambda value: list(base.__iter__(value))


_DICT: Any = dict


def _items(value: dict[Any, Any]) -> dict[Any, Any]:
    return dict(_DICT.items(value))


_PLAIN: dict[type, tuple[Encode, type]] = {
    str: (str.__str__, str),
    bytes: (lambda value: bytes(memoryview(value)), bytes),
    bytearray: (lambda value: bytes(memoryview(value)), bytes),
    int: (int.__int__, int),
    float: (float.__float__, float),
    list: (_listed(list), list),
    tuple: (_listed(tuple), list),
    deque: (_listed(deque), list),
    dict: (_items, dict),
    set: (lambda value: set(_listed(set)(value)), set),
    frozenset: (lambda value: frozenset(_listed(frozenset)(value)), frozenset),
}
"""The built-in part of a subclass's instance, past any method of the subclass, and the type it is stored as."""
