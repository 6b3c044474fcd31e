"""Codecs for classes made of named fields: dataclasses, msgspec Structs, NamedTuples, attrs classes.

The body is the dict of the fields. No constructor, validator or `__post_init__` runs when a value comes back, except
for Structs, which cannot be made without their `__post_init__`. A field that is missing in older data takes its
default; a field that the class no longer has is left out.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, TypeAlias

import msgspec

from graphrt.serde.codec import Codec, Decode, Encode, checked
from graphrt.serde.native import in_dict, native_dataclass, native_struct

__all__ = ["record_codec"]

Default: TypeAlias = Callable[[], Any] | None

_MISSING: Any = object()
_NO_NAMES: frozenset[str] = frozenset()
_TUPLE: Any = tuple  # its methods are called past those of subclasses


def record_codec(tag: str, typ: Any) -> Codec | None:
    """The codec of a class with named fields, None for any other class."""
    bases: tuple[type, ...] = typ.__mro__
    if tuple in bases and hasattr(typ, "_fields"):
        return Codec(tag, typ, *_namedtuple(typ), record=True)
    if msgspec.Struct in bases:
        return Codec(tag, typ, *_struct(typ), record=True, native=native_struct(typ))
    if hasattr(typ, "__dataclass_fields__"):
        defaults = {field.name: _dataclass_default(field) for field in dataclasses.fields(typ)}
        return Codec(tag, typ, *_attributes(typ, defaults), record=True, native=native_dataclass(typ))
    if "__attrs_attrs__" in typ.__dict__:
        defaults = {field.name: _attrs_default(field.default) for field in typ.__attrs_attrs__}
        return Codec(tag, typ, *_attributes(typ, defaults), record=True)
    return None


def refuse_more(typ: type, names: frozenset[str], attributes: dict[str, Any]) -> None:
    """Fail for an instance whose `__dict__` holds more than the fields: it would be lost. Cached properties may be.

    Raises:
        TypeError: it does; the message names the attribute.
    """
    for name in attributes.keys() - names:
        if not isinstance(inspect.getattr_static(typ, name, None), cached_property):
            raise TypeError(
                f"its attribute {name!r} is no field and would be lost; declare it, or register the type with "
                "encode= and decode="
            )


def _namedtuple(typ: Any) -> tuple[Encode, Decode]:
    names: tuple[str, ...] = typ._fields
    defaults: Mapping[str, Any] = typ._field_defaults

    def encode(value: Any) -> dict[str, Any]:
        refuse_more(typ, _NO_NAMES, getattr(value, "__dict__", {}))
        return dict(zip(names, _TUPLE.__iter__(value), strict=True))

    def decode(body: Any) -> Any:
        checked(body, dict)
        return _TUPLE.__new__(typ, [body[name] if name in body else defaults[name] for name in names])

    return encode, decode


def _struct(typ: Any) -> tuple[Encode, Decode]:
    names = frozenset(typ.__struct_fields__)

    def encode(value: Any) -> dict[str, Any]:
        refuse_more(typ, _NO_NAMES, getattr(value, "__dict__", {}))  # Structs with dict=True
        return msgspec.structs.asdict(value)

    def decode(body: Any) -> Any:
        if checked(body, dict).keys() != names:
            body = {name: item for name, item in body.items() if name in names}
        return typ(**body)

    return (encode if typ.__struct_config__.dict else msgspec.structs.asdict), decode


def _dataclass_default(field: dataclasses.Field[Any]) -> Default:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory
    if field.default is not dataclasses.MISSING:
        return lambda: field.default
    return None if field.init else _may_be_unset


def _may_be_unset() -> Any:
    """The default of a dataclass field that `__init__` does not set."""
    return _MISSING


def _attrs_default(default: Any) -> Default:
    if hasattr(default, "factory"):
        return None if default.takes_self else default.factory
    return None if getattr(default, "name", None) == "NOTHING" else lambda: default


def _attributes(typ: Any, defaults: dict[str, Default]) -> tuple[Encode, Decode]:
    names = frozenset(defaults)
    all_in_dict = all(in_dict(typ, name) for name in names)
    set_attribute = object.__setattr__  # past frozen classes and past user code

    def encode(value: Any) -> dict[str, Any]:
        attributes = getattr(value, "__dict__", {})
        if attributes.keys() != names:
            refuse_more(typ, names, attributes)
        body: dict[str, Any] = {}
        for name, default in defaults.items():
            item = getattr(value, name, _MISSING)
            if item is not _MISSING:
                body[name] = item
            elif default is not _may_be_unset:
                raise TypeError(f"its field {name!r} is not set")
        return body

    def decode(body: Any) -> Any:
        value = object.__new__(typ)
        if checked(body, dict).keys() != names:
            body = _completed(body, defaults)
        if all_in_dict:
            value.__dict__.update(body)
        else:
            for name, item in body.items():
                set_attribute(value, name, item)
        return value

    return encode, decode


def _completed(body: dict[str, Any], defaults: dict[str, Default]) -> dict[str, Any]:
    """The fields the class has today."""
    made: dict[str, Any] = {}
    for name, default in defaults.items():
        item = body.get(name, _MISSING)
        if item is _MISSING:
            if default is None:
                raise ValueError(f"field {name!r} is missing and has no default")
            item = default()
        if item is not _MISSING:
            made[name] = item
    return made
