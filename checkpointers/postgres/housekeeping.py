"""Keeping and forgetting in Postgres; `checkpointers.housekeeping` says in which order."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from msgspec import Struct

from checkpointers.postgres.access import Work
from checkpointers.postgres.driver import asyncpg
from checkpointers.postgres.pool import Connection, transaction
from checkpointers.postgres.reading import ranges_of
from checkpointers.postgres.statements import quoted
from checkpointers.refusals import target_exists
from checkpointers.retention import Keep, Segment, faded
from checkpointers.rows import pack_id, plain, restored, unpack_id
from checkpointers.segments import Line
from checkpointers.shelves import Channel, Held, Space
from graphrt.checkpoint import Pruned, StorageStats, ThreadInfo, time_of

__all__ = ["Housekeeping"]

T = TypeVar("T")
Record = Any  # asyncpg has no types

_LONG_S: Final = 600.0
"""What looks at everything may take so long; it holds no lock that a run waits for."""


class Statements(Struct, frozen=True):
    """One attribute per file in `sql/housekeeping/`, which says what it does."""

    copy: str
    delete: str
    discard: str
    drop: str
    drop_before: str
    forget: str
    heads: str
    held: str
    hold: str
    infos: str
    names: str
    newest: str
    noted: str
    of_runs: str
    oldest: str
    places: str
    rows: str
    settle: str
    size: str
    spaces: str
    stats: str
    vacuum: str
    weigh: str


_FILES: Final = sorted((Path(__file__).parent / "sql" / "housekeeping").glob("*.sql"))
_TEXTS: Final = {path.stem: path.read_text("utf-8") for path in _FILES}


class Run(Protocol):
    """Does work on a connection."""

    def __call__(self, work: Work[T], *, timeout_s: float | None = None) -> Awaitable[T]:
        """As `Access.run`."""
        ...


class Housekeeping:
    """The tables in a schema, as `checkpointers.housekeeping` wants them, and what Postgres does in its own way."""

    def __init__(self, run: Run, schema: str) -> None:
        self._run = run
        self._schema = schema
        self._sql = Statements(
            **{name: text.replace("{schema}", quoted(schema)) for name, text in _TEXTS.items()}
        )

    async def _fetch(self, statement: str, *args: Any, timeout_s: float | None = None) -> list[Record]:
        async def work(connection: Connection, repeated: bool) -> list[Record]:
            found: list[Record] = await connection.fetch(statement, *args)
            return found

        return await self._run(work, timeout_s=timeout_s)

    # ---- looking

    async def names(self, after: str | None, limit: int) -> list[str]:
        found = await self._fetch(self._sql.names, plain(after or ""), after is not None, limit)
        return [restored(row["thread_id"]) for row in found]

    async def spaces(self, thread_id: str, after: str | None, limit: int) -> list[Space]:
        behind = None if after is None else plain(after)
        found = await self._fetch(self._sql.spaces, plain(thread_id), behind, limit)
        return [
            Space(
                row["chain"], restored(row["namespace"]), row["oldest"], row["newest"], unpack_id(row["id"])
            )
            for row in found
        ]

    async def noted(self, chains: Sequence[int], channel: str) -> list[tuple[int, bytes]]:
        found = await self._fetch(self._sql.noted, chains, plain(channel), timeout_s=_LONG_S)
        return [(row["chain"], row["data"]) for row in found]

    async def places(self, chain: int, before: int, ids: Sequence[str]) -> list[int]:
        packed = [pack_id(identity) for identity in ids]
        found = await self._fetch(self._sql.places, chain, before, packed, timeout_s=_LONG_S)
        return [row["seq"] for row in found]

    async def newest(self, chain: int, below: int | None, limit: int) -> list[tuple[int, str]]:
        found = await self._fetch(self._sql.newest, chain, below, limit)
        return [(row["seq"], unpack_id(row["id"])) for row in found]

    async def of_runs(self, runs: Sequence[str]) -> list[tuple[str, int, int]]:
        found = await self._fetch(self._sql.of_runs, [plain(run) for run in runs], timeout_s=_LONG_S)
        return [(restored(row["thread_id"]), row["chain"], row["seq"]) for row in found]

    async def held(self, chain: int) -> Held | None:
        found = await self._fetch(self._sql.held, chain)
        if not found:
            return None
        lines = [Line(row["seq"], row["start"], ranges_of(row["earlier"])) for row in found]
        return Held(found[0]["last"], lines, list(range(1, found[0]["channels"] + 1)))

    async def rows(
        self, chain: int, below: Mapping[Channel, int], limit: int
    ) -> list[tuple[Channel, Segment]]:
        found = await self._fetch(self._sql.rows, chain, list(below), list(below.values()), limit)
        return [(row["channel"], Segment(row["seq"], row["whole"], row["empty"])) for row in found]

    # ---- forgetting

    async def cut(self, chain: int, first: int, spared: Sequence[int], limit: int) -> Pruned:
        async def work(connection: Connection, repeated: bool) -> Pruned:
            async with transaction(connection):
                await connection.execute(self._sql.hold, chain)
                rows = await connection.fetch(self._sql.oldest, chain, first, limit, spared)
                return await self._forget(connection, chain, [row["seq"] for row in rows])

        return await self._run(work)

    async def forget(self, chain: int, seqs: Sequence[int]) -> Pruned:
        async def work(connection: Connection, repeated: bool) -> Pruned:
            async with transaction(connection):
                await connection.execute(self._sql.hold, chain)
                pruned = await self._forget(connection, chain, seqs)
                await connection.execute(self._sql.settle, chain)
                return pruned

        return await self._run(work)

    async def _forget(self, connection: Connection, chain: int, seqs: Sequence[int]) -> Pruned:
        if not seqs:
            return Pruned()
        row = await connection.fetchrow(self._sql.forget, chain, seqs)
        return Pruned(checkpoints=row["checkpoints"], bytes=row["bytes"])

    async def discard(self, heads: Sequence[tuple[int, str]]) -> dict[int, Pruned]:
        chains, ids = [chain for chain, _ in heads], [pack_id(head) for _, head in heads]
        found = await self._fetch(self._sql.discard, chains, ids)
        return {row["chain"]: Pruned(checkpoints=row["checkpoints"], bytes=row["bytes"]) for row in found}

    async def drop(self, chain: int, rows: Sequence[tuple[Channel, int]]) -> int:
        channels, seqs = [channel for channel, _ in rows], [seq for _, seq in rows]
        (row,) = await self._fetch(self._sql.drop, chain, channels, seqs)
        return int(row["bytes"])

    async def drop_before(self, chain: int, channel: Channel, seq: int, limit: int) -> tuple[int, int]:
        (row,) = await self._fetch(self._sql.drop_before, chain, channel, seq, limit)
        return row["rows"], row["bytes"]

    async def delete_thread(self, thread_id: str, keep: Keep) -> Pruned:
        async def work(connection: Connection, repeated: bool) -> Pruned:
            async with transaction(connection):
                heads = await connection.fetch(self._sql.heads, plain(thread_id))
                if not heads or not faded([unpack_id(row["head"]) for row in heads], keep):
                    return Pruned()
                chains = [row["chain"] for row in heads]
                size = await connection.fetchrow(self._sql.weigh, chains)
                await connection.execute(self._sql.delete, chains)
                return Pruned(1, size["checkpoints"], size["bytes"])

        return await self._run(work, timeout_s=_LONG_S)

    # ---- threads and what they take

    async def infos(self, first: str, end: str | None, limit: int, *, after: bool) -> list[ThreadInfo]:
        found = await self._fetch(self._sql.infos, first, after, end, limit, timeout_s=_LONG_S)
        return [_info(name, list(rows)) for name, rows in groupby(found, key=lambda row: row["thread_id"])]

    async def copy(self, source: str, target: str) -> int:
        """Copy a thread in one statement; how many checkpoints.

        Raises:
            ThreadConflict: the target exists.
        """

        async def work(connection: Connection, repeated: bool) -> int:
            async with transaction(connection):
                origin = await connection.fetch(self._sql.heads, plain(source))
                there = await connection.fetch(self._sql.heads, plain(target))
                if not origin:
                    return 0
                if not there:
                    return int(await connection.fetchval(self._sql.copy, plain(source), plain(target)))
                if repeated and _heads(origin) == _heads(
                    there
                ):  # what the broken connection had sent had arrived
                    size = await connection.fetchrow(self._sql.weigh, [row["chain"] for row in there])
                    return int(size["checkpoints"])
                raise target_exists(source, target, unpack_id(there[0]["head"]))

        async def alone(connection: Connection, repeated: bool) -> int:
            try:
                return await work(connection, repeated)
            except asyncpg.UniqueViolationError:  # somebody has just begun such a thread
                raise target_exists(source, target, None) from None

        return await self._run(alone, timeout_s=_LONG_S)

    async def stats(self) -> StorageStats:
        """Count what there is."""
        (row,) = await self._fetch(self._sql.stats, timeout_s=_LONG_S)
        return StorageStats(
            row["threads"], row["checkpoints"], row["segments"], row["bytes"], database=await self._size()
        )

    async def reclaim(self) -> int:
        """Let the server use again what deleted rows took, and give what lies at the tables' ends to the system."""
        before = await self._size()

        async def work(connection: Connection, repeated: bool) -> None:
            await connection.execute(self._sql.vacuum)

        await self._run(work, timeout_s=_LONG_S)
        return max(0, before - await self._size())

    async def _size(self) -> int:
        (row,) = await self._fetch(self._sql.size, self._schema)
        return int(row["bytes"])


def _heads(rows: Iterable[Record]) -> list[bytes]:
    return sorted(row["head"] for row in rows)


def _info(name: str, rows: Sequence[Record]) -> ThreadInfo:
    heads = {restored(row["namespace"]): unpack_id(row["head"]) for row in rows}
    return ThreadInfo(
        restored(name),
        namespaces=tuple(heads),
        checkpoints=sum(row["checkpoints"] for row in rows),
        head=heads.get(""),
        updated_at=max(filter(None, map(time_of, heads.values())), default=None),
        bytes=sum(row["bytes"] for row in rows),
    )
