"""Rows of a database, changed by somebody who knows SQL and not what the tables mean."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

from tests.hostile.mutation import NAMES, mutated


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


# ---- Postgres, where every field keeps its type


async def change_fields(random: Random, connection: Any, tables: Sequence[str], pool: list[bytes]) -> None:
    """Change, swap or delete a few fields or rows of graphrt's tables."""
    import asyncpg

    for _ in range(random.choice((1, 1, 2, 5))):
        table = random.choice(tables)
        rows = await connection.fetch(f"SELECT ctid, * FROM graphrt.{table} ORDER BY chain")
        if not rows:
            continue
        row, other = random.choice(rows), random.choice(rows)
        column = random.choice([name for name in dict(row) if name != "ctid"])
        try:
            if random.random() < 0.15:
                await connection.execute(f"DELETE FROM graphrt.{table} WHERE ctid = $1", row["ctid"])
                continue
            value = other[column] if random.random() < 0.3 else _mutated_field(random, row[column], pool)
            await connection.execute(
                f'UPDATE graphrt.{table} SET "{column}" = $1 WHERE ctid = $2', value, row["ctid"]
            )
        except (asyncpg.PostgresError, asyncpg.InterfaceError):
            continue  # the database itself does not take it


def _mutated_field(random: Random, field: Any, pool: list[bytes]) -> Any:
    match field:
        case bool():
            return not field
        case list():
            return random.choice(([], [*field, *field], field[:-1], None))
        case bytes() | int() | str():
            return random.choice((_mutated_cell(random, field, pool), None))
        case _:
            return random.choice((0, 1, -1, "x", random.choice(pool), [1, 2], [1], "[1]", "{}", b""))
