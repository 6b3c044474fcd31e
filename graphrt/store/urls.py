"""Which of graphrt's stores keeps items in the database that a URL names."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from graphrt.store.postgres import PostgresStore
    from graphrt.store.sqlite import SqliteStore

__all__ = ["store_from_url"]


def store_from_url(url: str) -> SqliteStore | PostgresStore | None:
    """A store in the database of a checkpointer's URL, None if no store of ours goes with it.

    Raises:
        GraphValidationError: the URL has an option that there is not.
    """
    match url.partition("://")[0].lower():
        case "sqlite":
            from graphrt.store.sqlite import SqliteStore

            return SqliteStore.from_conn_string(url)
        case "postgres" | "postgresql":
            from graphrt.store.postgres import PostgresStore

            return PostgresStore.from_conn_string(url)
        case _:
            return None
