"""SQL from this package's files. No text is ever put into it: what varies is bound."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from msgspec import Struct

__all__ = ["LATEST", "MIGRATIONS", "SQL", "Statements", "script"]


def _read(folder: str) -> dict[str, str]:
    """Files by name. They are read on import: later there may be an event loop, which must not wait for a disk."""
    return {
        path.stem: path.read_text("utf-8") for path in sorted((Path(__file__).parent / folder).glob("*.sql"))
    }


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


SQL: Final = Statements(**_read("sql"))

MIGRATIONS: Final = {int(name[:4]): text for name, text in _read("migrations").items()}
"""By number, ascending."""

LATEST: Final = max(MIGRATIONS)


def script() -> str:
    """All migrations as a script for the `sqlite3` command, to be run on a database without the store's tables."""
    texts = [
        f"{text}\nINSERT INTO graphrt_store_migrations VALUES ({number});\n"
        for number, text in MIGRATIONS.items()
    ]
    return "BEGIN IMMEDIATE;\n\n" + "\n".join(texts) + "COMMIT;\n"
