"""What every module of serde agrees on: the extension code, the limits, and the value behind an unknown tag."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from msgspec import Struct

__all__ = ["ATOMS", "EXT_CODE", "LAYOUT", "MANY", "MAX_DEPTH", "MIXED", "UnknownValue", "type_of"]

EXT_CODE: Final = 71
"""The one MessagePack extension type that serde writes; its payload is MessagePack `[tag, version, body]`."""

MAX_DEPTH: Final = 128
"""Containers inside containers. Low enough that reading never meets Python's recursion limit of 1000 frames."""

MANY: Final = "!list"
"""The tag of a list of values of one type: `[tag, version, [body, ...]]` of theirs."""

LAYOUT: Final = "!layout"
"""The tag of nested records of declared types: `[[classes, layout], data]`, see `layout`."""

MIXED: Final = "!mixed"
"""The tag of a list of values of several tagged types: `[types in order, [values of one type, ...]]`."""

ATOMS: Final = frozenset({type(None), bool, int, float, str, bytes})
"""Types that MessagePack keeps exactly, as long as ints fit in 64 bits and strings are valid Unicode."""


type_of: Callable[[object], type] = type
"""`type`, for which pyright has a precise but unusable result where the argument is Any. Costs nothing."""


class UnknownValue(Struct, frozen=True):
    """A stored value whose type nobody registered here, as `Serializer.loads_raw` shows it.

    `data` is the body with everything known inside it revived. It can be looked at, not stored again.
    """

    tag: str
    version: int
    data: Any

    def __hash__(self) -> int:
        """Without `data`: in a set, or as a key, it stands for something hashable without being so all through."""
        return hash((self.tag, self.version))
