"""Connections of one event loop: lent to one piece of work at a time, and never while other code runs.

asyncpg's own pool is not used here: it says goodbye to every piece of work with a round trip or a task, and what it
keeps in the background differs between its versions. A user's pool of that kind is welcome all the same.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final, TypeAlias

from graphrt.errors import StorageBusyError

__all__ = ["Connection", "Pool", "transaction"]

Connection: TypeAlias = Any  # asyncpg has no types
_GOODBYE_S: Final = 1.0
_IDLE_S: Final = 300.0


def transaction(connection: Connection) -> Any:
    """One in which each statement sees what was there when it began, whatever the database's default is.

    Where the user has begun one it is a savepoint in that.
    """
    if connection.is_in_transaction():
        return connection.transaction()
    return connection.transaction(isolation="read_committed")


class Pool:
    """Lends connections, the most recently used first; opens them when they are needed.

    Attributes:
        lent: connections that somebody has at this moment; `most_lent` is the highest that ever was.
    """

    def __init__(
        self, connect: Callable[[], Awaitable[Connection]], *, min_size: int, max_size: int, timeout_s: float
    ) -> None:
        self._connect = connect
        self._min_size = min_size
        self._max_size = max_size
        self._timeout_s = timeout_s
        self._loop = asyncio.get_running_loop()
        self._idle: deque[tuple[Connection, float]] = deque()
        self._waiting: deque[asyncio.Future[Connection | None]] = deque()
        self._open: set[Connection] = set()
        self._size = 0  # connections, those that are just being opened included
        self._closed = False
        self.lent = 0
        self.most_lent = 0

    async def take(self) -> Connection:
        """A connection for one piece of work.

        Raises:
            StorageBusyError: none became free in time.
        """
        connection = self._ready()
        if connection is None:
            connection = await self._opened() if self._size < self._max_size else await self._queued()
        self.lent += 1
        self.most_lent = max(self.most_lent, self.lent)
        return connection

    async def give_back(self, connection: Connection) -> None:
        """The work is done, and left nothing half done on the connection."""
        self.lent -= 1
        if self._closed:
            connection.terminate()
        if connection.is_closed():
            self._forget(connection)
            return
        if not self._hand_over(connection):
            now = self._loop.time()
            self._idle.append((connection, now))
            if self._idle[0][1] < now - _IDLE_S and self._size > self._min_size:
                spare, _ = self._idle.popleft()
                spare.terminate()
                self._forget(spare)

    async def throw_away(self, connection: Connection) -> None:
        """The work broke off: end the connection, telling the server to stop what it may still be doing."""
        self.lent -= 1
        try:
            await connection.close(timeout=_GOODBYE_S)
        except Exception:
            connection.terminate()  # it is dead, and that is why it goes
        finally:
            self._forget(connection)

    async def fill(self) -> None:
        """Open connections up to the least number."""
        while self._size < self._min_size:
            connection = await self._opened()
            self.lent += 1
            await self.give_back(connection)

    async def close(self) -> None:
        """End all connections that nobody has; those that are lent end when they come back."""
        self._closed = True
        while self._idle:
            connection, _ = self._idle.pop()
            try:
                await connection.close(timeout=_GOODBYE_S)
            except Exception:
                connection.terminate()
            finally:
                self._forget(connection)

    def abandon(self) -> None:
        """End all connections without waiting for anything, for the loop may have been closed."""
        self._closed = True
        while self._open:
            _hang_up(self._open.pop(), self._loop)
        self._idle.clear()

    def _ready(self) -> Connection | None:
        while self._idle:
            connection, _ = self._idle.pop()
            if not connection.is_closed():
                return connection
            self._forget(connection)
        return None

    async def _opened(self) -> Connection:
        self._size += 1
        try:
            connection = await self._connect()
        except BaseException:
            self._size -= 1
            self._hand_over(None)
            raise
        self._open.add(connection)
        return connection

    async def _queued(self) -> Connection:
        turn: asyncio.Future[Connection | None] = self._loop.create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout(self._timeout_s):
                connection = await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():
                self._pass_on(turn.result())
            if isinstance(error, TimeoutError):
                raise StorageBusyError(
                    f"None of the {self._max_size} connections of PostgresSaver became free within "
                    f"{self._timeout_s} s. Raise max_size, or acquire_timeout_s to wait longer.",
                    waited_s=self._timeout_s,
                ) from None
            raise
        if connection is None:  # one was closed: there is room for another
            return await self._opened()
        return connection

    def _hand_over(self, connection: Connection | None) -> bool:
        """Give the longest waiting a connection, or word that they may open one."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(connection)
                return True
        return False

    def _pass_on(self, connection: Connection | None) -> None:
        if not self._hand_over(connection) and connection is not None:
            self._idle.append((connection, self._loop.time()))

    def _forget(self, connection: Connection) -> None:
        self._open.discard(connection)
        self._size -= 1
        self._hand_over(None)


def _hang_up(connection: Connection, loop: asyncio.AbstractEventLoop) -> None:
    transport: Any = getattr(connection, "_transport", None)
    with suppress(RuntimeError):  # "Event loop is closed"
        connection.terminate()
    if loop.is_closed():
        # asyncio closes the socket in a later turn of the loop, and warns of one that is still open; there is no other
        # way to tell it than its own.
        with suppress(Exception):
            transport._call_connection_lost(None)
