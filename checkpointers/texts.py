"""SQL that stands in files beside the code that runs it."""

from __future__ import annotations

from pathlib import Path

__all__ = ["migrations_in", "texts_in"]


def texts_in(folder: Path) -> dict[str, str]:
    """Files by name. To be read on import: later there may be an event loop, which must not wait for a disk."""
    return {path.stem: path.read_text("utf-8") for path in sorted(folder.glob("*.sql"))}


def migrations_in(folder: Path) -> dict[int, str]:
    """Files by the four digits that their names begin with, ascending."""
    return {int(name[:4]): text for name, text in texts_in(folder).items()}
