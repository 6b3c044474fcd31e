"""One piece of work on one connection: bounded in time, tried again when the connection breaks, errors in our words."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Final, TypeAlias, TypeVar

from checkpointers.postgres.driver import asyncpg
from checkpointers.postgres.failures import connection_lost, rolled_back, server_busy, server_starting, told
from checkpointers.postgres.lenders import Desk, Lender, OwnPools
from checkpointers.postgres.options import Options
from checkpointers.postgres.pool import Connection
from graphrt.errors import GraphError, StorageBusyError, StorageError

__all__ = ["Access", "Work"]

T = TypeVar("T")
Work: TypeAlias = Callable[[Connection, bool], Awaitable[T]]
"""What to do with a connection; the second argument says whether it may have happened before, unseen.

All work here is safe to repeat: it reads, or appends results, of which a repeated one changes nothing, or commits,
which the compare-and-set of the head lets happen once.
"""
_FIRST_PAUSE_S: Final = 0.02
_LONGEST_PAUSE_S: Final = 1.0


class _Unavailable(Exception):
    """No connection could be opened; the cause says why."""


class Access:
    """Runs work on connections of a lender."""

    def __init__(self, lender: Lender, options: Options) -> None:
        self._lender = lender
        self._options = options

    async def open(self) -> None:
        """Open the connections that are to be there from the beginning.

        Raises:
            StorageError: they cannot be opened.
        """
        if self._options.min_size and isinstance(self._lender, OwnPools):
            pool = await self._lender.desk()
            # As work, so that a server that is just starting is waited for.
            await self.run(_nothing)
            try:
                await pool.fill()
            except Exception as error:
                raise told(
                    error, schema=self._options.schema, waited_s=self._options.acquire_timeout_s
                ) from error

    async def run(self, work: Work[T], *, timeout_s: float | None = None) -> T:
        """Do the work, and again on another connection for `retry_s` if connections break.

        Raises:
            StorageBusyError: no connection, or no answer, in time.
            StorageError: the database cannot do it.
        """
        options = self._options
        limit_s = timeout_s or options.command_timeout_s
        try:
            return await self._once(work, False, limit_s)
        except (GraphError, asyncio.CancelledError):
            raise
        except Exception as error:
            if not (self._lender.replaces and _again(error)):
                raise told(_cause(error), schema=options.schema, waited_s=limit_s) from _cause(error)
            failed = error
        return await self._insist(work, failed, limit_s)

    async def _insist(self, work: Work[T], failed: Exception, limit_s: float) -> T:
        """Once more at once, then with growing pauses."""
        options = self._options
        begun = monotonic()
        pause_s = 0.0
        repeated = False
        while True:
            busy = server_busy(_cause(failed))
            patience_s = options.acquire_timeout_s if busy else options.retry_s
            waited_s = monotonic() - begun
            if waited_s + pause_s > patience_s:
                raise _given_up(_cause(failed), busy=busy, waited_s=waited_s) from _cause(failed)
            await asyncio.sleep(pause_s)
            pause_s = min(max(2 * pause_s, _FIRST_PAUSE_S), _LONGEST_PAUSE_S)
            repeated = repeated or not isinstance(failed, _Unavailable)
            try:
                return await self._once(work, repeated, limit_s)
            except (GraphError, asyncio.CancelledError):
                raise
            except Exception as error:
                if not _again(error):
                    raise told(_cause(error), schema=options.schema, waited_s=limit_s) from _cause(error)
                failed = error

    async def _once(self, work: Work[T], repeated: bool, limit_s: float) -> T:
        desk = await self._lender.desk()
        connection = await _taken(desk, self._options.acquire_timeout_s)
        try:
            async with asyncio.timeout(limit_s):
                result = await work(connection, repeated)
        except BaseException as error:
            if _intact(connection, error):
                await desk.give_back(connection)
            else:
                await desk.throw_away(connection)
            raise
        await desk.give_back(connection)
        return result


async def _nothing(connection: Connection, repeated: bool) -> None:
    return


async def _taken(desk: Desk, timeout_s: float) -> Connection:
    try:
        return await desk.take()
    except TimeoutError as error:
        if isinstance(error, StorageBusyError):
            raise
        raise StorageBusyError(
            f"No connection to Postgres within {timeout_s} s. Is the server reachable, and is the pool large enough? "
            "acquire_timeout_s says how long to wait.",
            waited_s=timeout_s,
        ) from error
    except Exception as error:
        if server_starting(error) or server_busy(error):
            raise _Unavailable from error
        raise


def _again(error: Exception) -> bool:
    return isinstance(error, _Unavailable) or connection_lost(error)


def _cause(error: Exception) -> Exception:
    cause = error.__cause__ if isinstance(error, _Unavailable) else error
    assert isinstance(cause, Exception)
    return cause


def _intact(connection: Connection, error: BaseException) -> bool:
    """Has the server answered, so that the connection can do other work?"""
    return (
        isinstance(error, (GraphError, asyncpg.PostgresError))
        and not connection.is_closed()
        and not connection.is_in_transaction()
    )


def _given_up(error: Exception, *, busy: bool, waited_s: float) -> StorageError:
    said = f"{type(error).__name__}: {error}"
    if busy:
        return StorageBusyError(
            f"Postgres has had no free connection for {waited_s:.1f} s ({said}).", waited_s=waited_s
        )
    if rolled_back(error):
        return StorageBusyError(
            f"Postgres has undone this work for {waited_s:.1f} s, as it met that of others ({said}). retry_s says how "
            "long to go on trying.",
            waited_s=waited_s,
        )
    return StorageError(
        f"Postgres has been unreachable for {waited_s:.1f} s ({said}). Is the server running? retry_s says how long "
        "to go on trying."
    )
