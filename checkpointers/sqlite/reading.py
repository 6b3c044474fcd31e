"""What the tables say. Runs in a reader's lane, inside a transaction, so that everything is from one moment."""

from __future__ import annotations

import json
import sqlite3
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

from msgspec import Struct

from checkpointers.rows import checkpoint_of, merged, pack_id, plain, restored, unpack_id, unpack_results
from checkpointers.segments import Content, Line, Ranges, frames, within
from checkpointers.sqlite.statements import SQL
from graphrt.checkpoint import Checkpoint, Stored, TaskResult
from graphrt.errors import DeserializationError

__all__ = [
    "Matches",
    "Page",
    "channels_of",
    "held_at",
    "line_at",
    "load",
    "page",
    "place_of",
    "within_snapshot",
]

T = TypeVar("T")
Matches = Callable[[Checkpoint], bool]

_LIGHT: Final = 256
"""Checkpoints looked at in one go for those that match a filter."""


def within_snapshot(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], T]) -> T:
    """Do several reads in one transaction."""
    connection.execute("BEGIN")
    try:
        return work(connection)
    finally:
        connection.execute("COMMIT")


# ---- where


def place_of(connection: sqlite3.Connection, chain: int, identity: str, last: int) -> int | None:
    """The number of a checkpoint. Ids of a thread ascend, so halving finds it; one that does not fit is looked for."""
    wanted = pack_id(identity)
    low, high = 1, last
    while low <= high:
        row = connection.execute(SQL.near, (chain, (low + high) // 2)).fetchone()
        if row is None or row[0] > high:
            high = (low + high) // 2 - 1
        elif row[1] == wanted:
            return int(row[0])
        elif row[1] < wanted:
            low = row[0] + 1
        else:
            high = (low + high) // 2 - 1
    row = connection.execute(SQL.place, (chain, wanted)).fetchone()
    return None if row is None else int(row[0])


def line_at(connection: sqlite3.Connection, chain: int, seq: int) -> Line:
    """Where a checkpoint that is there stands."""
    return _line(connection.execute(SQL.found, (chain, seq)).fetchone())


def _line(row: Sequence[Any]) -> Line:
    seq, start, earlier = row[0], row[9], row[10]
    ranges = tuple((low, high) for low, high in json.loads(earlier)) if earlier is not None else ()
    return Line(seq, 1 if start is None else start, ranges)


# ---- channels


class _Log(Struct, frozen=True):
    """A channel's changes, oldest first: the commit's number, and a whole value, nothing, or a part."""

    numbers: list[int]
    entries: list[bytes | tuple[bytes] | None]

    def content(self, ranges: Ranges) -> Content | None:
        """What a checkpoint with these ancestors sees."""
        behind: list[bytes] = []
        for low, high in ranges:
            at = bisect_right(self.numbers, high)
            while at and self.numbers[at - 1] >= low:
                at -= 1
                entry = self.entries[at]
                if isinstance(entry, tuple):
                    behind.append(entry[0])
                elif entry is not None:
                    return Content(entry, tuple(reversed(behind)))
                elif not behind:
                    return None
                else:
                    raise _orphaned()
        if behind:
            raise _orphaned()
        return None


def _orphaned() -> DeserializationError:
    return DeserializationError("Parts of a value are stored without the value that they belong to.")


def channels_of(connection: sqlite3.Connection, chain: int) -> Iterator[str]:
    """The names of all channels that have rows, as they are stored."""
    name = ""
    while (row := connection.execute(SQL.channel, (chain, name)).fetchone()) is not None:
        yield row[0]
        name = row[0] + "\0"  # the next text that there can be


def _log(
    connection: sqlite3.Connection, chain: int, channel: str, spans: Ranges, needing: Sequence[Ranges]
) -> _Log:
    """A channel's rows in some spans, newest first, as far back as checkpoints with these ancestors need them."""
    waiting: list[Ranges] = list(needing)
    rows: list[tuple[int, bool, bytes | None, bytes | None]] = []
    for low, high in spans:
        for row in connection.execute(SQL.rows, (chain, channel, low, high)):
            rows.append(row)
            if row[1]:
                waiting = [needed for needed in waiting if not within(row[0], needed)]
                if not waiting:
                    break
        if not waiting:
            break
    return _unfolded(channel, reversed(rows))


def _unfolded(channel: str, rows: Iterable[tuple[int, bool, bytes | None, bytes | None]]) -> _Log:
    numbers: list[int] = []
    entries: list[bytes | tuple[bytes] | None] = []
    for seq, whole, data, parts in rows:
        if whole:
            numbers.append(seq)
            entries.append(data)
        if parts is not None:
            try:
                for number, part in frames(parts):
                    numbers.append(number)
                    entries.append((part,))
            except ValueError as error:
                raise DeserializationError(
                    f"Channel {restored(channel)!r} cannot be read: {error}."
                ) from None
    return _Log(numbers, entries)


def held_at(connection: sqlite3.Connection, chain: int, ranges: Ranges) -> dict[str, Content]:
    """What a checkpoint with these ancestors sees in each channel."""
    held: dict[str, Content] = {}
    for channel in channels_of(connection, chain):
        content = _log(connection, chain, channel, ranges, (ranges,)).content(ranges)
        if content is not None:
            held[restored(channel)] = content
    return held


# ---- checkpoints


def load(
    connection: sqlite3.Connection, thread_id: str, namespace: str, checkpoint_id: str | None
) -> Stored | None:
    """A checkpoint, the newest one by default."""
    thread = connection.execute(SQL.thread, (plain(thread_id), plain(namespace))).fetchone()
    if thread is None:
        return None
    chain, head, tip, last, _, _ = thread
    seq = tip if checkpoint_id is None else place_of(connection, chain, checkpoint_id, last)
    row = connection.execute(SQL.found, (chain, seq)).fetchone() if seq is not None else None
    if row is None:
        return None
    return _stored(connection, chain, row, held_at(connection, chain, _line(row).ranges), unpack_id(head))


def _stored(
    connection: sqlite3.Connection, chain: int, row: Sequence[Any], held: Mapping[str, Content], head: str
) -> Stored:
    return Stored(
        _checkpoint(connection, chain, row),
        {name: content.data for name, content in held.items()},
        _results(connection, chain, row[0]),
        head,
        {name: content.parts for name, content in held.items() if content.parts},
    )


def _checkpoint(connection: sqlite3.Connection, chain: int, row: Sequence[Any]) -> Checkpoint:
    seq, identity, parent, version, step, source, next_, ran, metadata, _, _ = row
    above = connection.execute(SQL.identity, (chain, seq - 1 if parent is None else parent)).fetchone()
    return checkpoint_of(
        identity,
        above[0] if above is not None else None,
        seq if version is None else version,
        step,
        source,
        next_,
        ran,
        metadata,
    )


def _results(connection: sqlite3.Connection, chain: int, seq: int) -> tuple[TaskResult, ...]:
    known: list[TaskResult] = []
    for (data,) in connection.execute(SQL.kept, (chain, seq)):
        known += unpack_results(data)
    for identity, data in connection.execute(SQL.brought, (chain, seq)):
        known += unpack_results(data, unpack_id(identity))
    return merged(known)


# ---- history


class Page(Struct, frozen=True):
    """Some of a thread's checkpoints, newest first; `older` is where the next page begins, None after the last."""

    stored: list[Stored]
    older: int | None


def page(
    connection: sqlite3.Connection,
    thread_id: str,
    namespace: str,
    *,
    matches: Matches | None,
    below: int | None,
    before: str | None,
    size: int,
) -> Page:
    """The newest checkpoints that match, below a number and older than an id."""
    thread = connection.execute(SQL.thread, (plain(thread_id), plain(namespace))).fetchone()
    if thread is None:
        return Page([], None)
    chain, head, _, last, _, _ = thread
    below = last + 1 if below is None else below
    chosen: list[Sequence[Any]] = []
    while len(chosen) < size:
        rows = connection.execute(SQL.page, (chain, below, _LIGHT)).fetchall()
        for row in rows:
            below = row[0]
            if before is not None and unpack_id(row[1]) >= before:
                continue
            if matches is None or matches(_checkpoint(connection, chain, row)):
                chosen.append(row)
                if len(chosen) == size:
                    break
        else:
            if len(rows) < _LIGHT:
                below = None
                break
    if not chosen:
        return Page([], below)
    held = _held_by(connection, chain, [_line(row) for row in chosen])
    found = [_stored(connection, chain, row, held[row[0]], unpack_id(head)) for row in chosen]
    return Page(found, below)


def _held_by(
    connection: sqlite3.Connection, chain: int, lines: Sequence[Line]
) -> dict[int, dict[str, Content]]:
    """What several checkpoints see, by their numbers; each row is read once."""
    # Newest first, so the last one of a line stays: what it needs is all that any of that line needs.
    oldest = {(line.start, line.earlier): line.ranges for line in lines}
    spans = ((1, max(line.seq for line in lines)),)
    held: dict[int, dict[str, Content]] = {line.seq: {} for line in lines}
    for channel in channels_of(connection, chain):
        log = _log(connection, chain, channel, spans, list(oldest.values()))
        for line in lines:
            content = log.content(line.ranges)
            if content is not None:
                held[line.seq][restored(channel)] = content
    return held
