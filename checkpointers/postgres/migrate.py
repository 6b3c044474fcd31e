"""Brings the tables to the version that this program works with, however many processes want that at once."""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

from checkpointers.postgres.driver import asyncpg
from checkpointers.postgres.failures import missing
from checkpointers.postgres.pool import Connection, transaction
from checkpointers.postgres.statements import MIGRATIONS, quoted, statements
from graphrt.errors import StorageSchemaError

__all__ = ["LATEST", "check", "migrate", "script"]

LATEST: Final = max(MIGRATIONS)

_HAS_SCHEMA: Final = "SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1)"
_LOCK: Final = "SELECT pg_catalog.pg_advisory_xact_lock($1)"
_ABSENT: Final = (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError)


def script(schema: str = "graphrt") -> str:
    """All migrations as a script for `psql`, to be run on an empty database by somebody who may create tables.

    Raises:
        GraphValidationError: no schema can have this name.
    """
    name = quoted(schema)
    lock = f"SELECT pg_catalog.pg_advisory_xact_lock({_lock_key(schema)});"
    steps = [f"BEGIN;\n{lock}\n\n{text.replace('{schema}', name)}\nCOMMIT;\n" for text in MIGRATIONS.values()]
    return "\n".join([f"CREATE SCHEMA IF NOT EXISTS {name};\n", *steps])


async def check(connection: Connection, schema: str) -> None:
    """Are the tables there, in the version that this program knows? Needs no more rights than reading them.

    Raises:
        StorageSchemaError: no; it says what to run.
    """
    version = await _version(connection, schema)
    if version is None:
        raise missing(schema, "no table migrations")
    if version < LATEST:
        raise missing(schema, f"they are of version {version}, and this program needs {LATEST}")
    _not_newer(version, schema)


async def migrate(connection: Connection, schema: str) -> None:
    """Run the migrations that the database does not have yet, each in a transaction of its own.

    Whoever comes while another process migrates waits for it. If nothing is to be done, no right to create is needed.

    Raises:
        StorageSchemaError: the tables were made by a newer program.
    """
    if await _version(connection, schema) is None:
        await _create_schema(connection, schema)
    name = quoted(schema)
    for number, text in MIGRATIONS.items():
        version = await _version(connection, schema) or 0
        _not_newer(version, schema)
        if version >= number:
            continue
        async with transaction(connection):
            # The lock is the transaction's, not the connection's: behind a pooler the next statement may be in another.
            await connection.execute(_LOCK, _lock_key(schema))
            if (await _version(connection, schema) or 0) < number:
                await connection.execute(text.replace("{schema}", name))


async def _create_schema(connection: Connection, schema: str) -> None:
    async with transaction(connection):
        await connection.execute(_LOCK, _lock_key(schema))
        # IF NOT EXISTS would ask for the right to create schemas where there is nothing to create.
        if not await connection.fetchval(_HAS_SCHEMA, schema):
            await connection.execute(f"CREATE SCHEMA {quoted(schema)}")


async def _version(connection: Connection, schema: str) -> int | None:
    """The number of the last migration; None if there are no tables."""
    question = statements(schema).version
    try:
        if not connection.is_in_transaction():
            version: int = await connection.fetchval(question)
        else:
            async with (
                connection.transaction()
            ):  # a savepoint: an error would break the transaction that is under way
                version = await connection.fetchval(question)
    except _ABSENT:
        return None
    return version


def _not_newer(version: int, schema: str) -> None:
    if version > LATEST:
        raise StorageSchemaError(
            f"The tables in schema {schema!r} are of version {version}; this program knows versions up to {LATEST}. "
            "Upgrade graphrt here: a newer one has migrated this database."
        )


def _lock_key(schema: str) -> int:
    return int.from_bytes(blake2b(f"graphrt {schema}".encode(), digest_size=8).digest(), signed=True)
