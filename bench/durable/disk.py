"""What a database holds: bytes on the disk when it has tidied up, and the rows that a load of a thread reads."""

import sqlite3
from pathlib import Path

from bench.durable.cases import Storage
from bench.durable.databases import ask, execute

POSTGRES_BYTES = """
    SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
"""
ROWS_SQLITE = """
    SELECT max(rows) FROM (
        SELECT count(*) AS rows FROM graphrt_segments AS s
        WHERE s.seq >= (
            SELECT max(w.seq) FROM graphrt_segments AS w
            WHERE w.chain = s.chain AND w.channel = s.channel AND w.whole
        )
        GROUP BY s.chain, s.channel
    )
"""
"""The most rows that reading one channel takes: from its newest whole value on (checkpointers/segments.py)."""

ROWS_POSTGRES = """
    SELECT max(rows) FROM (
        SELECT count(*) AS rows FROM graphrt.segments AS s
        WHERE s.seq >= (
            SELECT max(w.seq) FROM graphrt.segments AS w
            WHERE w.chain = s.chain AND w.channel = s.channel AND (w.parts IS NULL OR w.data IS NOT NULL)
        )
        GROUP BY s.chain, s.channel
    ) AS channels
"""


async def bytes_of(storage: Storage, address: str) -> int:
    """Return the bytes of the database's file, or of all its tables with their indexes."""
    if storage.kind == "sqlite":
        connection = sqlite3.connect(address)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        return sum(path.stat().st_size for path in Path(address).parent.iterdir())
    await execute(address, "VACUUM")
    stored: int = await ask(address, POSTGRES_BYTES)
    return stored


async def rows_read(storage: Storage, address: str) -> int:
    """Return how many rows of its largest channel a load of graphrt's thread reads."""
    if storage.kind == "sqlite":
        connection = sqlite3.connect(address)
        (rows,) = connection.execute(ROWS_SQLITE).fetchone()
        connection.close()
    else:
        rows = await ask(address, ROWS_POSTGRES)
    return int(rows)
