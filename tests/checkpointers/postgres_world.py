"""A wire to Postgres that tests can cut, and other ways to disturb it at a known moment."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import asyncpg

from tests.checkpointers.records import Writer

__all__ = ["Wire", "locked", "until_waiting", "wire_to"]


@dataclass
class Wire:
    """What stands between a client and the server: it passes on what both say, as long as it is told to.

    Attributes:
        url: where clients connect to.
        deaf: what clients say is dropped. Nobody is told.
        mute: what the server says is dropped.
    """

    url: str
    server: str
    deaf: bool = False
    mute: bool = False
    links: int = 0
    swallowed: asyncio.Event = field(default_factory=asyncio.Event)
    open: set[asyncio.StreamWriter] = field(default_factory=set)
    relays: set[asyncio.Task[Any]] = field(default_factory=set)

    def cut(self) -> None:
        """Break all connections."""
        for end in self.open:
            end.transport.abort()

    async def link(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.links += 1
        there, back = await asyncio.open_unix_connection(self.server)
        self.open |= {writer, back}
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self.relay(reader, back, "deaf"))
                both.create_task(self.relay(there, writer, "mute"))
        finally:
            for end in (writer, back):
                self.open.discard(end)
                end.transport.abort()

    async def relay(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, fault: str) -> None:
        with suppress(ConnectionError):
            while said := await source.read(65536):
                if getattr(self, fault):
                    self.swallowed.set()
                else:
                    sink.write(said)
        sink.transport.abort()


@asynccontextmanager
async def wire_to(url: str, directory: Path) -> AsyncIterator[Wire]:
    """A wire to the server that `url` names by a Unix socket. `directory` must have a short name."""
    parts = urlsplit(url)
    (folder,) = parse_qs(parts.query)["host"]
    own = parts._replace(query=f"host={quote(str(directory), safe='')}").geturl()
    wire = Wire(own, f"{folder}/.s.PGSQL.5432")

    async def link(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        wire.relays.add(task)
        await wire.link(reader, writer)

    server = await asyncio.start_unix_server(link, directory / ".s.PGSQL.5432")
    try:
        yield wire
    finally:
        server.close()
        wire.cut()
        await asyncio.gather(*wire.relays, return_exceptions=True)


@asynccontextmanager
async def locked(url: str, writer: Writer) -> AsyncIterator[Any]:
    """Holds a thread's row, so that commits to it stop in the middle; gives the connection that holds it."""
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await connection.execute(
                "SELECT FROM graphrt.threads WHERE thread_id = $1 FOR UPDATE", writer.thread
            )
            yield connection
    finally:
        await connection.close()


async def until_waiting(url: str, count: int = 1) -> list[int]:
    """Wait until so many backends wait for a lock; their process ids."""
    connection = await asyncpg.connect(url)
    try:
        for _ in range(10_000):
            rows = await connection.fetch(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if len(rows) >= count:
                return [row["pid"] for row in rows]
        raise AssertionError(f"there are no {count} that wait for a lock")
    finally:
        await connection.close()
