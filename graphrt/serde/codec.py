"""One type's translation: a value to a body of simpler values and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from msgspec import Struct

from graphrt.serde.native import Native

__all__ = ["Codec", "Decode", "Encode", "checked", "type_name"]

Encode: TypeAlias = Callable[[Any], Any]
"""Value to body. The body may hold anything serialisable; it is encoded in turn."""

Decode: TypeAlias = Callable[[Any], Any]
"""Body to value. Must not look anything up in the program that the body names."""


class Codec(Struct, frozen=True, eq=False):
    """How values of exactly `typ` are written under `tag`.

    Attributes:
        record: the body is a dict of the value's attributes, so a path reads `.name` and not `['name']`.
        steps: what a path says for the items of a list body, for bodies whose layout means nothing to the user.
        upgrade: `upgrade[n]` turns a body of version `n` into one of version `n + 1`.
        native: how msgspec can write and read the value by itself, where that is proven to be exact.
        members: of an enum, what msgspec writes for each member, where it reads that back without a word of the class.
    """

    tag: str
    typ: type
    encode: Encode
    decode: Decode
    version: int = 1
    record: bool = False
    steps: tuple[str, ...] = ()
    upgrade: Mapping[int, Decode] = {}
    native: Native | None = None
    members: Mapping[str, Any] | None = None


def type_name(typ: type) -> str:
    """`module:qualname`: the tag of a class that comes from a schema, and its name in messages."""
    return f"{typ.__module__}:{typ.__qualname__}"


def checked(body: Any, expected: type) -> Any:
    """`body`, if it is exactly of the `expected` type: bytes may hold anything where a codec wants a list.

    Raises:
        TypeError: it is not.
    """
    if type(body) is not expected:
        raise TypeError(f"{expected.__name__} expected")
    return body
