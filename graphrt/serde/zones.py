"""Time zones by key without letting the key name a file or a module.

`ZoneInfo(key)` opens a file below `TZPATH` and, failing that, imports the package `tzdata.zoneinfo.<part of key>`.
So a key from stored bytes is first checked against what is there.

Reading a zone for the first time in a process therefore waits for the disk, 0.1 ms in most cases. Zones that the
process has written are known; a program that must not wait even that long on its event loop names the others up front,
with `load_zones`.
"""

from __future__ import annotations

import re
from functools import cache
from os import path
from zoneinfo import TZPATH, ZoneInfo

__all__ = ["key_of", "load_zones", "zone"]

_KEY = re.compile(r"[A-Za-z0-9_+\-]+(/[A-Za-z0-9_+\-]+){0,3}")
_known: dict[str, ZoneInfo] = {}


def zone(key: object) -> ZoneInfo:
    """The zone with this key.

    Raises:
        ValueError: no such zone on this machine.
    """
    if type(key) is not str:
        raise ValueError("not a time zone key")
    found = _known.get(key)
    if found is None:
        if not _KEY.fullmatch(key):
            raise ValueError("not a time zone key")
        if not (any(path.isfile(path.join(root, *key.split("/"))) for root in TZPATH) or key in _packaged()):
            raise ValueError(f"no time zone {key!r} on this machine; install the tzdata package")
        found = _known[key] = ZoneInfo(key)
    return found


def key_of(value: ZoneInfo) -> str:
    """The key by which `zone` finds it.

    Raises:
        TypeError: it was read from a file without giving its key.
        KeyError: there is no such zone on this machine: it would not come back.
    """
    if not value.key:  # typed as str, but None for a zone read from a file
        raise TypeError("a ZoneInfo that was read from a file has no key to find it by")
    if value.key not in _known:
        _known[value.key] = ZoneInfo(value.key)  # Python keeps those in use: this opens no file
    return value.key


def load_zones(*keys: str) -> None:
    """Read these time zones now, so that no event loop waits for their files later.

    Raises:
        ValueError: no such zone on this machine.

    Example:
        >>> load_zones("Europe/Berlin", "America/New_York")
    """
    for key in keys:
        zone(key)


@cache
def _packaged() -> frozenset[str]:
    """Keys of the `tzdata` package, which systems without a zone database use."""
    from importlib import resources  # costs as much import time as the rest of serde's imports together

    try:
        return frozenset((resources.files("tzdata") / "zones").read_text().split())
    except (ModuleNotFoundError, OSError):
        return frozenset()
