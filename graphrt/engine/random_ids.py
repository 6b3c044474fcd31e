"""Random ids of messages."""

from __future__ import annotations

from os import urandom

__all__ = ["random_id"]


def random_id() -> str:
    """A uuid4 as text; made by hand, as importing uuid takes longer than most graphs run."""
    bits = int.from_bytes(urandom(16)) & ~(0xF << 76 | 0x3 << 62) | 4 << 76 | 2 << 62
    text = f"{bits:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
