"""SQL from this package's files, with the name of the schema put in: the only thing that is ever put into it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from msgspec import Struct

from checkpointers.texts import migrations_in, texts_in
from graphrt.errors import GraphValidationError

__all__ = ["MIGRATIONS", "Statements", "quoted", "statements"]

_PLACE: Final = "{schema}"
_LONGEST: Final = 63  # bytes; Postgres cuts longer names off without a word


_HERE: Final = Path(__file__).parent


_TEXTS: Final = texts_in(_HERE / "sql")
MIGRATIONS: Final = migrations_in(_HERE / "migrations")
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
