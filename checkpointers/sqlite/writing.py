"""What commits and results do to the tables. Runs in the writer's lane, inside a transaction that is not its own.

A function that raises a GraphError has written nothing: others in the same transaction go on.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

from checkpointers.refusals import parent_forgotten
from checkpointers.rows import pack_id, pack_metadata, pack_names, pack_results, plain
from checkpointers.segments import TIDY_EVERY, Content, Line, framed, line_of, mergeable
from checkpointers.sqlite.reading import Thread, channels_of, held_at, line_at, place_of, ranges_of, thread_at
from checkpointers.sqlite.statements import SQL
from graphrt.checkpoint import Commit, TaskResult
from graphrt.errors import ThreadConflict

__all__ = ["Known", "append", "commit", "ranges_of"]

Known: TypeAlias = dict[tuple[str, str], Thread]
"""Where threads and namespaces stand that were committed to by this connection, while nobody else writes."""

_MANY: Final = 4096
_NOTHING: Final[Mapping[str, Content]] = {}


def commit(connection: sqlite3.Connection, commit: Commit, known: Known) -> None:
    """Store one superstep.

    Raises:
        ThreadConflict: the head is elsewhere, or the parent was forgotten.
    """
    checkpoint = commit.checkpoint
    key = (commit.thread_id, commit.namespace)
    thread = known.get(key) or thread_at(connection, *key)
    head = thread.head if thread is not None else None
    if head != commit.head:
        raise ThreadConflict(commit.thread_id, expected=commit.head, current=head)
    parent = _parent(connection, commit, thread)
    seq = thread.last + 1 if thread is not None else 1
    line = line_of(seq, parent)
    copied = _NOTHING
    if line.deep:
        assert thread is not None
        copied = held_at(connection, thread.chain, line.earlier)
        line = Line(seq, seq)
    above = parent.seq if parent is not None else 0
    columns = (
        seq, pack_id(checkpoint.id), None if above == seq - 1 else above,
        None if checkpoint.version == seq else checkpoint.version, checkpoint.step, checkpoint.source[0],
        pack_names(checkpoint.next), pack_names(checkpoint.ran), pack_metadata(checkpoint.metadata),
        None if line.start == 1 else line.start, json.dumps(line.earlier) if line.earlier else None,
        pack_results(commit.results),
    )  # fmt: skip
    # From here on it writes; what can be refused was refused.
    if thread is None:
        names = (plain(commit.thread_id), plain(commit.namespace))
        chain = connection.execute(SQL.begin, names).lastrowid
        assert chain is not None
    else:
        chain = thread.chain
    connection.execute(SQL.checkpoint, (chain, *columns))
    for row in _rows(commit, chain, seq, copied):
        connection.execute(SQL.segment, row)
    if len(known) == _MANY:
        known.clear()
    known[key] = Thread(chain, checkpoint.id, line, seq)
    if seq % TIDY_EVERY == 0:  # the version would not do: a run that stores only its end leaves numbers out
        _tidy(connection, chain, line)


def _parent(connection: sqlite3.Connection, commit: Commit, thread: Thread | None) -> Line | None:
    parent = commit.checkpoint.parent_id
    if parent is None:
        return None
    if thread is not None and parent == thread.head:
        return thread.line
    place = place_of(connection, thread.chain, parent, thread.line.seq) if thread is not None else None
    if thread is None or place is None:
        raise parent_forgotten(commit.thread_id, parent, commit.head)
    return line_at(connection, thread.chain, place)


def _rows(
    commit: Commit, chain: int, seq: int, copied: Mapping[str, Content]
) -> list[tuple[int, str, int, int, bytes | None, bytes | None]]:
    """One row per channel that changes, or that a deep fork copies."""
    whole: dict[str, bytes | None] = {name: held.data for name, held in copied.items()}
    parts: dict[str, list[bytes]] = {name: list(held.parts) for name, held in copied.items() if held.parts}
    for item in commit.channels:
        whole[item.channel] = item.data
        parts.pop(item.channel, None)
    for item in commit.appends:
        parts.setdefault(item.channel, []).append(item.data or b"")
    rows = [
        (chain, plain(name), seq, 1, data, framed(seq, parts.pop(name)) if name in parts else None)
        for name, data in whole.items()
    ]
    rows += [(chain, plain(name), seq, 0, None, framed(seq, behind)) for name, behind in parts.items()]
    return rows


def _tidy(connection: sqlite3.Connection, chain: int, line: Line) -> None:
    """Merge rows of parts that those after them have outgrown."""
    for channel in channels_of(connection, chain):
        found: list[tuple[int, int]] = []
        for seq, whole, size in connection.execute(SQL.sizes, (chain, channel, line.start)):
            if whole:
                break
            found.append((seq, size))
        found.reverse()
        at = mergeable([size for _, size in found])
        if at < len(found):
            first = found[at][0]
            rows = connection.execute(SQL.parts, (chain, channel, first)).fetchall()
            connection.execute(SQL.merged, (chain, channel, first))
            connection.execute(SQL.merge, (chain, channel, first, b"".join([parts for (parts,) in rows])))


def append(
    connection: sqlite3.Connection,
    place: tuple[str, str, str],
    results: Sequence[TaskResult],
    known: Known,
) -> None:
    """Keep results of the step that starts from the head; `place` is its thread, namespace and id.

    Raises:
        ThreadConflict: the head is elsewhere.
    """
    thread_id, namespace, checkpoint_id = place
    thread = known.get((thread_id, namespace)) or thread_at(connection, thread_id, namespace)
    if thread is None or thread.head != checkpoint_id:
        current = thread.head if thread is not None else None
        raise ThreadConflict(thread_id, expected=checkpoint_id, current=current)
    for result in results:
        data = pack_results((result,))
        key = (thread.chain, thread.line.seq, plain(result.path))
        connection.execute(SQL.keep, (*key, result.error is not None, data))
