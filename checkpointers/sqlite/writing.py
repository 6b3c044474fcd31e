"""What commits and results do to the tables. Runs in the writer's lane, inside a transaction that is not its own.

A function that raises a GraphError has written nothing: others in the same transaction go on.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from checkpointers.refusals import parent_forgotten
from checkpointers.rows import pack_id, pack_metadata, pack_names, pack_results, plain, unpack_id
from checkpointers.segments import TIDY_EVERY, Content, Line, Ranges, framed, line_of, mergeable
from checkpointers.sqlite.reading import channels_of, held_at, line_at, place_of
from checkpointers.sqlite.statements import SQL
from graphrt.checkpoint import Checkpoint, Commit, TaskResult
from graphrt.errors import ThreadConflict

__all__ = ["append", "commit", "delete"]


class _Thread(Struct, frozen=True):
    """A row of `graphrt_threads`; `line` is that of the head."""

    chain: int
    head: str
    seq: int
    line: Line


def _thread(connection: sqlite3.Connection, thread_id: str, namespace: str) -> _Thread | None:
    row = connection.execute(SQL.thread, (plain(thread_id), plain(namespace))).fetchone()
    if row is None:
        return None
    chain, head, tip, seq, start, earlier = row
    return _Thread(chain, unpack_id(head), seq, Line(tip, start, ranges_of(earlier)))


def ranges_of(text: str | None) -> Ranges:
    """Ranges as they are stored."""
    return tuple((low, high) for low, high in json.loads(text)) if text is not None else ()


def commit(connection: sqlite3.Connection, commit: Commit) -> None:
    """Store one superstep.

    Raises:
        ThreadConflict: the head is elsewhere, or the parent was forgotten.
    """
    checkpoint = commit.checkpoint
    head = commit.head
    packed = _packed(commit)  # before anything is written: it may refuse
    if head is None or checkpoint.parent_id != head:
        _stand_apart(connection, commit, packed)
        return
    keys = (plain(commit.thread_id), plain(commit.namespace), pack_id(head), packed[0])
    moved = connection.execute(SQL.follow, keys).fetchall()
    if not moved:
        _stand_apart(connection, commit, packed)
        return
    chain, seq, start, earlier = moved[0]
    above = None if start == 1 else start
    connection.execute(SQL.checkpoint, (chain, seq, None, above, earlier, _version(checkpoint, seq), *packed))
    for row in _rows(commit, chain, seq, {}):
        connection.execute(SQL.segment, row)
    if checkpoint.version % TIDY_EVERY == 0:
        _tidy(connection, chain, start)


def _packed(commit: Commit) -> tuple[Any, ...]:
    checkpoint = commit.checkpoint
    return (
        pack_id(checkpoint.id), checkpoint.step, checkpoint.source[0], pack_names(checkpoint.next),
        pack_names(checkpoint.ran), pack_metadata(checkpoint.metadata), pack_results(commit.results),
    )  # fmt: skip


def _version(checkpoint: Checkpoint, seq: int) -> int | None:
    return checkpoint.version if checkpoint.version != seq else None


def _stand_apart(connection: sqlite3.Connection, commit: Commit, packed: tuple[Any, ...]) -> None:
    """A first commit, a fork, or one that is refused: what must look before it writes."""
    checkpoint = commit.checkpoint
    thread = _thread(connection, commit.thread_id, commit.namespace)
    head = thread.head if thread is not None else None
    if head != commit.head:
        raise ThreadConflict(commit.thread_id, expected=commit.head, current=head)
    parent = _parent(connection, commit, thread)
    seq = thread.seq + 1 if thread is not None else 1
    line = line_of(seq, parent)
    copied: Mapping[str, Content] = {}
    if line.deep:
        assert thread is not None
        copied = held_at(connection, thread.chain, line.earlier)
        line = Line(seq, seq)
    earlier = json.dumps(line.earlier) if line.earlier else None
    above = parent.seq if parent is not None else 0
    # From here on it writes; what can be refused was refused.
    if thread is None:
        names = (plain(commit.thread_id), plain(commit.namespace), packed[0])
        chain = connection.execute(SQL.begin, names).lastrowid
        assert chain is not None
    else:
        chain = thread.chain
        connection.execute(SQL.advance, (chain, packed[0], seq, line.start, earlier))
    place = (
        chain,
        seq,
        None if above == seq - 1 else above,
        None if line.start == 1 else line.start,
        earlier,
    )
    connection.execute(SQL.checkpoint, (*place, _version(checkpoint, seq), *packed))
    for row in _rows(commit, chain, seq, copied):
        connection.execute(SQL.segment, row)


def _parent(connection: sqlite3.Connection, commit: Commit, thread: _Thread | None) -> Line | None:
    parent = commit.checkpoint.parent_id
    if parent is None:
        return None
    if thread is not None and parent == thread.head:
        return thread.line
    place = place_of(connection, thread.chain, parent, thread.seq) if thread is not None else None
    if thread is None or place is None:
        raise parent_forgotten(commit.thread_id, parent, commit.head)
    return line_at(connection, thread.chain, place)


def _rows(
    commit: Commit, chain: int, seq: int, copied: Mapping[str, Content]
) -> list[tuple[int, str, int, bool, bytes | None, bytes | None]]:
    """One row per channel that changes, or that a deep fork copies."""
    if not copied and not commit.appends:
        return [(chain, plain(item.channel), seq, True, item.data, None) for item in commit.channels]
    whole: dict[str, bytes | None] = {name: held.data for name, held in copied.items()}
    parts: dict[str, list[bytes]] = {name: list(held.parts) for name, held in copied.items() if held.parts}
    for item in commit.channels:
        whole[item.channel] = item.data
        parts.pop(item.channel, None)
    for item in commit.appends:
        parts.setdefault(item.channel, []).append(item.data or b"")
    return [
        (
            chain,
            plain(name),
            seq,
            name in whole,
            whole.get(name),
            framed(seq, parts[name]) if name in parts else None,
        )
        for name in dict.fromkeys((*whole, *parts))
    ]


def _tidy(connection: sqlite3.Connection, chain: int, start: int) -> None:
    """Merge rows of parts on the head's line that those after them have outgrown."""
    for channel in channels_of(connection, chain):
        found: list[tuple[int, int]] = []
        for seq, whole, size in connection.execute(SQL.sizes, (chain, channel, start)):
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
    thread_id: str,
    namespace: str,
    checkpoint_id: str,
    results: Sequence[TaskResult],
) -> None:
    """Keep results of the step that starts from the head.

    Raises:
        ThreadConflict: the head is elsewhere.
    """
    thread = _thread(connection, thread_id, namespace)
    if thread is None or thread.head != checkpoint_id:
        current = thread.head if thread is not None else None
        raise ThreadConflict(thread_id, expected=checkpoint_id, current=current)
    for result in results:
        data = pack_results((result,))
        key = (thread.chain, thread.line.seq, plain(result.path))
        connection.execute(SQL.keep, (*key, result.error is not None, data))


def delete(connection: sqlite3.Connection, thread_id: str) -> None:
    """Forget a thread in all namespaces."""
    connection.execute(SQL.delete, (plain(thread_id),))
