"""When a checkpoint was made: its id says so (a UUID of version 6), so that no other record has to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

__all__ = ["GREGORIAN_TO_UNIX_100NS", "iso_of", "tick_of", "time_of"]

GREGORIAN_TO_UNIX_100NS: Final = 0x01B21DD213814000
"""A UUID counts from 1582-10-15."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


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
        return _EPOCH + timedelta(microseconds=tick_of(identity) // 10)
    except (ValueError, OverflowError):
        return None


def iso_of(identity: str) -> str | None:
    """`time_of` in ISO 8601, in a third of the time: a long history asks for each of its checkpoints."""
    if len(identity) != 36 or identity[14] != "6":
        return None
    try:
        moment = str(
            (int(identity[:8] + identity[9:13] + identity[15:18], 16) - GREGORIAN_TO_UNIX_100NS) // 10
        )
        second = _iso(moment[:-6])
    except (ValueError, OverflowError):
        return None
    fraction = moment[-6:]
    return f"{second}.{fraction}+00:00" if fraction != "000000" else f"{second}+00:00"


@lru_cache(64)
def _iso(second: str) -> str:
    return (_EPOCH + timedelta(seconds=int(second))).isoformat()[:-6]
