"""The driver's errors: which of them mean that the connection is gone, and what each becomes."""

from __future__ import annotations

import asyncio
import struct
from typing import Final

from msgspec import MsgspecError

from checkpointers.postgres.driver import asyncpg
from graphrt.errors import (
    DeserializationError,
    GraphError,
    StorageBusyError,
    StorageError,
    StorageSchemaError,
)

__all__ = ["connection_lost", "rolled_back", "server_busy", "server_starting", "told"]

_LOST: Final = (
    asyncpg.PostgresConnectionError,  # class 08
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.IdleSessionTimeoutError,
    asyncpg.InternalClientError,
    ConnectionError,
)
_AGAIN: Final = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
_ABSENT: Final = (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError, asyncpg.InvalidSchemaNameError)

_UNPREPARED: Final = (asyncpg.InvalidSQLStatementNameError, asyncpg.DuplicatePreparedStatementError)


_DAMAGED: Final = (
    ArithmeticError,
    AttributeError,
    LookupError,
    MsgspecError,
    TypeError,
    ValueError,
    struct.error,
)
"""What reading raises when a column does not hold what a checkpointer wrote."""


def connection_lost(error: BaseException) -> bool:
    """Did the work fail because its connection broke, or was it rolled back to be tried again?"""
    if isinstance(error, (*_LOST, *_AGAIN)):
        return True
    # "connection is closed", "connection was closed in the middle of operation"
    return isinstance(error, asyncpg.InterfaceError) and "closed" in str(error)


def rolled_back(error: BaseException) -> bool:
    """Did the server undo the work because it met that of others?"""
    return isinstance(error, _AGAIN)


def server_starting(error: BaseException) -> bool:
    """Is there no server just now, as when it is being restarted?"""
    return isinstance(error, (asyncpg.CannotConnectNowError, OSError, *_LOST)) and not isinstance(
        error, TimeoutError
    )


def server_busy(error: BaseException) -> bool:
    """Does the server refuse because it has no connection left to give?"""
    return isinstance(error, (asyncpg.TooManyConnectionsError, asyncpg.ConfigurationLimitExceededError))


def told(error: Exception, *, schema: str, waited_s: float) -> Exception:
    """What to raise in its place; the error itself if it is not about storage."""
    match error:
        case GraphError():
            return error
        case (
            TimeoutError()
            | asyncio.TimeoutError()
            | asyncpg.QueryCanceledError()
            | asyncpg.LockNotAvailableError()
        ):
            return StorageBusyError(
                f"Postgres did not answer within {waited_s:.1f} s. Whether what was sent has happened is not known: "
                "load the thread to see. A dead network connection, a lock or an overloaded server may be the "
                "cause; command_timeout_s says how long to wait.",
                waited_s=waited_s,
            )
        case _ if isinstance(error, _UNPREPARED):
            return StorageError(
                "A pooler between this program and Postgres loses prepared statements. Set statement_cache_size to 0, "
                f"by keyword or in the URL ({type(error).__name__})."
            )
        case _ if isinstance(error, _ABSENT):
            return missing(schema, str(error))
        case asyncpg.PostgresError() | asyncpg.InterfaceError() | OSError():
            return StorageError(f"Postgres could not do what was asked: {type(error).__name__}: {error}")
        case _ if isinstance(error, _DAMAGED):
            return DeserializationError(
                f"The tables in the schema {schema!r} of this database hold what graphrt did not write there: "
                f"{type(error).__name__}: {error}."
            )
        case _:
            return error


def missing(schema: str, why: str) -> StorageSchemaError:
    """The tables are not there."""
    return StorageSchemaError(
        f"The tables of graphrt are not in the schema {schema!r} of this database ({why}). "
        "Create them: graphrt migrate URL, or `await saver.setup()`."
    )
