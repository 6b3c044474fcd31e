"""The types that every registry knows."""

from __future__ import annotations

from typing import Final

from graphrt.serde.codec import Codec
from graphrt.serde.failures import failure_codecs
from graphrt.serde.foreign import foreign_codecs
from graphrt.serde.standard import standard_codecs
from graphrt.serde.wire import ATOMS
from graphrt.serde.words import word_codecs

__all__ = ["BUILT_IN_TAGS", "BUILT_IN_TYPES", "UNTAGGED"]

BUILT_IN_TYPES: Final[dict[type, Codec]] = {
    codec.typ: codec for codec in (*standard_codecs(), *failure_codecs(), *word_codecs())
}
BUILT_IN_TAGS: Final[dict[str, Codec]] = {
    codec.tag: codec for codec in (*BUILT_IN_TYPES.values(), *foreign_codecs())
}
UNTAGGED: Final = ATOMS | {list, dict}
"""Types that are MessagePack's own."""
