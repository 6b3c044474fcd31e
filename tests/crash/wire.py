"""A wire to Postgres that breaks: what was sent did not arrive, or it did and the answer got lost."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import parse_qs, quote, urlsplit

SOCKET = ".s.PGSQL.5432"


class Wire:
    """Connections through here break at one message in so many.

    Attributes:
        unsent, unheard: how many broke on the way there, and on the way back.
    """

    def __init__(self, server: str, *, one_in: int, roll: random.Random) -> None:
        self._server = server
        self._one_in = one_in
        self._roll = roll
        self.unsent = 0
        self.unheard = 0

    async def serve(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        """Carry one connection until it breaks or one side ends it."""
        server, to_server = await asyncio.open_unix_connection(self._server)
        ways = [
            asyncio.ensure_future(self._carry(client, to_server, "unsent")),
            asyncio.ensure_future(self._carry(server, to_client, "unheard")),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            to_server.transport.abort()
            to_client.transport.abort()

    async def _carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, loss: str) -> None:
        while message := await source.read(1 << 20):
            if self._roll.randrange(self._one_in) == 0:
                setattr(self, loss, getattr(self, loss) + 1)
                return
            target.write(message)


@asynccontextmanager
async def fragile(url: str, *, one_in: int, roll: random.Random) -> AsyncIterator[tuple[str, Wire]]:
    """The URL of the same database behind a wire that breaks; the server must listen on a Unix socket."""
    parts = urlsplit(url)
    folder = parse_qs(parts.query)["host"][0]
    wire = Wire(str(Path(folder, SOCKET)), one_in=one_in, roll=roll)
    with TemporaryDirectory(prefix="graphrt-wire-") as ours:
        listening = await asyncio.start_unix_server(wire.serve, Path(ours, SOCKET))
        try:
            yield f"{parts.scheme}://{parts.netloc}{parts.path}?host={quote(ours, safe='')}", wire
        finally:
            listening.close()
