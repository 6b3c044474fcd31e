"""Tables of PostgresSaver: made by migrations that any number of processes may run, used by roles that may not."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from checkpointers.postgres import migrate
from checkpointers.postgres.statements import MIGRATIONS, quoted
from graphrt.checkpoint.postgres import PostgresSaver
from graphrt.errors import GraphValidationError, StorageError, StorageSchemaError
from tests.checkpointers.records import Writer
from tests.conftest import postgres_server

FILES = Path(migrate.__file__).parent


@pytest.fixture
async def empty() -> str:
    """A database without tables."""
    server = await asyncio.to_thread(postgres_server)
    url: str = await server.acreate_database()
    return url


@pytest.fixture
async def connection(empty: str) -> AsyncIterator[Any]:
    """A connection to it."""
    connection = await asyncpg.connect(empty)
    yield connection
    await connection.close()


async def catalog(connection: Any, schema: str = "graphrt") -> list[tuple[Any, ...]]:
    """All that the system's tables say of a schema's tables."""
    rows = await connection.fetch(
        """
        SELECT c.relname::text, 'column' AS kind, a.attnum::text AS name,
            concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity::text,
                pg_get_expr(d.adbin, d.adrelid), o.collname) AS text
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        LEFT JOIN pg_collation o ON o.oid = a.attcollation
        WHERE c.relnamespace = $1::text::regnamespace
        UNION ALL
        SELECT c.relname, 'constraint', k.conname, pg_get_constraintdef(k.oid)
        FROM pg_class c JOIN pg_constraint k ON k.conrelid = c.oid WHERE c.relnamespace = $1::text::regnamespace
        UNION ALL
        SELECT c.relname, 'relation', c.relkind::text, concat_ws(' ', array_to_string(c.reloptions, ','),
            CASE WHEN c.relkind = 'i' THEN pg_get_indexdef(c.oid) END)
        FROM pg_class c WHERE c.relnamespace = $1::text::regnamespace
        ORDER BY 1, 2, 3
        """,
        quoted(schema),
    )
    return [tuple(row) for row in rows]


async def works(url: str, **options: Any) -> None:
    async with PostgresSaver.from_conn_string(url, **options) as saver:
        writer = Writer(saver)
        await writer.commit({"a": b"1"})
        assert await writer.held() == {"a": (b"1",)}


# ---- making them


async def test_setup_makes_what_schema_sql_says(empty: str, connection: Any) -> None:
    async with PostgresSaver.from_conn_string(empty) as saver:
        await saver.setup()
    made = await catalog(connection)
    await connection.execute('DROP SCHEMA "graphrt" CASCADE; CREATE SCHEMA "graphrt"')
    text = await asyncio.to_thread((FILES / "schema.sql").read_text)
    await connection.execute(text.replace("{schema}", '"graphrt"'))
    assert made == await catalog(connection)
    assert len(made) > 30


async def test_script_makes_the_same(empty: str, connection: Any) -> None:
    saver = PostgresSaver.from_conn_string(empty)
    await saver.setup()
    made = await catalog(connection)
    await connection.execute('DROP SCHEMA "graphrt" CASCADE')
    await connection.execute(saver.migrations())
    assert made == await catalog(connection)
    await works(empty)
    await saver.aclose()


async def test_setup_again_changes_nothing(empty: str, connection: Any) -> None:
    async with PostgresSaver.from_conn_string(empty) as saver:
        await saver.setup()
        await Writer(saver).commit()
        made = await catalog(connection)
        await saver.setup()
        assert await saver.load("thread") is not None
    assert made == await catalog(connection)
    assert await connection.fetchval("SELECT array_agg(version) FROM graphrt.migrations") == list(MIGRATIONS)


@pytest.mark.slow
def test_twenty_processes_on_an_empty_database_all_succeed() -> None:
    url = postgres_server().create_database()
    program = (
        "import sys; from graphrt.checkpoint.postgres import PostgresSaver; "
        "sys.stdin.readline(); PostgresSaver.from_conn_string(sys.argv[1]).setup()"
    )
    command = [sys.executable, "-c", program, url]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(20)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    ended = [process.communicate() for process in processes]
    assert [(process.returncode, said) for process, (_, said) in zip(processes, ended, strict=True)] == [
        (0, "")
    ] * 20


async def test_twenty_savers_in_one_loop_all_succeed(empty: str) -> None:
    savers = [PostgresSaver.from_conn_string(empty, max_size=1) for _ in range(20)]
    await asyncio.gather(*(saver.setup() for saver in savers))
    await asyncio.gather(*(Writer(saver, f"thread {n}").commit() for n, saver in enumerate(savers)))
    await asyncio.gather(*(saver.aclose() for saver in savers))


async def test_setup_in_a_transaction_is_part_of_it(empty: str, connection: Any) -> None:
    saver = PostgresSaver(connection)
    transaction = connection.transaction()
    await transaction.start()
    await saver.setup()
    await Writer(saver).commit()
    assert await saver.load("thread") is not None
    await transaction.rollback()
    with pytest.raises(StorageSchemaError):
        await saver.load("thread")


@pytest.mark.parametrize("isolation", ["serializable", "repeatable read"])
async def test_strict_isolation_by_default_does_no_harm(empty: str, connection: Any, isolation: str) -> None:
    await connection.execute(
        f"ALTER DATABASE {urlsplit(empty).path[1:]} SET default_transaction_isolation = '{isolation}'"
    )
    savers = [PostgresSaver.from_conn_string(empty) for _ in range(4)]
    await asyncio.gather(*(saver.setup() for saver in savers))
    writers = [Writer(saver, f"thread {n}") for n, saver in enumerate(savers)]
    for _ in range(3):
        await asyncio.gather(*(writer.commit() for writer in writers))
    assert [len(await writer.history()) for writer in writers] == [3] * 4
    await asyncio.gather(*(saver.aclose() for saver in savers))


# ---- using them


async def test_without_tables_it_is_said_what_to_run(empty: str) -> None:
    async with PostgresSaver.from_conn_string(empty) as saver:
        with pytest.raises(StorageSchemaError, match="graphrt migrate"):
            await saver.load("thread")
        await saver.setup()
        assert await saver.load("thread") is None


async def test_tables_that_went_while_it_ran_are_missed_too(empty: str, connection: Any) -> None:
    async with PostgresSaver.from_conn_string(empty) as saver:
        await saver.setup()
        await Writer(saver).commit()
        await connection.execute("DROP SCHEMA graphrt CASCADE")
        with pytest.raises(StorageSchemaError, match="graphrt migrate"):
            await saver.load("thread")


async def test_tables_of_a_newer_program_are_left_alone(empty: str, connection: Any) -> None:
    async with PostgresSaver.from_conn_string(empty) as saver:
        await saver.setup()
    await connection.execute("INSERT INTO graphrt.migrations (version) VALUES (9999)")
    async with PostgresSaver.from_conn_string(empty) as saver:
        for use in (saver.setup, lambda: saver.load("thread")):
            with pytest.raises(StorageSchemaError, match="Upgrade graphrt"):
                await use()


async def test_tables_of_an_older_program_want_migrating(empty: str, connection: Any) -> None:
    async with PostgresSaver.from_conn_string(empty) as saver:
        await saver.setup()
    await connection.execute("DELETE FROM graphrt.migrations")
    async with PostgresSaver.from_conn_string(empty) as saver:
        with pytest.raises(StorageSchemaError, match="version 0"):
            await saver.load("thread")


@pytest.fixture
async def plain_role(empty: str, connection: Any) -> AsyncIterator[str]:
    """The URL for a role that may read and write in the schema, and create nothing."""
    async with PostgresSaver.from_conn_string(empty) as saver:
        await saver.setup()
    role = "plain_" + urlsplit(empty).path[-8:]
    await connection.execute(
        f"CREATE ROLE {role} LOGIN PASSWORD 'x'; GRANT USAGE ON SCHEMA graphrt TO {role}; "
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA graphrt TO {role}"
    )
    yield empty.replace("postgres:postgres@", f"{role}:x@")
    await connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


async def test_role_that_may_create_nothing_can_work(plain_role: str) -> None:
    await works(plain_role)
    async with PostgresSaver.from_conn_string(plain_role) as saver:
        await saver.setup()
        writer = Writer(saver, "long")
        for n in range(40):
            await writer.commit({"a": b""} if not n else {}, appends={"a": b"%d" % n})
        await saver.adelete_thread("long")


async def test_role_that_may_create_nothing_is_told_so(empty: str, plain_role: str, connection: Any) -> None:
    await connection.execute("DROP SCHEMA graphrt CASCADE")
    async with PostgresSaver.from_conn_string(plain_role) as saver:
        with pytest.raises(StorageError, match="permission denied"):
            await saver.setup()


@pytest.mark.parametrize("schema", ["chat", "Grüße", 'a"b; DROP TABLE x --', "select", "{schema}"])
async def test_schema_may_have_any_name(empty: str, schema: str) -> None:
    async with PostgresSaver.from_conn_string(empty, schema=schema) as saver:
        await saver.setup()
    await works(empty, schema=schema)


@pytest.mark.parametrize("schema", ["", "a\0b", "x" * 64])
async def test_schema_that_cannot_be_is_refused(empty: str, schema: str) -> None:
    with pytest.raises(GraphValidationError, match="schema"):
        PostgresSaver.from_conn_string(empty, schema=schema)


async def test_search_path_does_not_matter(empty: str, connection: Any) -> None:
    async with PostgresSaver.from_conn_string(empty) as saver:
        await saver.setup()
    await connection.execute(
        "CREATE SCHEMA trap; CREATE TABLE trap.threads (); CREATE TABLE trap.checkpoints (); "
        f"ALTER DATABASE {urlsplit(empty).path[1:]} SET search_path = trap"
    )
    await works(empty)


async def test_schemas_are_apart(empty: str) -> None:
    savers = [PostgresSaver.from_conn_string(empty, schema=name) for name in ("a", "b")]
    for saver in savers:
        await saver.setup()
    await Writer(savers[0]).commit()
    assert await savers[1].load("thread") is None
    await asyncio.gather(*(saver.aclose() for saver in savers))


# ---- what is in them


async def test_no_row_is_left_of_a_thread_whose_row_was_deleted_by_hand(empty: str, connection: Any) -> None:
    async with PostgresSaver.from_conn_string(empty) as saver:
        await saver.setup()
        writer = Writer(saver)
        for n in range(3):
            await writer.commit({"a": b"%d" % n})
        await connection.execute("DELETE FROM graphrt.threads")
    for table in ("checkpoints", "segments", "results"):
        assert await connection.fetchval(f"SELECT count(*) FROM graphrt.{table}") == 0
