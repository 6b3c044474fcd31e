"""Values of numpy, and secrets of pydantic, met only where the user has imported the library: serde never does."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Any

from graphrt.serde.codec import Codec, checked

__all__ = ["foreign_codec", "foreign_codecs"]

_DTYPE = re.compile(r"[<>|][biufcSUMm][0-9]+(\[[0-9]*[a-zA-Z]+\])?")
"""Types whose bytes are the value: no objects, no nested fields."""


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
