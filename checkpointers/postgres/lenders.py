"""Where connections come from: pools of our own, one for each event loop, or what the user handed over."""

from __future__ import annotations

import asyncio
import concurrent.futures
import socket
import threading
from collections.abc import AsyncGenerator, Callable
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
        self._pools: dict[asyncio.AbstractEventLoop, _Kept] = {}
        self._lock = threading.Lock()

    async def desk(self) -> Pool:
        loop = asyncio.get_running_loop()
        known = self._pools.get(loop)
        if known is not None:
            return known.pool
        options = self._options
        pool = Pool(
            self._connect,
            min_size=options.min_size,
            max_size=options.max_size,
            timeout_s=options.acquire_timeout_s,
        )
        kept = _Kept(pool)
        await anext(kept.keeper)
        with self._lock:
            for other in [loop for loop in self._pools if loop.is_closed()]:
                self._pools.pop(other).pool.abandon()
            self._pools[loop] = kept
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
        for kept in self._taken():
            if kept.loop is here:
                await kept.end()
            elif kept.loop.is_running():
                await asyncio.wait([asyncio.wrap_future(kept.ending())], timeout=_FAREWELL_S)
            else:
                kept.leave()

    def close(self) -> None:
        for kept in self._taken():
            if kept.loop.is_running():
                concurrent.futures.wait([kept.ending()], timeout=_FAREWELL_S)
            elif kept.thread == threading.get_ident() and not kept.loop.is_closed():
                kept.loop.run_until_complete(kept.end())
            else:
                kept.leave()

    def _taken(self) -> list[_Kept]:
        with self._lock:
            pools, self._pools = self._pools, {}
        return list(pools.values())


class _Kept:
    """A pool of the running loop, kept until somebody closes `keeper`: its loop, or its owner."""

    __slots__ = ("_ended", "_task", "keeper", "loop", "pool", "thread")

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.loop = asyncio.get_running_loop()
        self.thread = threading.get_ident()
        self.keeper = self._keep()
        self._ended: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._task: asyncio.Task[None] | None = None

    async def _keep(self) -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            try:
                await self.pool.close()
            finally:
                self._ended.set_result(None)

    async def end(self) -> None:
        """Close the pool, in its own loop."""
        with suppress(RuntimeError):  # the loop is shutting down, and just doing it
            await self.keeper.aclose()

    def ending(self) -> concurrent.futures.Future[None]:
        """Close the pool from another thread than the one that runs its loop; done when it is closed by anybody."""
        if not self._call(self._begin_to_end):
            self.pool.abandon()
            if not self._ended.done():
                self._ended.set_result(None)
        return self._ended

    def _begin_to_end(self) -> None:
        self._task = self.loop.create_task(self.end())

    def leave(self) -> None:
        """Nobody runs the loop at the moment: end the pool when somebody does, or at once if nobody ever will."""
        if not self._call(self.pool.abandon):
            self.pool.abandon()

    def _call(self, callback: Callable[[], object]) -> bool:
        """In the loop, from any thread; False if it is closed."""
        try:
            self.loop.call_soon_threadsafe(callback)
        except RuntimeError:
            return False
        return True


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
