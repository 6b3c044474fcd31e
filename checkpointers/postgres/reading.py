"""Checkpoints from the database: one statement for one of them, two for a page of a thread's history."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from checkpointers.logs import Table, log_of, table_of, tables
from checkpointers.postgres.pool import Connection
from checkpointers.postgres.statements import Statements
from checkpointers.rows import (
    checkpoint_of,
    matches,
    merged,
    pack_id,
    plain,
    restored,
    unpack_id,
    unpack_results,
)
from checkpointers.segments import Content, Line, Ranges, Row, content
from graphrt.checkpoint import Checkpoint, Stored, TaskResult
from graphrt.errors import DeserializationError

__all__ = ["Asked", "held_at", "load", "page", "ranges_of"]

Record: TypeAlias = Any  # asyncpg has no types
_CHECKPOINT, _RESULTS, _CHILD, _SEGMENT = range(4)  # kinds of rows, see sql/load.sql
_CANDIDATES: Final = 256
"""Checkpoints looked at together where a filter cannot be left to the database."""
_NEWEST: Final = 2**31 - 1
_UUID: Final = 16  # bytes of a packed id that sorts as its text does


class Found(Struct, frozen=True):
    """A checkpoint as a row tells it, and where it stands."""

    checkpoint: Checkpoint
    line: Line
    head: str
    chain: int


async def load(
    connection: Connection, sql: Statements, thread_id: str, namespace: str, checkpoint_id: str | None
) -> Stored | None:
    """A checkpoint, the newest by default; None if there is none."""
    rows = await connection.fetch(
        sql.load,
        plain(thread_id),
        plain(namespace),
        None if checkpoint_id is None else pack_id(checkpoint_id),
    )
    first = next((row for row in rows if row["kind"] == _CHECKPOINT), None)
    if first is None:
        return None
    found = _found(first)
    kept, brought = _results(rows)
    table = table_of(_contents(_segments(rows), found.line.ranges))
    return _stored(found, table, [*kept[found.line.seq], *brought[found.line.seq]])


async def held_at(connection: Connection, sql: Statements, chain: int, line: Line) -> dict[str, Content]:
    """What the channels hold at a checkpoint."""
    rows = await connection.fetch(sql.contents, chain, [], *_lines([line]))
    return _contents(_segments(rows), line.ranges)


class Asked(Struct, frozen=True):
    """Which checkpoints of a thread's history are wanted.

    Attributes:
        below: those made before this commit.
        chain: the thread's number when its newest page was read. One of the same name that was made since is another.
    """

    thread_id: str
    namespace: str
    filter: Mapping[str, Any]
    before: str | None
    below: int = _NEWEST
    chain: int | None = None


async def page(
    connection: Connection, sql: Statements, asked: Asked, size: int
) -> tuple[list[Stored], Asked | None]:
    """At most `size` checkpoints, newest first, and what to ask for the rest; None when there is no more.

    The list may be empty although there is more. Both statements see the database as it was at one moment.
    """
    if connection.is_in_transaction():
        return await _page(connection, sql, asked, size)
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        return await _page(connection, sql, asked, size)


async def _page(
    connection: Connection, sql: Statements, asked: Asked, size: int
) -> tuple[list[Stored], Asked | None]:
    contained = {
        plain(key): plain(value)
        for key, value in asked.filter.items()
        if type(value) is str and key not in ("source", "step")
    }
    looked_at = size if len(contained) == len(asked.filter) else max(size, _CANDIDATES)
    before = pack_id(asked.before) if asked.before is not None else None
    rows = await connection.fetch(
        sql.page, plain(asked.thread_id), plain(asked.namespace), asked.below,
        before if before is not None and len(before) == _UUID else None,
        json.dumps(contained) if contained else None, looked_at, asked.chain,
    )  # fmt: skip
    if not rows:
        return [], None
    candidates = [found for found in map(_found, rows) if _wanted(found.checkpoint, asked)]
    chosen = candidates[:size]
    more = len(rows) == looked_at or len(candidates) > size
    below = chosen[-1].line.seq if len(candidates) > size else rows[-1]["seq"]
    rest = replace(asked, below=below, chain=rows[0]["chain"]) if more else None
    return (await _filled(connection, sql, chosen) if chosen else []), rest


async def _filled(connection: Connection, sql: Statements, found: Sequence[Found]) -> list[Stored]:
    """The checkpoints with what they hold."""
    seqs = [one.line.seq for one in found]
    rows = await connection.fetch(sql.contents, found[0].chain, seqs, *_lines([one.line for one in found]))
    try:
        logs = {name: log_of(segments) for name, segments in _segments(rows).items()}
        seen = tables(logs, [one.line for one in found])
    except ValueError as error:
        raise _damaged(error) from None
    kept, brought = _results(rows)
    return [
        _stored(one, table, [*kept[one.line.seq], *brought[one.line.seq]])
        for one, table in zip(found, seen, strict=True)
    ]


def _wanted(checkpoint: Checkpoint, asked: Asked) -> bool:
    if asked.before is not None and not checkpoint.id < asked.before:
        return False
    return matches(checkpoint, asked.filter)


# ---- rows to records


def ranges_of(ends: Sequence[int] | None) -> Ranges:
    """Ranges from the column `earlier`."""
    return tuple(zip(ends[::2], ends[1::2], strict=True)) if ends else ()


def _found(row: Record) -> Found:
    checkpoint = checkpoint_of(
        row["id"], row["parent"], row["version"], row["step"], row["source"], row["next"], row["ran"],
        row["metadata"],
    )  # fmt: skip
    line = Line(row["seq"], row["start"], ranges_of(row["earlier"]))
    return Found(checkpoint, line, unpack_id(row["head"]), row["chain"])


def _lines(lines: Iterable[Line]) -> tuple[list[int], ...]:
    """The arrays that sql/contents.sql asks for: checkpoints on one line are read together."""
    seqs: dict[tuple[int, Ranges], list[int]] = {}
    for line in lines:
        seqs.setdefault((line.start, line.earlier), []).append(line.seq)
    ranges = [
        (number, place, low, high, top)
        for number, ((start, earlier), on_it) in enumerate(seqs.items())
        for place, (low, high, top) in enumerate(
            [(start, min(on_it), max(on_it)), *((low, high, high) for low, high in earlier)]
        )
    ]
    return tuple([list(column) for column in zip(*ranges, strict=True)])


def _segments(rows: Iterable[Record]) -> dict[str, list[Row]]:
    """The rows of each channel, ascending."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row["kind"] == _SEGMENT:
            data, parts = row["data"], row["parts"]
            whole = data is not None or parts is None
            found[restored(row["name"])].append(Row(row["seq"], whole, data, parts or b""))
    for together in found.values():
        together.sort(key=_seq)
    return found


def _seq(row: Row) -> int:
    return row.seq


def _contents(segments: Mapping[str, Sequence[Row]], ranges: Ranges) -> dict[str, Content]:
    try:
        found = {name: content(rows, ranges) for name, rows in segments.items()}
    except ValueError as error:
        raise _damaged(error) from None
    return {name: held for name, held in found.items() if held is not None}


def _results(rows: Iterable[Record]) -> tuple[dict[int, list[TaskResult]], dict[int, list[TaskResult]]]:
    """By checkpoint, the results that were appended to it, and those that came with commits made from it, in order."""
    kept: dict[int, list[TaskResult]] = defaultdict(list)
    brought: dict[int, list[TaskResult]] = defaultdict(list)
    children: list[Record] = []
    for row in rows:
        if row["kind"] == _RESULTS:
            kept[row["seq"]] += unpack_results(row["data"])
        elif row["kind"] == _CHILD:
            children.append(row)
    for row in sorted(children, key=lambda row: row["seq"]):
        brought[row["made_from"]] += unpack_results(row["data"], unpack_id(row["id"]))
    return kept, brought


def _damaged(error: ValueError) -> DeserializationError:
    return DeserializationError(f"Stored rows of a channel are damaged: {error}.")


def _stored(found: Found, table: Table, results: Iterable[TaskResult]) -> Stored:
    values, parts = table
    return Stored(found.checkpoint, values, merged(results), found.head, parts)
