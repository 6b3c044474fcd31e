"""Where connections come from: pools of our own, one for each event loop, or what the user handed over."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any, Final, Protocol

from checkpointers.postgres.driver import asyncpg
from checkpointers.postgres.options import Options
from checkpointers.postgres.pool import Connection, Pool
from graphrt.errors import StorageError

__all__ = ["Desk", "GivenConnection", "GivenPool", "Lender", "OwnPools"]

_FAREWELL_S: Final = 5.0
_GOODBYE_S: Final = 1.0
_KEEPALIVE: Final = {"TCP_KEEPIDLE": 30, "TCP_KEEPALIVE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}
"""Seconds and counts after which the system itself finds out that the other end of a quiet connection is gone."""


class Desk(Protocol):
    """Lends connections to pieces of work."""

    async def take(self) -> Connection:
        """A connection that is nobody else's until it comes back."""
        ...

    async def give_back(self, connection: Connection) -> None:
        """The work is done."""
        ...

    async def throw_away(self, connection: Connection) -> None:
        """The work broke off somewhere in the middle."""
        ...


class Lender(Protocol):
    """Has a desk for each event loop. `replaces`: work whose connection broke can get another one."""

    replaces: bool

    async def desk(self) -> Desk:
        """The running loop's."""
        ...

    async def aclose(self) -> None:
        """Let go of what is ours."""
        ...

    def close(self) -> None:
        """The same for a caller without a loop."""
        ...


class OwnPools:
    """A pool for each event loop that asks: connections belong to the loop that they were opened in.

    A pool ends with its loop. When a loop shuts its asynchronous generators down, as `asyncio.run` does at its end, the
    one that keeps the pool closes it.
    """

    replaces = True

    def __init__(self, url: str, options: Options) -> None:
        self._url = url
        self._options = options
        self._pools: dict[asyncio.AbstractEventLoop, tuple[Pool, AsyncGenerator[None, None], int]] = {}
        self._lock = threading.Lock()

    async def desk(self) -> Pool:
        loop = asyncio.get_running_loop()
        known = self._pools.get(loop)
        if known is not None:
            return known[0]
        options = self._options
        pool = Pool(
            self._connect,
            min_size=options.min_size,
            max_size=options.max_size,
            timeout_s=options.acquire_timeout_s,
        )
        keeper = _kept(pool)
        await anext(keeper)
        with self._lock:
            for other in [loop for loop in self._pools if loop.is_closed()]:
                self._pools.pop(other)[0].abandon()
            self._pools[loop] = (pool, keeper, threading.get_ident())
        return pool

    async def _connect(self) -> Connection:
        connection = await asyncpg.connect(
            self._url,
            timeout=self._options.acquire_timeout_s,
            statement_cache_size=self._options.statement_cache_size,
            max_cached_statement_lifetime=0,
        )
        _keep_alive(connection)
        return connection

    async def aclose(self) -> None:
        here = asyncio.get_running_loop()
        for loop, (pool, keeper, _) in self._taken():
            if loop is here:
                await keeper.aclose()
            elif loop.is_running():
                with suppress(TimeoutError):
                    ended = asyncio.run_coroutine_threadsafe(keeper.aclose(), loop)
                    await asyncio.wait_for(asyncio.wrap_future(ended), _FAREWELL_S)
            else:
                _resting(loop, pool)

    def close(self) -> None:
        for loop, (pool, keeper, thread) in self._taken():
            if loop.is_running():
                with suppress(TimeoutError):
                    asyncio.run_coroutine_threadsafe(keeper.aclose(), loop).result(_FAREWELL_S)
            elif thread == threading.get_ident() and not loop.is_closed():
                loop.run_until_complete(keeper.aclose())
            else:
                _resting(loop, pool)

    def _taken(self) -> list[tuple[asyncio.AbstractEventLoop, tuple[Pool, AsyncGenerator[None, None], int]]]:
        with self._lock:
            pools, self._pools = self._pools, {}
        return list(pools.items())


async def _kept(pool: Pool) -> AsyncGenerator[None, None]:
    """Keeps a pool until this generator is closed, by whoever that is."""
    try:
        yield
    finally:
        await pool.close()


def _resting(loop: asyncio.AbstractEventLoop, pool: Pool) -> None:
    """Nobody runs the loop at the moment: end its pool when somebody does, or at once if nobody ever will."""
    if loop.is_closed():
        pool.abandon()
    else:
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(pool.abandon)


def _keep_alive(connection: Connection) -> None:
    transport = getattr(connection, "_transport", None)
    wire: socket.socket | None = transport.get_extra_info("socket") if transport is not None else None
    if wire is None or wire.family not in (socket.AF_INET, socket.AF_INET6):
        return
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE.items():
        if hasattr(socket, name):
            wire.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


class GivenPool:
    """An `asyncpg.Pool` of the user's, who opens and closes it."""

    replaces = True

    def __init__(self, pool: Any, timeout_s: float) -> None:
        self._pool = pool
        self._timeout_s = timeout_s

    async def desk(self) -> GivenPool:
        _same_loop(self._pool)
        return self

    async def take(self) -> Connection:
        return await self._pool.acquire(timeout=self._timeout_s)

    async def give_back(self, connection: Connection) -> None:
        # The work is done, whatever becomes of the connection: asyncpg ends one that it cannot take back.
        with suppress(Exception):
            await self._pool.release(connection)

    async def throw_away(self, connection: Connection) -> None:
        with suppress(Exception):
            await self._pool.release(connection, timeout=_GOODBYE_S)

    async def aclose(self) -> None:
        return

    def close(self) -> None:
        return


class GivenConnection:
    """One connection of the user's, in whatever transaction they have begun; work takes turns."""

    replaces = False

    def __init__(self, connection: Connection, timeout_s: float) -> None:
        self._connection = connection
        self._timeout_s = timeout_s
        self._turn = asyncio.Lock()

    async def desk(self) -> GivenConnection:
        _same_loop(self._connection)
        return self

    async def take(self) -> Connection:
        async with asyncio.timeout(self._timeout_s):
            await self._turn.acquire()
        return self._connection

    async def give_back(self, connection: Connection) -> None:
        self._turn.release()

    async def throw_away(self, connection: Connection) -> None:
        self._turn.release()

    async def aclose(self) -> None:
        return

    def close(self) -> None:
        return


def _same_loop(given: Any) -> None:
    loop = getattr(given, "_loop", None)
    if loop is not None and loop is not asyncio.get_running_loop():
        raise StorageError(
            "The pool or connection that PostgresSaver was given belongs to another event loop. "
            "PostgresSaver.from_conn_string(url) opens one for every loop it is used in."
        )
