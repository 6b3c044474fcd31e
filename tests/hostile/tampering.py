"""Threads in a storage that somebody else can write to: made once, then changed anew for every case."""

import shutil
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from msgspec.structs import replace

from graphrt.checkpoint import ChannelData, Checkpoint, Commit, Stored, TaskResult
from graphrt.checkpoint.memory import InMemorySaver
from tests.checkpointers.encrypted_world import Tampered, encrypted
from tests.hostile.mutation import NAMES, mutated

SECRET = "what only the other tenant knows"

Calls = list[tuple[str, tuple[Any, ...]]]


class Recorder(Tampered):
    """Notes what was stored, so that it can be stored again elsewhere in a moment."""

    def __init__(self, saver: Any) -> None:
        super().__init__(saver)
        self.immediate = saver.immediate
        self.calls: Calls = []

    async def commit(self, commit: Commit) -> None:
        await super().commit(commit)
        self.calls.append(("commit", (commit,)))

    async def append_results(self, *args: Any) -> None:
        await super().append_results(*args)
        self.calls.append(("append_results", args))

    async def replay(self, saver: Any) -> None:
        for name, args in self.calls:
            await getattr(saver, name)(*args)


Fill = Callable[[Any], Awaitable[None]]


class Bench:
    """One kind of storage, filled by running graphs on it.

    Attributes:
        truth: what was committed, as plain records: the threads that a reader must see, if they see any.
    """

    def __init__(self, kind: str, fill: Fill, directory: Path) -> None:
        self.sqlite = kind.startswith("sqlite")
        self.encrypted = kind.endswith("+encrypted")
        self._fill = fill
        self._directory = directory
        self._template = directory / "template.db"
        self._cases = count()
        self._stored = Recorder(InMemorySaver())
        self.truth = InMemorySaver()
        self.given: dict[str, list[TaskResult]] = {}
        self._bytes: list[bytes] = []

    async def prepare(self) -> None:
        """Fill the template."""
        below: Any = self._stored
        given = Recorder(encrypted(below) if self.encrypted else below)
        await self._fill(given)
        await given.replay(self.truth)
        for name, args in given.calls:
            checkpoint = args[0].checkpoint.parent_id if name == "commit" else args[2]
            self.given.setdefault(checkpoint or "", []).extend(
                args[0].results if name == "commit" else args[3]
            )
        for name, args in self._stored.calls:
            if name == "commit":
                self._bytes += [item.data for item in (*args[0].channels, *args[0].appends) if item.data]
        if self.sqlite:
            async with _sqlite(self._directory / "filled.db") as saver:
                await self._stored.replay(saver)
                _copy(self._directory / "filled.db", self._template)

    @asynccontextmanager
    async def opened(self, random: Random) -> AsyncIterator[Any]:
        """The storage, changed, as a checkpointer."""
        async with self._changed(random) as saver:
            yield encrypted(saver) if self.encrypted else saver

    @asynccontextmanager
    async def _changed(self, random: Random) -> AsyncIterator[Any]:
        if self.sqlite:
            file = self._directory / f"{next(self._cases)}.db"  # the one before may not be closed yet
            shutil.copyfile(self._template, file)
            change_cells(random, file, self._bytes)
            async with _sqlite(file) as saver:
                yield saver
            file.unlink()
            return
        memory = InMemorySaver()
        await self._stored.replay(memory)
        others = [stored async for stored in memory.history("theirs")]
        tampered = Tampered(memory)
        seed = random.random()
        chosen = random.choice([None, "newest", "all"])

        def change(stored: Stored) -> Stored:
            if stored.checkpoint.id != stored.head and chosen == "newest":
                return stored
            return changed_record(Random(f"{seed}{stored.checkpoint.version}"), stored, others, self._bytes)

        tampered.change = change
        yield tampered


def _copy(source: Path, target: Path) -> None:
    """All that was committed, in one file."""
    with closing(sqlite3.connect(source)) as there, closing(sqlite3.connect(target)) as here:
        there.backup(here)
        here.execute("PRAGMA journal_mode = DELETE")


def _sqlite(file: Path) -> AbstractAsyncContextManager[Any]:
    from graphrt.checkpoint.sqlite import SqliteSaver

    return SqliteSaver.from_conn_string(str(file))


# ---- records


def changed_record(random: Random, stored: Stored, others: list[Stored], pool: list[bytes]) -> Stored:
    """The same checkpoint with one thing in it, or a few, as an attacker would have it."""
    for _ in range(random.choice((1, 1, 2))):
        other = random.choice(others)
        match random.randrange(8):
            case 0 | 1:
                stored = _with_channel(random, stored, other, pool)
            case 2:
                stored = _with_parts(random, stored, other, pool)
            case 3 | 4:
                stored = _with_results(random, stored, other, pool)
            case 5:
                stored = replace(stored, checkpoint=other.checkpoint)
            case 6:
                stored = replace(stored, channels=other.channels, appends=other.appends)
            case _:
                stored = replace(stored, checkpoint=_changed_checkpoint(random, stored.checkpoint))
    return stored


def _name(random: Random) -> str:
    return random.choice(
        (*NAMES, "first", "join", "worker", "__start__", "log", "branch:to:join", "__pregel_tasks")
    )


def _with_channel(random: Random, stored: Stored, other: Stored, pool: list[bytes]) -> Stored:
    channels = dict(stored.channels)
    name = random.choice([*channels, _name(random)])
    data = random.choice((channels.get(name, b""), random.choice(pool), other.channels.get(name, b"")))
    channels[name] = mutated(random, data, pool)
    if random.random() < 0.2:
        del channels[random.choice([*channels])]
    return replace(stored, channels=channels)


def _with_parts(random: Random, stored: Stored, other: Stored, pool: list[bytes]) -> Stored:
    appends = {**other.appends, **stored.appends}
    name = random.choice([*appends, "log", _name(random)])
    parts = [*appends.get(name, ()), random.choice(pool)]
    match random.randrange(3):
        case 0:
            random.shuffle(parts)
        case 1:
            parts[random.randrange(len(parts))] = mutated(random, random.choice(parts), pool)
        case _:
            parts.pop(random.randrange(len(parts)))
    return replace(stored, appends={**stored.appends, name: tuple(parts)})


def _with_results(random: Random, stored: Stored, other: Stored, pool: list[bytes]) -> Stored:
    results = [*stored.results, *random.choice((other.results, ()))]
    if not results:
        results = [TaskResult(random.choice(("~__pregel_pull, first", "", "0")), "first")]
    at = random.randrange(len(results))
    one = results[at]
    writes = [*one.writes, ChannelData(_name(random), random.choice((None, b"", random.choice(pool))))]
    spot = random.randrange(len(writes))
    match random.randrange(7):
        case 0:
            one = replace(one, path=random.choice([_name(random), *(other.path for other in results)]))
        case 1:
            one = replace(one, node=_name(random))
        case 2:
            one = replace(one, child=random.choice((None, "", stored.head, stored.checkpoint.id, "x")))
        case 3:
            one = replace(one, error=random.choice((None, "", "boom")))
        case 4:
            writes[spot] = replace(writes[spot], data=mutated(random, writes[spot].data or b"", pool))
            one = replace(one, writes=tuple(writes))
        case 5:
            writes[spot] = replace(writes[spot], channel=_name(random))
            one = replace(one, writes=tuple(writes))
        case _:
            one = replace(one, writes=one.writes[:-1])
    results[at] = one
    return replace(stored, results=tuple(sorted(results, key=lambda result: result.path)))


def _changed_checkpoint(random: Random, record: Checkpoint) -> Checkpoint:
    number = random.choice((-1, 0, 1, 2**63, -(2**70)))
    match random.randrange(7):
        case 0:
            return replace(record, next=(*record.next, _name(random)))
        case 1:
            return replace(record, next=random.choice(((), ("join",), ("first", "first"))))
        case 2:
            return replace(record, ran=(_name(random),))
        case 3:
            return replace(record, step=number)
        case 4:
            return replace(record, version=number)
        case 5:
            return replace(record, id=random.choice(("", "x", record.parent_id or "y")))
        case _:
            return replace(
                record, metadata={**record.metadata, random.choice(("run_id", "source", "__sealed")): 1}
            )


# ---- cells of a database


def change_cells(random: Random, file: Path, pool: list[bytes]) -> None:
    """Change, swap or delete a few cells or rows, whatever the tables are."""
    with closing(sqlite3.connect(file)) as connection, connection:
        tables = [
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        tables = [name for name in tables if not name.startswith("sqlite_") and "migration" not in name]
        for _ in range(random.choice((1, 1, 2, 5))):
            try:
                _change_cell(random, connection, random.choice(tables), pool)
            except sqlite3.IntegrityError:
                continue


def _change_cell(random: Random, connection: sqlite3.Connection, table: str, pool: list[bytes]) -> None:
    columns = [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')]
    rows = list(connection.execute(f'SELECT * FROM "{table}"'))
    if not rows:
        return
    at, other = random.randrange(len(rows)), random.randrange(len(rows))
    column = random.randrange(len(columns))
    where = " AND ".join(f'"{name}" IS ?' for name in columns)
    change = f'UPDATE "{table}" SET "{columns[column]}" = ? WHERE {where}'
    match random.randrange(6):
        case 0:
            connection.execute(f'DELETE FROM "{table}" WHERE {where}', rows[at])
        case 1:  # the cells of two rows change places
            connection.execute(change, (rows[other][column], *rows[at]))
            moved = [*rows[at][:column], rows[other][column], *rows[at][column + 1 :]]
            if moved != list(rows[other]):
                connection.execute(change, (rows[at][column], *rows[other]))
        case 2:
            connection.execute(change, (rows[other][column], *rows[at]))
        case 3:
            connection.execute(
                change, (random.choice((None, -1, 0, 1, 2**62, "", "x", b"", 1.5, "\0")), *rows[at])
            )
        case _:
            connection.execute(change, (_mutated_cell(random, rows[at][column], pool), *rows[at]))


def _mutated_cell(random: Random, cell: Any, pool: list[bytes]) -> Any:
    match cell:
        case bytes():
            return mutated(random, cell, [*pool, cell])
        case int():
            return cell + random.choice((-1, 1, 1000, -1000))
        case str():
            at = random.randrange(len(cell) + 1)
            return cell[:at] + random.choice(("", "'", '"', "\0", "\\", "}", "é", *NAMES)) + cell[at + 1 :]
        case _:
            return random.choice(pool)
