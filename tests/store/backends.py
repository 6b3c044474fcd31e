"""The one place to add a store: open it on an empty directory or database, close it afterwards."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from graphrt.store.memory import InMemoryStore
from tests.conftest import postgres_server

__all__ = ["STORES"]


@asynccontextmanager
async def memory_store(directory: Path, **options: Any) -> AsyncIterator[Any]:
    async with InMemoryStore(**options) as store:
        yield store


@asynccontextmanager
async def sqlite_store(directory: Path, **options: Any) -> AsyncIterator[Any]:
    from graphrt.store.sqlite import SqliteStore

    async with SqliteStore.from_conn_string(str(directory / "memory.db"), **options) as store:
        yield store


@cache
def postgres_url() -> str:
    """A database for all tests that want stores."""
    url: str = postgres_server().create_database()
    return url


@asynccontextmanager
async def postgres_store(directory: Path, **options: Any) -> AsyncIterator[Any]:
    from graphrt.store.postgres import PostgresStore

    url = await asyncio.to_thread(postgres_url)
    async with PostgresStore.from_conn_string(url, **options) as store:
        await store.setup()
        await emptied(url, directory)
        yield store


emptied_for: set[Path] = set()


async def emptied(url: str, directory: Path) -> None:
    """All tests share a database: whoever opens it first for a directory finds it empty."""
    import asyncpg

    if directory not in emptied_for:
        emptied_for.add(directory)
        connection = await asyncpg.connect(url)
        await connection.execute("DELETE FROM graphrt.store")
        await connection.close()


STORES: dict[str, Callable[..., AbstractAsyncContextManager[Any]]] = {
    "memory": memory_store,
    "sqlite": sqlite_store,
    "postgres": postgres_store,
}

for name in ("sqlite", "postgres"):
    try:
        import_module(f"graphrt.store.{name}")
    except ImportError:
        del STORES[name]
