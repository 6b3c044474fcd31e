"""The two directions, put together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from graphrt.edits import grown
from graphrt.errors import DeserializationError, SerializationError
from graphrt.serde.again import Rereader
from graphrt.serde.layouts import Layouts
from graphrt.serde.lower import Lowerer
from graphrt.serde.refused import Refused
from graphrt.serde.registry import TypeRegistry
from graphrt.serde.revive import Reviver
from graphrt.serde.wire import ATOMS

__all__ = ["Serializer"]

_ARRAY = b"\xdd"
"""MessagePack's array with a length of 32 bits."""


class Serializer:
    """Values to bytes and back within one registry of types. May be shared between threads."""

    __slots__ = ("_careful", "_decode", "_decode_raw", "_encode", "_fast", "registry")

    def __init__(self, registry: TypeRegistry | None = None) -> None:
        self.registry = TypeRegistry() if registry is None else registry
        layouts = Layouts(self.registry)
        self._fast = Lowerer(self.registry, layouts, careful=False)
        self._careful = Lowerer(self.registry, layouts, careful=True)
        self._encode = self._fast.encode
        self._decode = Reviver(self.registry, layouts, raw=False).decode
        self._decode_raw = Reviver(self.registry, layouts, raw=True).decode

    def dumps(self, value: object) -> bytes:
        """The bytes from which `loads` makes an equal value of the same type, all the way down.

        Raises:
            SerializationError: a value inside cannot be stored; `path` leads to it.

        Example:
            >>> serializer.dumps({"user": "Ada", "at": (3, 4)})
        """
        try:
            if type(value) in ATOMS:
                return self._encode(value)
            fast = self._fast
            lowered = fast.table[type(value)](fast, value, 0)
            data = self._encode(lowered)
            if lowered is not value:
                fast.take_back(lowered)
            return data
        except Refused as refused:
            raise refused.error() from refused.__cause__
        except (OverflowError, UnicodeEncodeError):  # a huge int or a lone surrogate somewhere
            return self._dumps_carefully(value)
        except (ValueError, RuntimeError) as error:
            # Beyond 4 GB, no stack left, changed by another thread meanwhile.
            raise SerializationError(f"Cannot serialise: {error}") from error

    def _dumps_carefully(self, value: object) -> bytes:
        try:
            return self._careful.encode(self._careful.lower(value))
        except Refused as refused:
            raise refused.error() from refused.__cause__
        except (ValueError, RuntimeError) as error:
            raise SerializationError(f"Cannot serialise: {error}") from error

    def loads(self, data: bytes) -> Any:
        """The value that `dumps` was given.

        Raises:
            DeserializationError: the bytes are damaged, or hold a tag that nobody registered; `tag` names it.
        """
        try:
            return self._decode(data)
        except DeserializationError:
            raise
        except Exception as error:
            raise DeserializationError(f"Cannot read stored bytes: {error}") from error

    def loads_raw(self, data: bytes) -> Any:
        """As `loads`, but values of types that nobody registered come back as `UnknownValue`.

        Raises:
            DeserializationError: the bytes are damaged.
        """
        try:
            return self._decode_raw(data)
        except DeserializationError:
            raise
        except Exception as error:
            raise DeserializationError(f"Cannot read stored bytes: {error}") from error

    def loads_grown(self, data: bytes, parts: Sequence[bytes] = ()) -> Any:
        """The value that was stored whole as `data` and then grew by `parts` (`graphrt.edits`).

        Raises:
            DeserializationError: as `loads`, or a part does not belong behind such a value.
        """
        return _grown(self.loads, data, parts) if parts else self.loads(data)

    def loads_grown_raw(self, data: bytes, parts: Sequence[bytes] = ()) -> Any:
        """As `loads_grown`, but values of types that nobody registered come back as `UnknownValue`.

        Raises:
            DeserializationError: the bytes are damaged.
        """
        return _grown(self.loads_raw, data, parts) if parts else self.loads_raw(data)

    def rereader(self) -> Rereader:
        """For reading many values that are nearly the same."""
        return Rereader(self)

    def loads_parts_raw(self, parts: Sequence[bytes]) -> list[Any]:
        """What each part says.

        Raises:
            DeserializationError: the bytes are damaged.
        """
        changes: list[Any] = self.loads_raw(_together(parts))
        return changes


def _grown(loads: Callable[[bytes], Any], data: bytes, parts: Sequence[bytes]) -> Any:
    value = loads(data)
    changes = loads(_together(parts))
    try:
        return grown(value, changes)
    except (TypeError, ValueError) as error:
        raise DeserializationError(f"Cannot read stored bytes: {error}") from error


def _together(parts: Sequence[bytes]) -> bytes:
    """All parts for one call: as the items of an array, whose bytes are theirs behind each other."""
    return b"".join((_ARRAY, len(parts).to_bytes(4), *parts))
