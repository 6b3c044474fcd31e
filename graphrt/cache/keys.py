"""Names for values: equal ones have the same in every process, whatever order their dicts are in (LangGraph R4).

A name is the hash of what the closed serialisation makes of a value, with dicts in the order of their keys. Where
order is part of what a value is (an OrderedDict, a list), it is part of its name.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.msgpack import Ext

from graphrt.serde import Serializer
from graphrt.serde.wire import EXT_CODE

__all__ = ["content_key", "default_cache_key", "hashed"]

_ORDERED: Final = "!ordereddict"
_PAIRS: Final = "!dict"
_encode: Final = msgspec.msgpack.Encoder().encode
_SERIALIZER: Final = Serializer()


def default_cache_key(*args: Any, **kwargs: Any) -> str:
    """What names an input whose policy has no `key_func`: for use in a `key_func` of your own.

    Raises:
        SerializationError: there is a value of a type that cannot be stored, or is not registered.

    Example:
        >>> CachePolicy(key_func=lambda state: default_cache_key(state["question"]))
    """
    return content_key(_SERIALIZER, [list(args), kwargs])


def content_key(serializer: Serializer, value: object) -> str:
    """The name of a value.

    Raises:
        SerializationError: it cannot be stored.
    """
    return hashed(_canonical(serializer.dumps(value)))


def hashed(data: bytes) -> str:
    """128 bits in hexadecimal digits."""
    return blake2b(data, digest_size=16).hexdigest()


class _Tagged(Struct):
    """A value that is no plain MessagePack."""

    payload: Any


def _canonical(data: bytes) -> bytes:
    return _encode(_sorted(_decode(data)))


def _revive(code: int, data: memoryview) -> Any:
    return _Tagged(_decode(bytes(data))) if code == EXT_CODE else Ext(code, bytes(data))


_decode: Final = msgspec.msgpack.Decoder(ext_hook=_revive).decode


def _sorted(tree: Any) -> Any:
    kind = tree.__class__  # narrowing `tree` itself would tell type checkers less than nothing
    if kind is dict:
        return {key: _sorted(tree[key]) for key in sorted(tree, key=_encode)}
    if kind is list:
        return [_sorted(item) for item in tree]
    if kind is _Tagged:
        return Ext(EXT_CODE, _encode(_sorted_payload(tree.payload)))
    return tree


def _sorted_payload(payload: Any) -> Any:
    """What a tag stands for; dicts with other keys than strings are lists of keys and of values."""
    tag, version, body = payload
    kind = body.__class__
    if tag == _ORDERED and kind is dict:
        return [tag, version, [[_sorted(key), _sorted(value)] for key, value in body.items()]]
    if tag == _PAIRS and kind is list:
        keys, values = body
        pairs = zip(_sorted(keys), _sorted(values), strict=True)
        return [tag, version, sorted(pairs, key=lambda pair: _encode(pair[0]))]
    return [tag, version, _sorted(body)]
