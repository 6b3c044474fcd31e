"""Commits and results to the database.

A step that follows the last commit is one statement. What is rarer, and needs to look before it writes (a fork, the
first commit after the newest checkpoint was forgotten), is a transaction that holds the thread's row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any, Final

from checkpointers.postgres.pool import Connection, transaction
from checkpointers.postgres.reading import held_at, ranges_of
from checkpointers.postgres.statements import Statements
from checkpointers.refusals import parent_forgotten
from checkpointers.rows import merged, pack_id, pack_metadata, pack_names, pack_results, plain, unpack_id
from checkpointers.segments import Content, Line, framed, line_of
from graphrt.checkpoint import Checkpoint, Commit, TaskResult
from graphrt.errors import ThreadConflict

__all__ = ["append", "commit", "delete"]

_NULL: Final = 2**32 - 1
"""-1 as the driver takes it: the only numbers that it knows arrays of are unsigned."""


async def commit(connection: Connection, sql: Statements, commit: Commit, *, repeated: bool) -> int | None:
    """Store one superstep. Returns its number in the thread; None if an earlier try had succeeded.

    Args:
        repeated: an earlier try broke off, and may have succeeded.

    Raises:
        ThreadConflict: the head is elsewhere, or the parent was forgotten.
    """
    checkpoint = commit.checkpoint
    head = commit.head
    if head is None and checkpoint.parent_id is None:
        seq = await _begin(connection, sql, commit)
    elif head is not None and head == checkpoint.parent_id:
        seq = await _follow(connection, sql, commit)
    else:
        seq = None
    if seq is not None:
        return seq
    async with transaction(connection):
        return await _stand_apart(connection, sql, commit, repeated)


async def _follow(connection: Connection, sql: Statements, commit: Commit) -> int | None:
    """Commit after the last commit, if the head is that; this is nearly every commit."""
    whole = {item.channel: item.data for item in commit.channels}
    parts = {item.channel: item.data or b"" for item in commit.appends}
    if len(parts) < len(commit.appends):
        return None  # several parts of a channel in one commit: rare enough to go the long way
    frames = {name: len(part).to_bytes(4) + part for name, part in parts.items()}
    seq: int | None = await connection.fetchval(
        sql.commit, plain(commit.thread_id), plain(commit.namespace), pack_id(commit.head or ""),
        *_columns(commit.checkpoint), pack_results(commit.results), *_channels(whole, frames),
    )  # fmt: skip
    return seq


async def _begin(connection: Connection, sql: Statements, commit: Commit) -> int | None:
    """Commit the first checkpoint, if there is none. A channel that it empties is as good as not there."""
    whole = {item.channel: item.data for item in commit.channels if item.data is not None}
    chain = await connection.fetchval(
        sql.begin, plain(commit.thread_id), plain(commit.namespace), *_columns(commit.checkpoint),
        *_channels(whole, _frames(1, commit)),
    )  # fmt: skip
    return 1 if chain is not None else None


async def _stand_apart(connection: Connection, sql: Statements, commit: Commit, repeated: bool) -> int | None:
    checkpoint = commit.checkpoint
    thread = await connection.fetchrow(sql.lock, plain(commit.thread_id), plain(commit.namespace))
    head = unpack_id(thread["head"]) if thread is not None else None
    if head != commit.head:
        if repeated and head == checkpoint.id:
            return None  # what the broken connection had sent had arrived
        raise ThreadConflict(commit.thread_id, expected=commit.head, current=head)
    if thread is None:  # nothing is there, so its parent is not either
        raise parent_forgotten(commit.thread_id, checkpoint.parent_id or "", head)
    chain, seq = thread["chain"], thread["seq"] + 1
    parent = await _parent(connection, sql, commit, chain, seq)
    line = line_of(seq, parent)
    whole: dict[str, bytes | None] = {item.channel: item.data for item in commit.channels}
    seen: dict[str, Content] = {}
    if line.deep and parent is not None:
        line = Line(seq, seq)
        held = await held_at(connection, sql, chain, parent)
        seen = {name: content for name, content in held.items() if name not in whole}
        whole |= {name: content.data for name, content in seen.items()}
    ends = [end for low_high in line.earlier for end in low_high]
    await connection.execute(
        sql.apart, chain, seq, line.start, ends or None, parent.seq if parent is not None else 0,
        *_columns(checkpoint), pack_results(commit.results), *_channels(whole, _frames(seq, commit, seen)),
    )  # fmt: skip
    return int(seq)


async def _parent(
    connection: Connection, sql: Statements, commit: Commit, chain: int, seq: int
) -> Line | None:
    identity = commit.checkpoint.parent_id
    if identity is None:
        return None
    place = await connection.fetchrow(sql.place, chain, seq, pack_id(identity))
    if place is None:
        raise parent_forgotten(commit.thread_id, identity, commit.head)
    return Line(place["seq"], place["start"], ranges_of(place["earlier"]))


async def append(
    connection: Connection,
    sql: Statements,
    place: tuple[str, str, str],
    results: Sequence[TaskResult],
) -> None:
    """Keep results of the step that starts from the head; `place` is thread, namespace and checkpoint.

    Raises:
        ThreadConflict: that is not the head.
    """
    thread_id, namespace, identity = place
    # In one order everywhere, so that nobody waits for somebody who waits for them.
    rows = sorted([(_digest(result.path), result) for result in merged(results)])
    data = [digest + (pack_results((result,)) or b"") for digest, result in rows]
    chain = await connection.fetchval(
        sql.append, plain(thread_id), plain(namespace), pack_id(identity),
        [result.error is not None for _, result in rows], *_placed(data),
    )  # fmt: skip
    if chain is None:
        head = await connection.fetchval(sql.head, plain(thread_id), plain(namespace))
        raise ThreadConflict(
            thread_id, expected=identity, current=unpack_id(head) if head is not None else None
        )


async def delete(connection: Connection, sql: Statements, thread_id: str) -> None:
    """Forget a thread in all namespaces."""
    await connection.execute(sql.delete, plain(thread_id))


# ---- what goes into the columns


def _columns(checkpoint: Checkpoint) -> tuple[Any, ...]:
    return (
        pack_id(checkpoint.id), checkpoint.version, checkpoint.step, checkpoint.source[0],
        pack_names(checkpoint.next), pack_names(checkpoint.ran), pack_metadata(checkpoint.metadata),
    )  # fmt: skip


def _frames(seq: int, commit: Commit, seen: Mapping[str, Content] | None = None) -> dict[str, bytes]:
    """The frames of commit `seq`: what it appends, behind what it has seen at its parent."""
    parts: dict[str, list[bytes]] = {
        name: list(held.parts) for name, held in (seen or {}).items() if held.parts
    }
    for item in commit.appends:
        parts.setdefault(item.channel, []).append(item.data or b"")
    return {name: framed(seq, together) for name, together in parts.items()}


def _channels(whole: Mapping[str, bytes | None], frames: Mapping[str, bytes]) -> tuple[Any, ...]:
    """What happens to channels as sql/commit.sql takes it.

    Bytes go as one value, which is cut up there: before it can send an array of them, the driver would have to ask
    the database what that is, for 5 ms on every new connection.
    """
    names = list(whole) if whole.keys() >= frames.keys() else list(dict.fromkeys((*whole, *frames)))
    places, sizes, data = _placed([*map(whole.get, names), *map(frames.get, names)])
    half = len(names)
    return [*map(plain, names)], places[:half], sizes[:half], places[half:], sizes[half:], data


def _placed(pieces: Sequence[bytes | None]) -> tuple[list[int], list[int], bytes]:
    """Where each piece starts in the bytes of all, counted from 1, its size, and these bytes."""
    starts: list[int] = []
    sizes: list[int] = []
    at = 1
    for piece in pieces:
        size = len(piece) if piece is not None else 0
        starts.append(at)
        sizes.append(size if piece is not None else _NULL)
        at += size
    return starts, sizes, b"".join([piece for piece in pieces if piece is not None])


def _digest(path: str) -> bytes:
    """What a task is called in an index, which wants short names: paths of nested tasks have no limit."""
    return blake2b(path.encode(errors="surrogatepass"), digest_size=16).digest()
