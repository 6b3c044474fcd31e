"""pydantic models as they are, so that they come back so and no validator runs on them a second time.

Both kinds: those of version 2, and those of `pydantic.v1` or of version 1 itself. Body: the dict of the fields if every
field was set and there is nothing else, otherwise `[fields, names that were set or None if that is all of them, extra
or None if there is none, private attributes or None]`. serde never imports pydantic: without it there are no models.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from graphrt.serde.codec import Codec, Decode, Encode, checked

__all__ = ["model_codec", "model_hints"]

_NOTHING_ELSE: tuple[Any, Any, Any] = (None, None, None)
_REQUIRED: Any = object()
_set_attribute = object.__setattr__  # past frozen models


def model_codec(tag: str, typ: Any) -> Codec | None:
    """The codec of a model class, None for any other class."""
    base = _base_of(typ)
    if base is None:
        return None
    functions = _second(typ) if hasattr(base, "model_fields") else _first(typ)
    return Codec(tag, typ, *functions, record=True, steps=("", "", "", ""))


def model_hints(typ: Any) -> Iterator[tuple[str, object]]:
    """Names and types of a model's fields, as pydantic has resolved them; none for any other class."""
    base = _base_of(typ)
    if base is not None and hasattr(base, "model_fields"):
        yield from ((name, field.annotation) for name, field in typ.model_fields.items())
    elif base is not None:
        yield from ((name, field.outer_type_) for name, field in typ.__fields__.items())


def _base_of(typ: type) -> Any:
    for name in ("pydantic", "pydantic.v1"):
        base = getattr(sys.modules.get(name), "BaseModel", None)
        if base is not None and base in typ.__mro__:
            return base
    return None


def _is_dict(body: Any) -> bool:
    return type(body) is dict


def _body(values: dict[str, Any], chosen: set[str], extra: Any, private: Any) -> Any:
    all_chosen = chosen == values.keys()
    if all_chosen and not extra and private is None:
        return values
    return [values, None if all_chosen else sorted(chosen), extra or None, private]


def _parts(body: Any, defaults: Mapping[str, Callable[[], Any]]) -> tuple[dict[str, Any], set[str], Any, Any]:
    """Fields as the model has them today, names that were set, extra, private attributes."""
    values, chosen, extra, private = (body, *_NOTHING_ELSE) if _is_dict(body) else checked(body, list)
    chosen = set(checked(values, dict) if chosen is None else chosen)
    if values.keys() != defaults.keys():
        values = {name: values[name] if name in values else default() for name, default in defaults.items()}
        chosen &= values.keys()
    return values, chosen, extra, private


def _missing(name: str) -> Callable[[], Any]:
    def fail() -> Any:
        raise ValueError(f"field {name!r} is missing and has no default")

    return fail


def _second(typ: Any) -> tuple[Encode, Decode]:
    """A model of version 2."""
    fields = typ.model_fields
    takes_extra = typ.model_config.get("extra") == "allow"
    defaults = {
        name: _missing(name) if field.is_required() else partial(field.get_default, call_default_factory=True)
        for name, field in fields.items()
    }

    def encode(value: Any) -> Any:
        values = value.__dict__
        if len(values) != len(fields):  # cached properties
            values = {name: item for name, item in values.items() if name in fields}
        return _body(
            values, value.__pydantic_fields_set__, value.__pydantic_extra__, value.__pydantic_private__
        )

    def decode(body: Any) -> Any:
        values, chosen, extra, private = _parts(body, defaults)
        value = object.__new__(typ)
        _set_attribute(value, "__dict__", values)
        _set_attribute(value, "__pydantic_fields_set__", chosen)
        _set_attribute(value, "__pydantic_extra__", {} if extra is None and takes_extra else extra)
        _set_attribute(value, "__pydantic_private__", private)
        return value

    return encode, decode


def _first(typ: Any) -> tuple[Encode, Decode]:
    """A model of version 1, which keeps extra values among the fields and private ones in slots."""
    fields, hidden = typ.__fields__, typ.__private_attributes__
    takes_extra = str(getattr(typ.__config__.extra, "value", "")) == "allow"
    defaults = {
        name: _missing(name) if field.required else field.get_default for name, field in fields.items()
    }

    def encode(value: Any) -> Any:
        values = {name: value.__dict__[name] for name in fields}
        extra = (
            {name: item for name, item in value.__dict__.items() if name not in fields}
            if takes_extra
            else None
        )
        private = {name: getattr(value, name) for name in hidden if hasattr(value, name)}
        return _body(values, value.__fields_set__ & values.keys(), extra, private or None)

    def decode(body: Any) -> Any:
        values, chosen, extra, private = _parts(body, defaults)
        more: dict[str, Any] = extra if extra and takes_extra else {}
        unseen: dict[str, Any] = private or {}
        value = object.__new__(typ)
        _set_attribute(value, "__dict__", values | more)
        _set_attribute(value, "__fields_set__", chosen | more.keys())
        value._init_private_attributes()
        for name, item in unseen.items():
            if name in hidden:
                _set_attribute(value, name, item)
        return value

    return encode, decode
