"""What the tables say. Runs in a reader's lane, inside a transaction, so that everything is from one moment."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias, TypeVar

from msgspec import Struct
from msgspec.json import Decoder as JsonDecoder
from msgspec.structs import replace

from checkpointers.logs import Log, Table, log_of, table_of, tables
from checkpointers.rows import (
    SOURCES,
    checkpoint_of,
    matches,
    merged,
    pack_id,
    plain,
    restored,
    unpack_id,
    unpack_results,
)
from checkpointers.segments import Content, Line, Ranges, Row, content, within
from checkpointers.sqlite.statements import SQL
from graphrt.checkpoint import Checkpoint, Stored, TaskResult
from graphrt.errors import DeserializationError

__all__ = ["Asked", "Page", "Thread", "channels_of", "held_at", "line_at", "load", "page", "place_of", "ranges_of",
           "thread_at", "within_snapshot"]  # fmt: skip

T = TypeVar("T")
_Row: TypeAlias = Sequence[Any]
"""A checkpoint's columns, as `found.sql` and `page.sql` name them."""

_UUID: Final = 16  # bytes; other ids do not sort as their texts do
_LARGEST: Final = 2**63 - 1
_MOST: Final = 2**32 - 1  # commits of a thread: frames have four bytes for a number


def within_snapshot(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], T]) -> T:
    """Do several reads in one transaction."""
    connection.execute("BEGIN")
    try:
        return work(connection)
    finally:
        if connection.in_transaction:  # some errors have rolled back already
            connection.execute("COMMIT")


# ---- where


class Thread(Struct, frozen=True):
    """A thread in a namespace: its head and where that stands.

    Attributes:
        last: the number of the last commit, which may have been forgotten.
    """

    chain: int
    head: str
    line: Line
    last: int


def thread_at(connection: sqlite3.Connection, thread_id: str, namespace: str) -> Thread | None:
    """A thread, if there is one."""
    row = connection.execute(SQL.thread, (plain(thread_id), plain(namespace))).fetchone()
    if row is None:
        return None
    chain, spent, seq, identity, start, earlier = row
    line = _line(seq, start, earlier)
    if type(spent) is not int or not 0 <= spent < _MOST:
        raise DeserializationError(f"A stored thread has come to commit {spent!r}.")
    return Thread(chain, unpack_id(identity), line, max(seq, spent))


def ranges_of(text: str | None) -> Ranges:
    """Ranges as they are stored.

    Raises:
        DeserializationError: they are damaged.
    """
    if text is None:
        return ()
    try:
        return _decode_ranges(text)
    except (ValueError, TypeError) as error:
        raise DeserializationError(f"A stored checkpoint's line is damaged: {error}") from None


_decode_ranges: Final = JsonDecoder(Ranges).decode


def _line(seq: Any, start: Any, earlier: Any) -> Line:
    if type(seq) is not int or not 0 < seq < _MOST or type(start) not in (int, type(None)):
        raise DeserializationError(f"A stored checkpoint has number {seq!r} and a line from {start!r}.")
    return Line(seq, 1 if start is None else start, ranges_of(earlier))


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
        elif isinstance(row[1], bytes) and row[1] < wanted:
            low = row[0] + 1
        else:
            high = (low + high) // 2 - 1
    row = connection.execute(SQL.place, (chain, wanted)).fetchone()
    return None if row is None else int(row[0])


def line_at(connection: sqlite3.Connection, chain: int, seq: int) -> Line:
    """Where a checkpoint that is there stands."""
    return _line(*connection.execute(SQL.line, (chain, seq)).fetchone())


# ---- channels


def channels_of(connection: sqlite3.Connection, chain: int) -> Iterator[str]:
    """The names of all channels that have rows, as they are stored."""
    name = ""
    while (row := connection.execute(SQL.channel, (chain, name)).fetchone()) is not None:
        yield row[0]
        name = row[0] + "\0"  # the next text that there can be


def _rows(
    connection: sqlite3.Connection, chain: int, channel: str, spans: Ranges, needing: Sequence[Ranges]
) -> list[Row]:
    """A channel's rows in some spans, oldest first, as far back as checkpoints with these ancestors need them."""
    waiting: list[Ranges] = list(needing)
    rows: list[Row] = []
    for low, high in spans:
        for seq, whole, data, parts in connection.execute(SQL.rows, (chain, channel, low, high)):
            if type(seq) is not int or not _is_bytes(data) or not _is_bytes(parts):
                raise _unreadable(channel, "a row is no bytes")
            rows.append(Row(seq, bool(whole), data, parts or b""))
            if whole:
                waiting = [needed for needed in waiting if not within(seq, needed)]
                if not waiting:
                    break
        if not waiting:
            break
    rows.reverse()
    return rows


def _log(
    connection: sqlite3.Connection, chain: int, channel: str, spans: Ranges, needing: Sequence[Ranges]
) -> Log:
    try:
        return log_of(_rows(connection, chain, channel, spans, needing))
    except ValueError as error:
        raise _unreadable(channel, error) from None


def _unreadable(channel: str, why: object) -> DeserializationError:
    return DeserializationError(f"Channel {restored(channel)!r} cannot be read: {why}.")


def _is_bytes(cell: Any) -> bool:
    return cell is None or isinstance(cell, bytes)


def held_at(connection: sqlite3.Connection, chain: int, ranges: Ranges) -> dict[str, Content]:
    """What a checkpoint with these ancestors sees in each channel."""
    held: dict[str, Content] = {}
    for channel in channels_of(connection, chain):
        rows = _rows(connection, chain, channel, ranges, (ranges,))
        try:
            seen = content(rows, ranges)
        except ValueError as error:
            raise _unreadable(channel, error) from None
        if seen is not None:
            held[restored(channel)] = seen
    return held


# ---- checkpoints


def load(
    connection: sqlite3.Connection, thread_id: str, namespace: str, checkpoint_id: str | None
) -> Stored | None:
    """A checkpoint, the newest one by default."""
    thread = thread_at(connection, thread_id, namespace)
    if thread is None:
        return None
    newest = thread.line.seq
    seq = place_of(connection, thread.chain, checkpoint_id, newest) if checkpoint_id is not None else newest
    row = connection.execute(SQL.found, (thread.chain, seq)).fetchone() if seq is not None else None
    if row is None:
        return None
    table = table_of(held_at(connection, thread.chain, _line_of_row(row).ranges))
    return _stored(row, table, _results(connection, thread.chain, [row[0]])[row[0]], thread.head)


def _line_of_row(row: _Row) -> Line:
    return _line(row[0], row[9], row[10])


def _stored(row: _Row, table: Table, results: tuple[TaskResult, ...], head: str) -> Stored:
    values, parts = table
    return Stored(_checkpoint(row), values, results, head, parts)


def _checkpoint(row: _Row) -> Checkpoint:
    seq, identity, parent, version, step, source, following, ran, metadata, _, _ = row
    return checkpoint_of(
        identity, parent, seq if version is None else version, step, source, following, ran, metadata
    )


def _results(
    connection: sqlite3.Connection, chain: int, seqs: Sequence[int]
) -> dict[int, tuple[TaskResult, ...]]:
    """What is known of the tasks of the steps that start from some checkpoints, by their numbers."""
    known: dict[int, list[TaskResult]] = {seq: [] for seq in seqs}
    which = (chain, json.dumps(seqs))
    for seq, data in connection.execute(SQL.kept, which):
        known[seq] += unpack_results(data)
    for origin, _, identity, data in connection.execute(SQL.brought, which):
        known[origin] += unpack_results(data, unpack_id(identity))
    return {seq: merged(results) for seq, results in known.items()}


# ---- history


class Asked(Struct, frozen=True):
    """Which of a thread's checkpoints are wanted.

    Attributes:
        before: those whose ids are below this one.
        below: those made before this commit.
        chain: the thread's number when its newest page was read. One of the same name that was made since is another.
    """

    thread_id: str
    namespace: str
    filter: Mapping[str, Any]
    before: str | None
    below: int = _LARGEST
    chain: int | None = None


class Page(Struct, frozen=True):
    """Some checkpoints, newest first, and what to ask for to get older ones; None if there are none."""

    stored: list[Stored]
    older: Asked | None


def page(connection: sqlite3.Connection, asked: Asked, size: int) -> Page:
    """So many checkpoints, in a number of queries that does not depend on it."""
    thread = thread_at(connection, asked.thread_id, asked.namespace)
    if thread is None or asked.chain not in (None, thread.chain):
        return Page([], None)
    chain = thread.chain
    chosen = _chosen(connection, chain, asked, size)
    seen = _seen_by(connection, chain, [_line_of_row(row) for row in chosen])
    results = _results(connection, chain, [row[0] for row in chosen])
    return Page(
        [_stored(row, table, results[row[0]], thread.head) for row, table in zip(chosen, seen, strict=True)],
        replace(asked, below=chosen[-1][0], chain=chain) if len(chosen) == size else None,
    )


def _chosen(connection: sqlite3.Connection, chain: int, asked: Asked, size: int) -> list[_Row]:
    """Rows of the newest checkpoints that are wanted. SQL picks where it is exact, Python's equality decides."""
    before = pack_id(asked.before) if asked.before is not None else None
    step = asked.filter.get("step")
    found = connection.execute(
        SQL.page,
        (
            chain, asked.below,
            before if before is not None and len(before) == _UUID else None,
            _LETTERS.get(asked.filter.get("source")),
            step if type(step) is int and abs(step) <= _LARGEST else None,
        ),
    )  # fmt: skip
    chosen: list[_Row] = []
    for row in found:
        if asked.before is not None and unpack_id(row[1]) >= asked.before:
            continue
        if not asked.filter or matches(_checkpoint(row), asked.filter):
            chosen.append(row)
            if len(chosen) == size:
                break
    return chosen


_LETTERS: Final[Mapping[Any, str]] = {word: letter for letter, word in SOURCES.items()}


def _seen_by(connection: sqlite3.Connection, chain: int, lines: Sequence[Line]) -> list[Table]:
    """What several checkpoints see, newest first; each row is read once."""
    # Newest first, so the last one of a line stays: what it needs is all that any of that line needs.
    oldest = {(line.start, line.earlier): line.ranges for line in lines}
    spans = _spans(lines)
    logs = {
        restored(channel): _log(connection, chain, channel, spans, list(oldest.values()))
        for channel in (channels_of(connection, chain) if lines else ())
    }
    try:
        return tables(logs, lines)
    except ValueError as error:
        raise DeserializationError(f"Stored rows of a channel are damaged: {error}.") from None


def _spans(lines: Iterable[Line]) -> Ranges:
    """What any of these can see, newest first, without overlaps."""
    spans: list[tuple[int, int]] = []
    for low, high in sorted({span for line in lines for span in line.ranges}, key=_end, reverse=True):
        if spans and high >= spans[-1][0]:
            spans[-1] = (min(low, spans[-1][0]), spans[-1][1])
        else:
            spans.append((low, high))
    return tuple(spans)


def _end(span: tuple[int, int]) -> int:
    return span[1]
