"""Checkpointers by URL: `memory://`, and whatever other schemes installed packages offer.

A package adds a scheme with an entry point of the group `graphrt.checkpointers`: the scheme's name, and a class with
`from_conn_string(url)`.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final

from graphrt.errors import GraphValidationError

__all__ = ["GROUP", "saver_from_url"]

GROUP: Final = "graphrt.checkpointers"
_EXTRAS: Final = {"sqlite": "sqlite", "postgres": "postgres", "postgresql": "postgres"}
"""graphrt's own schemes whose drivers come with an extra."""


def saver_from_url(url: str) -> Any:
    """Make the checkpointer that `url` names; the scheme decides which, the rest is for it to read.

    Example:
        >>> saver = saver_from_url("memory://")

    Raises:
        GraphValidationError: there is no such scheme, or what it needs is not installed.
    """
    scheme, separator, _ = url.partition("://")
    if not separator or not scheme:
        raise GraphValidationError(
            f"A checkpointer's URL is written scheme://place, such as memory://, got {_without_password(url)!r}."
        )
    offered = {point.name: point for point in entry_points(group=GROUP)}
    point = offered.get(scheme.lower())
    if point is None:
        raise GraphValidationError(
            f"No checkpointer for {scheme}:// is installed. Known: "
            f"{', '.join(f'{name}://' for name in sorted(offered)) or 'none'}."
        )
    return _load(point, scheme).from_conn_string(url)


def _load(point: EntryPoint, scheme: str) -> Any:
    try:
        return point.load()
    except ModuleNotFoundError as error:
        raise GraphValidationError(
            f"The checkpointer for {scheme}:// needs the module {error.name!r}, which is not installed."
            + (f" Run: pip install 'graphrt[{extra}]'" if (extra := _EXTRAS.get(point.name)) else "")
        ) from error


def _without_password(url: str) -> str:
    """Connection strings end up in logs; what stands before an @ stays out of the message."""
    return f"...@{url.rpartition('@')[2]}" if "@" in url else url
