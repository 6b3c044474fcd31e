"""Turns tagged bodies back into values while msgspec decodes, inner ones first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec.msgpack import Decoder

from graphrt.errors import DeserializationError
from graphrt.serde.codec import Codec, checked
from graphrt.serde.registry import TypeRegistry
from graphrt.serde.wire import EXT_CODE, MANY, UnknownValue

__all__ = ["Reviver"]

_split = Decoder(tuple[str, int, msgspec.Raw]).decode


class Reviver:
    """Reads one value; `raw` says whether unknown tags become `UnknownValue` or an error."""

    def __init__(self, registry: TypeRegistry, *, raw: bool) -> None:
        self.decode: Callable[[Any], Any] = Decoder(ext_hook=self._revive).decode
        self._registry = registry
        self._raw = raw
        self._declared: dict[tuple[str, bool], Callable[[Any], Any]] = {}

    def _revive(self, code: int, data: memoryview) -> Any:
        if code != EXT_CODE:
            raise DeserializationError(f"Cannot read stored bytes: unknown extension type {code}")
        tag, version, body = _split(data)
        many = tag == MANY
        if many:
            tag, version, body = _split(body)
        codec = self._registry.by_tag(tag)
        if codec is None or version > codec.version:
            return self._unknown(codec, tag, version, body, many)
        try:
            return self._known(codec, version, body, many)
        except DeserializationError:
            raise
        except Exception as error:  # whatever damaged bytes make msgspec or a codec raise
            raise DeserializationError(f"Cannot read a stored {tag!r}: {error}", tag=tag) from error

    def _known(self, codec: Codec, version: int, body: msgspec.Raw, many: bool) -> Any:
        if codec.native is not None and codec.native.declared and version == codec.version:
            try:
                return self._by_declaration(codec, many)(body)
            except msgspec.ValidationError:
                pass  # a field holds something else than declared: the general way reads that too
        content = self.decode(body)
        decode = codec.decode if version == codec.version else _upgrading(codec, version)
        return [decode(item) for item in checked(content, list)] if many else decode(content)

    def _by_declaration(self, codec: Codec, many: bool) -> Callable[[Any], Any]:
        key = (codec.tag, many)
        decode = self._declared.get(key)
        if decode is None:
            typ: Any = list[codec.typ] if many else codec.typ  # type: ignore[name-defined]
            decode = self._declared[key] = Decoder(typ).decode
        return decode

    def _unknown(self, codec: Codec | None, tag: str, version: int, body: msgspec.Raw, many: bool) -> Any:
        if self._raw:
            content = self.decode(body)
            if many:
                return [UnknownValue(tag, version, item) for item in checked(content, list)]
            return UnknownValue(tag, version, content)
        if codec is None:
            message = (
                f"Stored value of unknown type {tag!r}. Register its class under this tag before reading"
            )
        else:
            message = (
                f"Stored {tag!r} has version {version}, but this program knows {codec.version} as the newest"
            )
        raise DeserializationError(message, tag=tag)


def _upgrading(codec: Codec, version: int) -> Callable[[Any], Any]:
    """Decode a body of an older version. Without upgrades, fields have their defaults to bridge the gap."""
    steps = [codec.upgrade[n] for n in range(version, codec.version)] if codec.upgrade else []

    def decode(body: Any) -> Any:
        for step in steps:
            body = step(body)
        return codec.decode(body)

    return decode
