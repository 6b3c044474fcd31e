"""When a checkpoint was made: its id says so (a UUID of version 6), so that no other record has to."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

__all__ = ["GREGORIAN_TO_UNIX_100NS", "tick_of", "time_of"]

GREGORIAN_TO_UNIX_100NS: Final = 0x01B21DD213814000
"""A UUID counts from 1582-10-15."""


def tick_of(identity: str) -> int:
    """The Unix time, in units of 100 ns, that a checkpoint id was made at.

    Raises:
        ValueError: it is no UUID.
    """
    return int(identity[:8] + identity[9:13] + identity[15:18], 16) - GREGORIAN_TO_UNIX_100NS


def time_of(identity: str) -> datetime | None:
    """The same as a date; None for an id that another program made in another form."""
    if len(identity) != 36 or identity[14] != "6":
        return None
    try:
        return datetime.fromtimestamp(tick_of(identity) / 1e7, UTC)
    except (ValueError, OverflowError, OSError):
        return None
