"""Takes tagged values apart without walking through their bodies, which may be long."""

from __future__ import annotations

from typing import Any, TypeAlias

from msgspec import Raw
from msgspec.msgpack import Decoder

__all__ = ["SHORT", "split", "split_layout", "split_short"]

Bytes: TypeAlias = Any  # memoryview or Raw, which is a buffer that says so only to C

SHORT = 1_000
"""Bytes up to which msgspec has found the end of the body sooner than Python has found its start."""

split_short = Decoder(tuple[str, int, Raw]).decode
"""Tag, version and body, where the body may be walked through."""

_split_layout = Decoder(tuple[bytes, Raw]).decode
_FIRST_OF_THREE, _FIRST_OF_TWO = 0x93, 0x92
_TEXT_8, _BYTES_8, _BYTES_16 = 0xD9, 0xC4, 0xC5


def split(data: Bytes) -> tuple[str, int, Bytes]:
    """Tag, version and body.

    Raises:
        ValueError: the bytes are something else.
    """
    view = memoryview(data)
    if view[0] == _FIRST_OF_THREE:
        first = view[1]
        if 0xA0 <= first <= 0xBF:
            start, size = 2, first & 31
        elif first == _TEXT_8:
            start, size = 3, view[2]
        else:
            return split_short(data)
        version = view[start + size]
        if version < 0x80:
            return str(view[start : start + size], "utf-8"), version, view[start + size + 1 :]
    return split_short(data)


def split_layout(body: Bytes) -> tuple[bytes, Bytes]:
    """The header and the data of what lies in a layout.

    Raises:
        ValueError: the bytes are something else.
    """
    view = memoryview(body)
    if len(view) > SHORT and view[0] == _FIRST_OF_TWO and view[1] in (_BYTES_8, _BYTES_16):
        if view[1] == _BYTES_8:
            start, size = 3, view[2]
        else:
            start, size = 4, view[2] << 8 | view[3]
        if start + size < len(view):
            return bytes(view[start : start + size]), view[start + size :]
    return _split_layout(body)
