"""Time zones by key without letting the key name a file or a module.

`ZoneInfo(key)` opens a file below `TZPATH` and, failing that, imports the package `tzdata.zoneinfo.<part of key>`.
So a key from stored bytes is first checked against what is there.
"""

from __future__ import annotations

import re
from functools import cache
from os import path
from zoneinfo import TZPATH, ZoneInfo

__all__ = ["zone"]

_KEY = re.compile(r"[A-Za-z0-9_+\-]+(/[A-Za-z0-9_+\-]+){0,3}")


@cache  # looking touches the file system, which an event loop should not wait for twice
def zone(key: object) -> ZoneInfo:
    """The zone with this key.

    Raises:
        ValueError: no such zone on this machine.
    """
    if type(key) is not str or not _KEY.fullmatch(key):
        raise ValueError("not a time zone key")
    if any(path.isfile(path.join(root, *key.split("/"))) for root in TZPATH) or key in _packaged():
        return ZoneInfo(key)
    raise ValueError(f"no time zone {key!r} on this machine; install the tzdata package")


@cache
def _packaged() -> frozenset[str]:
    """Keys of the `tzdata` package, which systems without a zone database use."""
    from importlib import resources  # costs as much import time as the rest of serde's imports together

    try:
        return frozenset((resources.files("tzdata") / "zones").read_text().split())
    except (ModuleNotFoundError, OSError):
        return frozenset()
