"""Keeping and forgetting in an SQLite file; `checkpointers.housekeeping` says in which order.

What is deleted goes through the file's one writer, some hundred rows at a time, so that commits pass in between. What
is looked at is read in a lane apart from those that runs read in.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from checkpointers.refusals import target_exists
from checkpointers.retention import Keep, Segment, faded
from checkpointers.rows import pack_id, plain, restored, unpack_id
from checkpointers.segments import Line
from checkpointers.shelves import Channel, Held, Space
from checkpointers.sqlite import chores
from checkpointers.sqlite.chores import SQL
from checkpointers.sqlite.lanes import Lane, awaited
from checkpointers.sqlite.reading import channels_of
from checkpointers.sqlite.writer import Change
from checkpointers.sqlite.writing import ranges_of
from graphrt.checkpoint import Pruned, StorageStats, ThreadInfo

__all__ = ["Housekeeping"]

T = TypeVar("T")


class Read(Protocol):
    """Does work in a snapshot of the file."""

    def __call__(self, work: Callable[[sqlite3.Connection], T]) -> Awaitable[T]:
        """What the work gives."""
        ...


class Housekeeping:
    """The tables of a file, as `checkpointers.housekeeping` wants them, and what SQLite does in its own way."""

    def __init__(self, lane: Lane, read: Read, write: Callable[[Change], Awaitable[Any]]) -> None:
        self._lane = lane
        self._read = read
        self._write = write

    # ---- looking

    async def names(self, after: str | None, limit: int) -> list[str]:
        found = await self._read(_all(SQL.names, plain(after or ""), after is not None, None, limit))
        return [restored(name) for (name,) in found]

    async def spaces(self, thread_id: str, after: str | None, limit: int) -> list[Space]:
        behind = None if after is None else plain(after)
        found = await self._read(_all(SQL.spaces, plain(thread_id), behind, limit))
        return [
            Space(chain, restored(namespace), oldest, newest, unpack_id(head))
            for chain, namespace, oldest, newest, head in found
        ]

    async def noted(self, chains: Sequence[int], channel: str) -> list[tuple[int, bytes]]:
        return await self._read(_all(SQL.noted, json.dumps(chains), plain(channel)))

    async def places(self, chain: int, before: int, ids: Sequence[str]) -> list[int]:
        packed = json.dumps([pack_id(identity).hex().upper() for identity in ids])
        return [seq for (seq,) in await self._read(_all(SQL.places, chain, before, packed))]

    async def newest(self, chain: int, below: int | None, limit: int) -> list[tuple[int, str]]:
        found = await self._read(_all(SQL.newest, chain, below, limit))
        return [(seq, unpack_id(identity)) for seq, identity in found]

    async def of_runs(self, runs: Sequence[str]) -> list[tuple[str, int, int]]:
        found = await self._read(_all(SQL.of_runs, json.dumps([plain(run) for run in runs])))
        return [(restored(thread), chain, seq) for thread, chain, seq in found]

    async def held(self, chain: int) -> Held | None:
        def work(connection: sqlite3.Connection) -> Held | None:
            found = connection.execute(SQL.held, (chain,)).fetchall()
            if not found:
                return None
            lines = [Line(seq, start, ranges_of(earlier)) for _, seq, start, earlier in found]
            return Held(max(row[0] for row in found), lines, list(channels_of(connection, chain)))

        return await self._read(work)

    async def rows(
        self, chain: int, below: Mapping[Channel, int], limit: int
    ) -> list[tuple[Channel, Segment]]:
        def work(connection: sqlite3.Connection) -> list[tuple[Channel, Segment]]:
            return [
                (channel, Segment(seq, bool(whole), bool(whole and empty)))
                for channel, end in below.items()
                for seq, whole, empty in connection.execute(SQL.rows, (chain, channel, end, limit))
            ]

        return await self._read(work)

    # ---- forgetting

    async def cut(self, chain: int, first: int, spared: Sequence[int], limit: int) -> Pruned:
        def change(connection: sqlite3.Connection) -> Pruned:
            seqs = [
                seq for (seq,) in connection.execute(SQL.oldest, (chain, first, limit, json.dumps(spared)))
            ]
            return chores.forget(connection, chain, seqs)

        return _pruned(await self._write(change))

    async def forget(self, chain: int, seqs: Sequence[int]) -> Pruned:
        def change(connection: sqlite3.Connection) -> Pruned:
            connection.execute(SQL.settle, (chain,))
            pruned = chores.forget(connection, chain, seqs)
            if connection.execute(SQL.remains, (chain,)).fetchone() is None:
                connection.execute(SQL.delete, (chain,))
            return pruned

        return _pruned(await self._write(change))

    async def discard(self, heads: Sequence[tuple[int, str]]) -> dict[int, Pruned]:
        def change(connection: sqlite3.Connection) -> dict[int, Pruned]:
            gone: dict[int, Pruned] = {}
            for chain, head in heads:
                if connection.execute(SQL.head, (chain,)).fetchone() == (pack_id(head),):
                    gone[chain] = chores.forget_all(connection, chain)
            return gone

        gone: dict[int, Pruned] = await self._write(change)
        return gone

    async def drop(self, chain: int, rows: Sequence[tuple[Channel, int]]) -> int:
        def change(connection: sqlite3.Connection) -> int:
            return sum(chores.drop(connection, chain, channel, seq) for channel, seq in rows)

        return int(await self._write(change))

    async def drop_before(self, chain: int, channel: Channel, seq: int, limit: int) -> tuple[int, int]:
        def change(connection: sqlite3.Connection) -> tuple[int, int]:
            rows = connection.execute(SQL.before, (chain, channel, seq, limit)).fetchall()
            return len(rows), sum(chores.drop(connection, chain, channel, row) for (row,) in rows)

        count, size = await self._write(change)
        return count, size

    async def delete_thread(self, thread_id: str, keep: Keep) -> Pruned:
        def change(connection: sqlite3.Connection) -> Pruned:
            chains = connection.execute(SQL.thread, (plain(thread_id),)).fetchall()
            if not chains or not faded([unpack_id(head) for _, _, head in chains], keep):
                return Pruned()
            pruned = Pruned(threads=1)
            for chain, _, _ in chains:
                pruned += chores.forget_all(connection, chain)
            return pruned

        return _pruned(await self._write(change))

    # ---- threads and what they take

    async def infos(self, first: str, end: str | None, limit: int, *, after: bool) -> list[ThreadInfo]:
        def work(connection: sqlite3.Connection) -> list[ThreadInfo]:
            names = connection.execute(SQL.names, (first, after, end, limit)).fetchall()
            return [chores.info(connection, name) for (name,) in names]

        return await self._read(work)

    async def copy(self, source: str, target: str) -> int:
        """Copy a thread in one transaction; how many checkpoints.

        Raises:
            ThreadConflict: the target exists.
        """

        def change(connection: sqlite3.Connection) -> int:
            chains = connection.execute(SQL.thread, (plain(source),)).fetchall()
            there = connection.execute(SQL.thread, (plain(target),)).fetchone()
            if chains and there is not None:
                raise target_exists(source, target, unpack_id(there[2]))
            return sum(chores.copy(connection, chain, plain(target)) for chain, _, _ in chains)

        return int(await self._write(change))

    async def stats(self) -> StorageStats:
        """Count what there is."""

        def work(connection: sqlite3.Connection) -> StorageStats:
            (threads,) = connection.execute(SQL.threads).fetchone()
            chains = connection.execute(SQL.chains).fetchall()
            weights = [chores.weigh(connection, chain) for (chain,) in chains]
            pages, free, page = chores.pages(connection)
            return StorageStats(
                threads=threads,
                checkpoints=sum(checkpoints for checkpoints, _, _ in weights),
                segments=sum(rows for _, rows, _ in weights),
                bytes=sum(size for _, _, size in weights),
                database=pages * page,
                free=free * page,
            )

        return await self._read(work)

    async def reclaim(self) -> int:
        """Shorten the file by the pages that nothing uses, some at a time; by how many bytes."""

        def change(connection: sqlite3.Connection) -> int:
            before, free, page = chores.pages(connection)
            if free:
                connection.execute(SQL.vacuum).fetchall()  # each row that is fetched frees a page
            after, _, _ = chores.pages(connection)
            return int((before - after) * page)

        size = 0
        while given := await self._write(change):
            size += given
        await awaited(self._lane, lambda connection: connection.execute(SQL.checkpoint).fetchall())
        return size


def _all(statement: str, *args: Any) -> Callable[[sqlite3.Connection], list[Any]]:
    return lambda connection: connection.execute(statement, args).fetchall()


def _pruned(pruned: Any) -> Pruned:
    assert isinstance(pruned, Pruned)
    return pruned
