"""Brings the store's tables to the version that this program works with, however many processes want that at once."""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

from checkpointers.postgres.driver import asyncpg
from checkpointers.postgres.pool import Connection, transaction
from checkpointers.postgres.statements import quoted
from graphrt.errors import StorageSchemaError
from stores.postgres.statements import LATEST, MIGRATIONS, placed, statements

__all__ = ["check", "migrate", "script"]

_HAS_SCHEMA: Final = "SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1)"
_LOCK: Final = "SELECT pg_catalog.pg_advisory_xact_lock($1)"
_ABSENT: Final = (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError)


def script(schema: str) -> str:
    """All migrations as a script for `psql`, to be run on an empty database by somebody who may create tables.

    Raises:
        GraphValidationError: no schema can have this name.
    """
    steps = [f"BEGIN;\n{placed(text, schema)}\nCOMMIT;\n" for text in MIGRATIONS.values()]
    return "\n".join([f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)};\n", *steps])


async def check(connection: Connection, schema: str) -> None:
    """Are the tables there, in the version that this program knows?

    Raises:
        StorageSchemaError: no; it says what to run.
    """
    version = await _version(connection, schema)
    _not_newer(version, schema)
    if version < LATEST:
        why = f"are of version {version}, and this program needs {LATEST}" if version else "are not there"
        raise StorageSchemaError(
            f"The store's tables in the schema {schema!r} of this database {why}. "
            "Create them: graphrt migrate URL, or `await store.setup()`."
        )


async def migrate(connection: Connection, schema: str) -> None:
    """Run the migrations that the database does not have yet, each in a transaction of its own.

    Raises:
        StorageSchemaError: the tables were made by a newer program.
    """
    for number, text in MIGRATIONS.items():
        version = await _version(connection, schema)
        _not_newer(version, schema)
        if version >= number:
            continue
        async with transaction(connection):
            # The lock is the transaction's, not the connection's: behind a pooler the next statement may be in another.
            await connection.execute(_LOCK, _lock_key(schema))
            # IF NOT EXISTS would ask for the right to create schemas where there is nothing to create.
            if not await connection.fetchval(_HAS_SCHEMA, schema):
                await connection.execute(f"CREATE SCHEMA {quoted(schema)}")
            if await _version(connection, schema) < number:
                await connection.execute(placed(text, schema))


async def _version(connection: Connection, schema: str) -> int:
    """The number of the last migration; 0 if there are no tables."""
    question = statements(schema).version
    try:
        if not connection.is_in_transaction():
            version: int = await connection.fetchval(question)
        else:  # a savepoint: an error would break the transaction that is under way
            async with connection.transaction():
                version = await connection.fetchval(question)
    except _ABSENT:
        return 0
    return version


def _not_newer(version: int, schema: str) -> None:
    if version > LATEST:
        raise StorageSchemaError(
            f"The store's tables in schema {schema!r} are of version {version}; this program knows versions up to "
            f"{LATEST}. Upgrade graphrt here: a newer one has migrated this database."
        )


def _lock_key(schema: str) -> int:
    # The checkpointer's: two programs that make the same schema must not do it at once.
    return int.from_bytes(blake2b(f"graphrt {schema}".encode(), digest_size=8).digest(), signed=True)
