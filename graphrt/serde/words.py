"""Codecs of graphrt's own words: what nodes return and what interrupts leave behind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from msgspec import structs

from graphrt.edits import Merge, Weave
from graphrt.errors import ErrorCode
from graphrt.messages.kinds import KINDS
from graphrt.serde.codec import Codec
from graphrt.serde.derive import derive
from graphrt.serde.native import Native
from graphrt.types import Command, Interrupt, Overwrite, Send, TimeoutPolicy

__all__ = ["word_codecs"]


def word_codecs() -> Iterator[Codec]:
    """What nodes return, what interrupts leave behind, messages, parts of growing values, codes of graphrt's errors."""
    for typ in (Send, Command, Overwrite, Interrupt, TimeoutPolicy, Merge, Weave, ErrorCode, *KINDS):
        codec = derive(typ, f"!graphrt.{typ.__name__}")
        assert codec is not None
        yield structs.replace(codec, encode=_send_to, native=_SEND) if typ is Send else codec


_SEND: Final = Native(Send, ("node", "arg", "timeout"), runs_code=False)
"""msgspec leaves out what `_send_to` leaves out."""


def _send_to(value: Send) -> dict[str, Any]:
    """Without a timeout it is written as it was before Sends could have one."""
    body = {"node": value.node, "arg": value.arg}
    return body if value.timeout is None else {**body, "timeout": value.timeout}
