"""What keeping and forgetting do to the tables. Runs in a lane, inside a transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from checkpointers.rows import restored, unpack_id
from checkpointers.shelves import Channel
from graphrt.checkpoint import Pruned, ThreadInfo, time_of

__all__ = ["SQL", "copy", "drop", "forget", "forget_all", "info", "pages", "weigh"]

_INCREMENTAL: Final = 2  # of PRAGMA auto_vacuum


class Statements(Struct, frozen=True):
    """One attribute per file in `sql/housekeeping/`, which says what it does."""

    before: str
    chains: str
    checkpoint: str
    copy_checkpoints: str
    copy_results: str
    copy_segments: str
    copy_thread: str
    delete: str
    drop: str
    forget: str
    forget_results: str
    forgotten: str
    head: str
    held: str
    names: str
    newest: str
    noted: str
    of_runs: str
    oldest: str
    orphaned: str
    orphans: str
    places: str
    remains: str
    rows: str
    settle: str
    size: str
    spaces: str
    thread: str
    threads: str
    vacuum: str
    weigh: str


_FILES: Final = sorted((Path(__file__).parent / "sql" / "housekeeping").glob("*.sql"))
SQL: Final = Statements(**{path.stem: path.read_text("utf-8") for path in _FILES})


def forget(connection: sqlite3.Connection, chain: int, seqs: Sequence[int]) -> Pruned:
    """Forget checkpoints, the results that were appended to them, and those that later commits brought for them."""
    which = (chain, json.dumps(seqs))
    count, size = connection.execute(SQL.forgotten, which).fetchone()
    connection.execute(SQL.forget, which)
    connection.execute(SQL.forget_results, which)
    for seq, length in connection.execute(SQL.orphans, which).fetchall():
        connection.execute(SQL.orphaned, (chain, seq))
        size += length
    return Pruned(checkpoints=count, bytes=size)


def forget_all(connection: sqlite3.Connection, chain: int) -> Pruned:
    """Forget a chain."""
    checkpoints, _, size = weigh(connection, chain)
    connection.execute(SQL.delete, (chain,))
    return Pruned(checkpoints=checkpoints, bytes=size)


def drop(connection: sqlite3.Connection, chain: int, channel: Channel, seq: int) -> int:
    """Delete a row of a channel; how many bytes that was."""
    row = connection.execute(SQL.size, (chain, channel, seq)).fetchone()
    connection.execute(SQL.drop, (chain, channel, seq))
    return int(row[0]) if row is not None else 0


def copy(connection: sqlite3.Connection, chain: int, target: str) -> int:
    """Copy a chain to a thread of this name, which is written as it is stored; how many checkpoints."""
    copy = connection.execute(SQL.copy_thread, (chain, target)).lastrowid
    count = connection.execute(SQL.copy_checkpoints, (chain, copy)).rowcount
    connection.execute(SQL.copy_results, (chain, copy))
    connection.execute(SQL.copy_segments, (chain, copy))
    return count


def weigh(connection: sqlite3.Connection, chain: int) -> tuple[int, int, int]:
    """Checkpoints, rows and bytes."""
    checkpoints, rows, size = connection.execute(SQL.weigh, (chain,)).fetchone()
    return checkpoints, rows, size


def info(connection: sqlite3.Connection, name: str) -> ThreadInfo:
    """Describe a thread, whose name is written as it is stored."""
    heads: dict[str, str] = {}
    count = size = 0
    for chain, namespace, head in connection.execute(SQL.thread, (name,)).fetchall():
        heads[restored(namespace)] = unpack_id(head)
        checkpoints, _, length = weigh(connection, chain)
        count += checkpoints
        size += length
    return ThreadInfo(
        restored(name),
        namespaces=tuple(heads),
        checkpoints=count,
        head=heads.get(""),
        updated_at=max(filter(None, map(time_of, heads.values())), default=None),
        bytes=size,
    )


def pages(connection: sqlite3.Connection) -> tuple[int, int, int]:
    """Pages of the file, those of them that can be given back, and the size of a page."""
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    (page,) = connection.execute("PRAGMA page_size").fetchone()
    (kind,) = connection.execute("PRAGMA auto_vacuum").fetchone()
    return pages, free if kind == _INCREMENTAL else 0, page
