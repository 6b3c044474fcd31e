"""SQL from this package's files. No text is ever put into it: what varies is bound."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from msgspec import Struct

from checkpointers.texts import migrations_in, texts_in

__all__ = ["LATEST", "MIGRATIONS", "SQL", "Statements", "script"]


_HERE: Final = Path(__file__).parent


class Statements(Struct, frozen=True):
    """One attribute per file in `sql/`, which says what it does."""

    delete: str
    forget_vectors: str
    get: str
    ids: str
    is_there: str
    item: str
    migrated: str
    namespaces: str
    near: str
    over: str
    put: str
    put_vector: str
    refresh: str
    vectors: str
    vectors_of: str
    version: str


SQL: Final = Statements(**texts_in(_HERE / "sql"))

MIGRATIONS: Final = migrations_in(_HERE / "migrations")
"""By number, ascending."""

LATEST: Final = max(MIGRATIONS)


def script() -> str:
    """All migrations as a script for the `sqlite3` command, to be run on a database without the store's tables."""
    texts = [
        f"{text}\nINSERT INTO graphrt_store_migrations VALUES ({number});\n"
        for number, text in MIGRATIONS.items()
    ]
    return "BEGIN IMMEDIATE;\n\n" + "\n".join(texts) + "COMMIT;\n"
