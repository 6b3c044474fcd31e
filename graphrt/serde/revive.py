"""Turns tagged bodies back into values while msgspec decodes, inner ones first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec.msgpack import Decoder

from graphrt.errors import DeserializationError
from graphrt.serde.codec import Codec, checked
from graphrt.serde.layout import Layout
from graphrt.serde.layouts import Layouts
from graphrt.serde.rebuild import current_type, rebuilding
from graphrt.serde.registry import TypeRegistry
from graphrt.serde.split import SHORT, split, split_layout, split_short
from graphrt.serde.wire import EXT_CODE, LAYOUT, MANY, MIXED, UnknownValue

__all__ = ["Reviver"]

_split_mixed = Decoder(tuple[bytes, list[tuple[str, int, msgspec.Raw]]]).decode
_header = Decoder(tuple[list[tuple[str, str, int, dict[str, Any]]], Any]).decode

_MOST_HEADERS = 1_000
"""Layouts whose reading is prepared; a program has few, crafted bytes may have any number."""


class Reviver:
    """Reads one value; `raw` says whether unknown tags become `UnknownValue` or an error."""

    def __init__(self, registry: TypeRegistry, layouts: Layouts, *, raw: bool) -> None:
        self.decode: Callable[[Any], Any] = Decoder(ext_hook=self._revive).decode
        self._registry = registry
        self._layouts = layouts
        self._raw = raw
        self._declared: dict[tuple[str, bool], Callable[[Any], Any]] = {}
        self._laid: dict[bytes, Callable[[Any], Any]] = {}
        self._changes = registry.changes
        self._together: dict[str, Callable[[Any], Any]] = {
            LAYOUT: self._by_layout,
            MANY: self._many,
            MIXED: self._mixed,
        }

    def _revive(self, code: int, data: memoryview) -> Any:
        if code != EXT_CODE:
            raise DeserializationError(f"Cannot read stored bytes: unknown extension type {code}")
        return self._read(*(split_short(data) if len(data) <= SHORT else split(data)))

    def _read(self, tag: str, version: int, body: Any) -> Any:
        try:
            together = self._together.get(tag)
            if together is None:
                return self._tagged(tag, version, body, many=False)
            if version != 1:
                raise DeserializationError(_too_new(tag, version, 1), tag=tag)
            return together(body)
        except DeserializationError:
            raise
        except Exception as error:  # whatever damaged bytes make msgspec or a codec raise
            raise DeserializationError(f"Cannot read a stored {tag!r}: {error}", tag=tag) from error

    def _many(self, body: Any) -> Any:
        tag, version, bodies = split(body)
        return self._tagged(tag, version, bodies, many=True)

    def _mixed(self, body: Any) -> list[Any]:
        """Values of several types, in the order they had."""
        order, groups = _split_mixed(body)
        rows = [checked(self._read(*group), list) for group in groups]
        following = [iter(row) for row in rows]
        values = [next(following[place]) for place in order]
        if len(values) != sum(map(len, rows)):
            raise ValueError("not all values have a place")
        return values

    def _tagged(self, tag: str, version: int, body: Any, *, many: bool) -> Any:
        codec = self._registry.by_tag(tag)
        if codec is not None and version == codec.version:
            if codec.native is not None and codec.native.declared:
                try:
                    return self._by_declaration(codec, many)(body)
                except msgspec.ValidationError:
                    pass  # a field holds something else than declared: the general way reads that too
            make = codec.decode
        else:
            make = self._maker(tag, version)
        content = self.decode(body)
        return [make(item) for item in checked(content, list)] if many else make(content)

    def _by_declaration(self, codec: Codec, many: bool) -> Callable[[Any], Any]:
        key = (codec.tag, many)
        decode = self._declared.get(key)
        if decode is None:
            typ: Any = list[codec.typ] if many else codec.typ  # type: ignore[name-defined]
            decode = self._declared[key] = Decoder(typ, ext_hook=self._revive).decode
        return decode

    def _by_layout(self, body: Any) -> Any:
        header, data = split_layout(body)
        if self._changes != self._registry.changes or len(self._laid) > _MOST_HEADERS:
            self._laid.clear()
            self._changes = self._registry.changes
        read = self._laid.get(header)
        if read is None:
            read = self._laid[header] = self._reading(_header(header))
        return read(data)

    def _reading(
        self, header: tuple[list[tuple[str, str, int, dict[str, Any]]], Layout]
    ) -> Callable[[Any], Any]:
        """How to read data of this layout: as today's classes say, if they say the same, else as it says itself."""
        make = rebuilding(header, self._maker)
        typ = current_type(header, self._registry, self._layouts)
        if typ is None:
            return lambda data: make(self.decode(data))
        decode = Decoder(typ, ext_hook=self._revive).decode

        def read(data: Any) -> Any:
            try:
                return decode(data)
            except msgspec.ValidationError:  # a constraint that is checked on reading only
                return make(self.decode(data))

        return read

    def _maker(self, tag: str, version: int) -> Callable[[Any], Any]:
        """How to make values from bodies of this tag and version.

        Raises:
            DeserializationError: nobody registered them; unless what is read is to be shown raw.
        """
        codec = self._registry.by_tag(tag)
        if codec is not None and version <= codec.version:
            return codec.decode if version == codec.version else _upgrading(codec, version)
        if self._raw:
            return lambda content: UnknownValue(tag, version, content)
        if codec is not None:
            raise DeserializationError(_too_new(tag, version, codec.version), tag=tag)
        raise DeserializationError(
            f"Stored value of unknown type {tag!r}. Register its class under this tag before reading: name it in the "
            f"annotations of the graph's state, or call graphrt.serde.register({tag!r}, ...)",
            tag=tag,
        )


def _too_new(tag: str, version: int, newest: int) -> str:
    return f"Stored {tag!r} has version {version}, but this program knows {newest} as the newest"


def _upgrading(codec: Codec, version: int) -> Callable[[Any], Any]:
    """Decode a body of an older version. Without upgrades, fields have their defaults to bridge the gap."""
    steps = [codec.upgrade[n] for n in range(version, codec.version)] if codec.upgrade else []

    def decode(body: Any) -> Any:
        for step in steps:
            body = step(body)
        return codec.decode(body)

    return decode
