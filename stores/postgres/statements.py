"""SQL from this package's files, with names put in and nothing else: of schemas, and of what an index is made of."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from msgspec import Struct

from checkpointers.postgres.statements import quoted
from checkpointers.texts import migrations_in, texts_in

__all__ = ["LATEST", "MIGRATIONS", "PGVECTOR", "Statements", "placed", "statements"]


_HERE: Final = Path(__file__).parent


_TEXTS: Final = texts_in(_HERE / "sql")
PGVECTOR: Final = texts_in(_HERE / "sql/pgvector")
MIGRATIONS: Final = migrations_in(_HERE / "migrations")
"""By number, ascending, each to be run in a transaction of its own; they still want a schema."""
LATEST: Final = max(MIGRATIONS)


class Statements(Struct, frozen=True):
    """What the store says to the database, one attribute per file in `sql/`, which says what it does."""

    delete: str
    extension: str
    get: str
    lock: str
    namespaces: str
    over: str
    page: str
    plain: str
    put: str
    put_vector: str
    refresh: str
    rows: str
    vectors: str
    vectors_of: str
    version: str


def placed(text: str, schema: str) -> str:
    """A text for tables in this schema.

    Raises:
        GraphValidationError: no schema can have this name.
    """
    return text.replace("{schema}", quoted(schema))


def statements(schema: str) -> Statements:
    """All statements for tables in this schema.

    Raises:
        GraphValidationError: no schema can have this name.
    """
    return Statements(**{name: placed(text, schema) for name, text in _TEXTS.items()})
