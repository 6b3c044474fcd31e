"""SQL from this package's files, with the name of the schema put in: the only thing that is ever put into it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from msgspec import Struct

from graphrt.errors import GraphValidationError

__all__ = ["MIGRATIONS", "Statements", "quoted", "statements"]

_PLACE: Final = "{schema}"
_LONGEST: Final = 63  # bytes; Postgres cuts longer names off without a word


def _read(folder: str) -> dict[str, str]:
    """Files by name. They are read on import: later there may be an event loop, which must not wait for a disk."""
    return {
        path.stem: path.read_text("utf-8") for path in sorted((Path(__file__).parent / folder).glob("*.sql"))
    }


_TEXTS: Final = _read("sql")
MIGRATIONS: Final = {int(name[:4]): text for name, text in _read("migrations").items()}
"""By number, ascending, each to be run in a transaction of its own; they still want a schema."""


class Statements(Struct, frozen=True):
    """What the checkpointer says to the database, one attribute per file in `sql/`, which says what it does."""

    append: str
    apart: str
    begin: str
    commit: str
    contents: str
    delete: str
    head: str
    load: str
    lock: str
    merge: str
    page: str
    place: str
    ripe: str
    version: str


def statements(schema: str) -> Statements:
    """All statements for tables in this schema.

    Raises:
        GraphValidationError: no schema can have this name.
    """
    return Statements(**{name: text.replace(_PLACE, quoted(schema)) for name, text in _TEXTS.items()})


def quoted(schema: str) -> str:
    """A schema's name as an SQL identifier.

    Raises:
        GraphValidationError: no schema can have this name.
    """
    if not schema or "\0" in schema or len(schema.encode(errors="replace")) > _LONGEST:
        raise GraphValidationError(f"schema must be a name of 1 to {_LONGEST} bytes, got {schema!r}.")
    return '"' + schema.replace('"', '""') + '"'
