"""Codecs of graphrt's own words: what nodes return and what interrupts leave behind."""

from __future__ import annotations

from collections.abc import Iterator

from graphrt.edits import Merge, Weave
from graphrt.errors import ErrorCode
from graphrt.serde.codec import Codec
from graphrt.serde.derive import derive
from graphrt.types import Command, Interrupt, Overwrite, Send

__all__ = ["word_codecs"]


def word_codecs() -> Iterator[Codec]:
    """Send, Command, Overwrite, Interrupt, the parts of growing values, and the codes inside graphrt's errors."""
    for typ in (Send, Command, Overwrite, Interrupt, Merge, Weave, ErrorCode):
        codec = derive(typ, f"!graphrt.{typ.__name__}")
        assert codec is not None
        yield codec
