"""numpy and pydantic values, met only where the user has imported the library: serde never does."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Any

from graphrt.serde.codec import Codec, checked

__all__ = ["foreign_codec", "foreign_codecs", "is_model", "model_codec"]

_DTYPE = re.compile(r"[<>|][biufcSUMm][0-9]+(\[[0-9]*[a-zA-Z]+\])?")
"""Types whose bytes are the value: no objects, no nested fields."""

_NOTHING_ELSE: tuple[Any, Any, Any] = (None, None, None)
_MODEL_SLOTS = ("__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")


def foreign_codec(typ: type) -> Codec | None:
    """The codec of a type that belongs to an optional library, if that is imported."""
    numpy = sys.modules.get("numpy")
    if numpy is not None and issubclass(typ, numpy.generic):
        return Codec("!numpy.scalar", typ, _scalar_to, _scalar_from)
    for codec in foreign_codecs():
        module, _, name = codec.tag[1:].partition(".")
        if module in sys.modules and typ is getattr(sys.modules[module], name, None):
            return codec
    return None


def foreign_codecs() -> Iterator[Codec]:
    """What can be read once its library is there; `typ` is a placeholder."""
    yield Codec("!numpy.ndarray", object, _array_to, _array_from)
    yield Codec("!numpy.scalar", object, _scalar_to, _scalar_from)
    yield Codec("!pydantic.SecretStr", object, _secret_to, lambda body: _loaded("pydantic").SecretStr(body))
    yield Codec(
        "!pydantic.SecretBytes", object, _secret_to, lambda body: _loaded("pydantic").SecretBytes(body)
    )


def _loaded(name: str) -> Any:
    module = sys.modules.get(name)
    if module is None:
        raise LookupError(f"the value needs {name}: import it before reading")
    return module


def _secret_to(value: Any) -> Any:
    return value.get_secret_value()


def _dtype_to(dtype: Any) -> str:
    text: str = dtype.str
    if dtype.fields is not None or not _DTYPE.fullmatch(text):
        raise TypeError(f"its dtype {dtype!r} is not made of plain numbers, text or times")
    return text


def _dtype_from(text: Any) -> Any:
    if not _DTYPE.fullmatch(checked(text, str)):
        raise ValueError("not a plain numpy dtype")
    return _loaded("numpy").dtype(text)


def _array_to(array: Any) -> list[Any]:
    order = "F" if array.flags.f_contiguous and not array.flags.c_contiguous else "C"
    return [_dtype_to(array.dtype), list(array.shape), order, array.tobytes(order)]


def _array_from(body: Any) -> Any:
    text, shape, order, data = checked(body, list)
    if order not in ("C", "F"):
        raise ValueError("not an array order")
    flat = _loaded("numpy").frombuffer(checked(data, bytes), _dtype_from(text))
    return flat.reshape(checked(shape, list), order=order).copy(order)


def _scalar_to(value: Any) -> list[Any]:
    return [_dtype_to(value.dtype), value.tobytes()]


def _scalar_from(body: Any) -> Any:
    text, data = checked(body, list)
    dtype = _dtype_from(text)
    if dtype.itemsize == 0:
        return _loaded("numpy").zeros((), dtype)[()]
    return _loaded("numpy").frombuffer(checked(data, bytes), dtype)[0]


def is_model(typ: type) -> bool:
    """Whether `typ` is a pydantic (v2) model."""
    pydantic = sys.modules.get("pydantic")
    return pydantic is not None and issubclass(typ, pydantic.BaseModel)


def _is_dict(body: Any) -> bool:
    return type(body) is dict


def model_codec(tag: str, typ: Any) -> Codec:
    """A model as it is, so that it comes back so and no validator runs on it a second time.

    Body: the dict of its values if every field was set and there is nothing else, otherwise
    `[values, fields set or None if that is all of them, extra or None if there is none, private]`.
    """
    set_attribute = object.__setattr__
    chosen_slot, extra_slot, private_slot = _MODEL_SLOTS
    fields = typ.model_fields
    takes_extra = typ.model_config.get("extra") == "allow"

    def encode(value: Any) -> Any:
        values = value.__dict__
        if len(values) != len(fields):  # cached properties
            values = {name: item for name, item in values.items() if name in fields}
        chosen, extra, private = (
            value.__pydantic_fields_set__,
            value.__pydantic_extra__,
            value.__pydantic_private__,
        )
        all_chosen = chosen == values.keys()
        if all_chosen and not extra and private is None:
            return values
        return [values, None if all_chosen else sorted(chosen), extra or None, private]

    def decode(body: Any) -> Any:
        values, chosen, extra, private = (body, *_NOTHING_ELSE) if _is_dict(body) else checked(body, list)
        if checked(values, dict).keys() != fields.keys():
            values = _with_defaults(fields, values)
        value = object.__new__(typ)
        set_attribute(value, "__dict__", values)
        set_attribute(value, chosen_slot, set(values if chosen is None else chosen))
        set_attribute(value, extra_slot, {} if extra is None and takes_extra else extra)
        set_attribute(value, private_slot, private)
        return value

    return Codec(tag, typ, encode, decode, record=True, steps=("", "", "", ""))


def _with_defaults(fields: Any, values: dict[str, Any]) -> dict[str, Any]:
    """The fields the model has today."""
    made: dict[str, Any] = {}
    for name, field in fields.items():
        if name in values:
            made[name] = values[name]
        elif field.is_required():
            raise ValueError(f"field {name!r} is missing and has no default")
        else:
            made[name] = field.get_default(call_default_factory=True)
    return made
