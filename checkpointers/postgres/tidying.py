"""Merges small rows of growing channels, now and then, behind a commit that has succeeded."""

from __future__ import annotations

from itertools import groupby

from checkpointers.postgres.pool import Connection, transaction
from checkpointers.postgres.statements import Statements
from checkpointers.rows import plain
from checkpointers.segments import mergeable

__all__ = ["tidy"]


async def tidy(connection: Connection, sql: Statements, thread_id: str, namespace: str) -> None:
    """Merge what `mergeable` says of the head's own line.

    The thread's row is locked meanwhile: two that merged at once could each count on a row that the other deletes.
    """
    async with transaction(connection):
        thread = await connection.fetchrow(sql.lock, plain(thread_id), plain(namespace))
        if thread is None:
            return
        chain = thread["chain"]
        channels: list[int] = []
        firsts: list[int] = []
        lasts: list[int] = []
        rows = await connection.fetch(sql.ripe, chain)
        for channel, group in groupby(rows, key=lambda row: int(row["channel"])):
            together = list(group)
            start = mergeable([row["size"] for row in together])
            if start < len(together):
                channels.append(channel)
                firsts.append(together[start]["seq"])
                lasts.append(together[-1]["seq"])
        if channels:
            await connection.execute(sql.merge, chain, channels, firsts, lasts)
