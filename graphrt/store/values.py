"""What can be stored: dicts of what JSON can say. Every backend keeps values as these bytes.

A value comes back as it would from JSON: tuples as lists, everything else as it was, integers of any size and the
difference between 1 and 1.0 included. What would come back as something else is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from typing import Any, Final, TypeGuard, cast

import msgspec

from graphrt.errors import SerializationError

__all__ = ["check_key", "from_bytes", "is_dict", "is_list", "plain", "to_bytes"]

_MOST_BITS: Final = 8_192
"""Python does not read integers of more than 4300 digits from text."""
_MOST_LEVELS: Final = 200
_encode: Final = msgspec.json.Encoder().encode
_decode: Final = cast("Callable[[bytes], dict[str, Any]]", msgspec.json.Decoder(dict[str, Any]).decode)


def to_bytes(value: Mapping[str, Any], *, address: str = "the value") -> bytes:
    """A value as JSON in UTF-8.

    Args:
        address: where it is to be stored, for the error.

    Raises:
        SerializationError: it holds what JSON cannot say; `path` leads there.
    """
    return _encode(plain(value, address=address))


def from_bytes(body: bytes) -> dict[str, Any]:
    """The value again, a new one each time."""
    return _decode(body)


def plain(value: object, *, address: str) -> dict[str, Any]:
    """What is left of a dict when it has been through JSON.

    Raises:
        SerializationError: it is none, or holds what JSON cannot say.
    """
    if not is_dict(value):
        raise _refuse(address, "$", value, "values are dicts")
    return _mapping(value, "$", address, 0)


def check_key(key: object, *, address: str) -> None:
    """Refuse a key that some backend could not store.

    Raises:
        SerializationError: it is no string of characters that UTF-8 has, or has a NUL.
    """
    if not isinstance(key, str):
        raise _refuse(address, "$", key, "keys are strings")
    _text(key, "$", address)
    if "\0" in key:
        raise _refuse(address, "$", key, "databases store no NUL character in keys")


def is_dict(value: object) -> TypeGuard[Mapping[str, Any]]:
    """Whether JSON would say it in braces."""
    return isinstance(value, Mapping)


def is_list(value: object) -> TypeGuard[Sequence[Any]]:
    """Whether JSON would say it in brackets."""
    return isinstance(value, list | tuple)


def _plain(value: Any, path: str, address: str, level: int) -> object:
    match value:
        case None | bool():
            return value
        case str():
            return _text(value, path, address)
        case int():
            return _integer(value, path, address)
        case float():
            if not isfinite(value):
                raise _refuse(address, path, value, "JSON has no such number")
            return float(value)
        case _ if is_dict(value):
            return _mapping(value, path, address, level + 1)
        case _ if is_list(value):
            return _list(value, path, address, level + 1)
        case _:
            raise _refuse(address, path, value, "JSON has no such thing, store what it is made of")


def _mapping(value: Mapping[Any, Any], path: str, address: str, level: int) -> dict[str, Any]:
    _depth(path, address, level)
    found: dict[str, Any] = {}
    for key, item in value.items():
        if not isinstance(key, str):
            raise _refuse(address, path, key, "the keys of dicts are strings")
        found[_text(key, path, address)] = _plain(item, f"{path}.{key}", address, level)
    return found


def _list(value: Sequence[Any], path: str, address: str, level: int) -> list[Any]:
    _depth(path, address, level)
    return [_plain(item, f"{path}[{index}]", address, level) for index, item in enumerate(value)]


def _depth(path: str, address: str, level: int) -> None:
    if level > _MOST_LEVELS:
        raise SerializationError(
            f"{address} cannot be stored: it has more than {_MOST_LEVELS} levels, or holds itself.", path=path
        )


def _text(value: str, path: str, address: str) -> str:
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise _refuse(address, path, value, "UTF-8 cannot say half a surrogate pair") from None
    return str(value)


def _integer(value: int, path: str, address: str) -> int:
    if value.bit_length() > _MOST_BITS:
        raise SerializationError(
            f"{address} cannot be stored: {path} is an integer of more than {_MOST_BITS} bits.",
            path=path,
            type_name="int",
        )
    return int(value)


def _refuse(address: str, path: str, value: object, why: str) -> SerializationError:
    kind = type(value).__name__
    return SerializationError(
        f"{address} cannot be stored: {path} is {value!r:.80} ({kind}); {why}.",
        path=path,
        type_name=kind,
    )
