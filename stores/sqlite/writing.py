"""What puts do to the tables. Runs in the writer's lane, inside a transaction that is not its own."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping

from graphrt.store.batches import Put
from stores.rows import end_of, pack_namespace
from stores.sqlite.statements import SQL

__all__ = ["put", "refresh", "sweep"]


def put(connection: sqlite3.Connection, puts: Iterable[Put], vectors: Mapping[str, bytes], now: int) -> None:
    """Store and delete.

    Args:
        vectors: packed, of the texts of the puts.
    """
    for each in puts:
        address = (pack_namespace(each.namespace), each.key)
        if each.body is None:
            connection.execute(SQL.delete, address)
            continue
        connection.execute(SQL.put, (*address, each.body.decode(), now, each.ttl, end_of(each.ttl, now)))
        connection.execute(SQL.forget_vectors, address)
        for number, text in enumerate(each.texts):
            connection.execute(SQL.put_vector, (*address, number, vectors[text]))


def refresh(connection: sqlite3.Connection, lives: Mapping[int, float], now: int) -> None:
    """Begin the time of items anew: their numbers, and the minutes that they live."""
    connection.executemany(SQL.refresh, [(item, end_of(ttl, now), now) for item, ttl in lives.items()])


def sweep(connection: sqlite3.Connection, most: int, now: int) -> int:
    """Delete some of what is over; how many items that were."""
    return connection.execute(SQL.over, (now, most)).rowcount
