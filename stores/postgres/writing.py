"""What puts do to the tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from checkpointers.postgres.pool import Connection, transaction
from graphrt.store.batches import Put
from stores.postgres.statements import Statements
from stores.rows import end_of, pack_namespace

__all__ = ["put", "refresh", "sweep"]


async def put(
    connection: Connection,
    sql: Statements,
    puts: Sequence[Put],
    vectors: Mapping[str, Sequence[float]],
    now: int,
) -> None:
    """Store and delete, all of it or nothing.

    Args:
        vectors: of the texts of the puts.
    """
    kept = [each for each in puts if each.body is not None]
    gone = [each for each in puts if each.body is None]
    if not gone and not any(each.texts for each in kept):
        await _put(connection, sql, kept, now)
        return
    async with transaction(connection):
        if gone:
            if len(puts) > 1:
                await connection.execute(sql.lock, *_addresses(puts))
            await connection.execute(sql.delete, *_addresses(gone))
        ids = await _put(connection, sql, kept, now) if kept else {}
        rows = [
            (ids[pack_namespace(each.namespace), each.key], number, vectors[text])
            for each in kept
            for number, text in enumerate(each.texts)
        ]
        if rows:
            await connection.executemany(sql.put_vector, rows)


async def _put(
    connection: Connection, sql: Statements, kept: Sequence[Put], now: int
) -> dict[tuple[str, str], int]:
    """The numbers of the items, by their addresses."""
    rows = await connection.fetch(
        sql.put,
        *_addresses(kept),
        [(each.body or b"").decode() for each in kept],
        [each.ttl for each in kept],
        [end_of(each.ttl, now) for each in kept],
        now,
    )
    return {(row["namespace"], row["key"]): row["id"] for row in rows}


def _addresses(puts: Sequence[Put]) -> tuple[list[str], list[str]]:
    return [pack_namespace(each.namespace) for each in puts], [each.key for each in puts]


async def refresh(connection: Connection, sql: Statements, lives: Mapping[int, float], now: int) -> None:
    """Begin the time of items anew: their numbers, and the minutes that they live."""
    ids = sorted(lives)
    await connection.execute(sql.refresh, ids, [end_of(lives[item], now) for item in ids], now)


async def sweep(connection: Connection, sql: Statements, most: int, now: int) -> int:
    """Delete some of what is over; how many items that were."""
    status: str = await connection.execute(sql.over, now, most)
    return int(status.rpartition(" ")[2])
