"""A fresh database for every contestant: a folder for SQLite's files, a server of our own for Postgres."""

import shutil
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from bench.drive import tell
from bench.durable.cases import Storage

SETTINGS = ("fsync", "synchronous_commit", "full_page_writes", "server_version", "shared_buffers")


class WrongServerError(Exception):
    """The server that the environment names has other settings than the storage is to have."""


class Databases:
    """Makes databases and removes them; use it with `async with`. Servers start when they are first needed.

    Args:
        folder: where SQLite's files go; the system's temporary folder by default.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.parent = folder
        self.folder: Path | None = None
        self.made = 0
        self.servers: dict[str, Any] = {}
        self.settings: dict[str, dict[str, str]] = {}
        self.stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self.folder = Path(tempfile.mkdtemp(prefix="graphrt-bench-", dir=self.parent))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.stack.aclose()
        assert self.folder is not None
        shutil.rmtree(self.folder, ignore_errors=True)

    async def fresh(self, storage: Storage) -> str:
        """Return the address of an empty database. Raises WrongServerError."""
        if storage.kind == "postgres":
            server = self.servers.get(storage.name) or await self._start(storage)
            url: str = await server.acreate_database()
            return url
        assert self.folder is not None
        self.made += 1
        folder = self.folder / str(self.made)
        folder.mkdir()
        return str(folder / "threads.db")

    async def remove(self, storage: Storage, address: str) -> None:
        if storage.kind == "postgres":
            name = urlsplit(address).path.removeprefix("/")
            await execute(self.servers[storage.name].dsn(), f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        else:
            # A saver may still be closing its files, which removes some of them at the same time.
            shutil.rmtree(Path(address).parent, ignore_errors=True)

    async def _start(self, storage: Storage) -> Any:
        from graphrt.testing.postgres import PostgresServer

        tell(f"starting a server for {storage.name}")
        safe = storage.survives_power_loss
        server = await self.stack.enter_async_context(PostgresServer(fsync=safe))
        found = {name: await ask(server.dsn(), f"SHOW {name}") for name in SETTINGS}
        if found["fsync"] != ("on" if safe else "off"):
            raise WrongServerError(f"the server of GRAPHRT_TEST_DSN has fsync={found['fsync']}")
        self.settings[storage.name] = found
        self.servers[storage.name] = server
        return server


async def ask(url: str, query: str) -> Any:
    """Return the one value that a Postgres database answers with."""
    import asyncpg

    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def execute(url: str, statement: str) -> None:
    import asyncpg

    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
