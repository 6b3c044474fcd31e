"""SQL is constant: it lies in files, nothing is put together at run time, and what is said does not depend on data."""

import ast
import re
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import checkpointers
import stores
from graphrt.checkpoint import CopiesThreads, ForgetsRuns, ListsThreads, Measures, Prunes
from graphrt.errors import GraphError
from graphrt.testing.conformance.records import Writer, result
from tests.hostile.corpus import ALL, KINDS

FOLDERS = [Path(package.__file__).parent for package in (checkpointers, stores)]
SOURCES = sorted(file for folder in FOLDERS for file in folder.rglob("*.py"))
FILES = sorted(file for folder in FOLDERS for file in folder.rglob("*.sql"))
STATEMENT = re.compile(
    r"\b(select\s.*\bfrom|insert\s+into|update\s.*\bset|delete\s+from|create\s+(table|index)|drop\s+table|where|values\s*\()\b",
    re.IGNORECASE | re.DOTALL,
)

FOR_CLIENTS = re.compile(r"INSERT INTO graphrt_(store_)?migrations VALUES \(")
"""The migrations as a script for the database's own client: the number of a file is put into it."""


OF_AN_INDEX = {"{vector}", "{name}", "{kind}", "{type}", "{dims}", "{distance}", "{operator}", "{options}"}
"""pgvector's schema, and what the program that makes an index says of it: words from a list, and integers."""


# ---- what is written


def assembled(tree: ast.AST) -> Iterator[str]:
    """Texts that something is put into: f-strings, sums, `%` and `.format`."""
    for node in ast.walk(tree):
        match node:
            case ast.JoinedStr(values=values) if any(
                isinstance(value, ast.FormattedValue) for value in values
            ):
                yield "".join(value.value for value in values if isinstance(value, ast.Constant))
            case ast.BinOp(left=left, op=ast.Add() | ast.Mod(), right=right):
                for side in (left, right):
                    if isinstance(side, ast.Constant) and isinstance(side.value, str):
                        yield side.value
            case ast.Call(
                func=ast.Attribute(value=ast.Constant(value=str() as text), attr="format" | "join")
            ):
                yield text


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: "/".join(path.parts[-2:]))
def test_no_statement_is_assembled(source: Path) -> None:
    texts = assembled(ast.parse(source.read_text(encoding="utf-8")))
    assert [text for text in texts if STATEMENT.search(text) and not FOR_CLIENTS.search(text)] == []


@pytest.mark.parametrize(
    "code",
    [
        'f"SELECT x FROM {t}"',
        '"DELETE FROM x WHERE a = " + b',
        '"UPDATE x SET a = %s" % b',
        '"where {}".format(x)',
    ],
)
def test_assembled_statements_would_be_found(code: str) -> None:
    assert any(STATEMENT.search(text) for text in assembled(ast.parse(code)))


@pytest.mark.parametrize("file", FILES, ids=lambda path: "/".join(path.parts[-3:]))
def test_nothing_but_the_schema_is_put_into_a_statement(file: Path) -> None:
    named = {"{schema}"} | (OF_AN_INDEX if file.parent.name == "pgvector" else set())
    assert set(re.findall(r"\{.*?\}|%s|%\(\w+\)s", file.read_text(encoding="utf-8"))) <= named


# ---- what is said


@pytest.fixture(autouse=True)
def heard(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement that goes to a database from now on."""
    said: list[str] = []
    listen_to_sqlite(monkeypatch, said)
    with suppress(ImportError):
        listen_to_postgres(monkeypatch, said)
    return said


def listen_to_sqlite(monkeypatch: pytest.MonkeyPatch, said: list[str]) -> None:
    class Cursor(sqlite3.Cursor):
        def execute(self, sql: str, *args: Any) -> Any:
            said.append(sql)
            return super().execute(sql, *args)

        def executemany(self, sql: str, *args: Any) -> Any:
            said.append(sql)
            return super().executemany(sql, *args)

    class Connection(sqlite3.Connection):
        def cursor(self, *args: Any, **options: Any) -> Any:
            return super().cursor(Cursor)

        def execute(self, sql: str, *args: Any) -> Any:
            return self.cursor().execute(sql, *args)

        def executemany(self, sql: str, *args: Any) -> Any:
            return self.cursor().executemany(sql, *args)

        def executescript(self, sql: str) -> Any:
            said.append(sql)
            return super().executescript(sql)

    connect = sqlite3.connect
    monkeypatch.setattr(
        sqlite3, "connect", lambda *args, **options: connect(*args, **{**options, "factory": Connection})
    )


def listen_to_postgres(monkeypatch: pytest.MonkeyPatch, said: list[str]) -> None:
    import asyncpg

    def listening(method: Any) -> Any:
        def call(self: Any, query: str, *args: Any, **options: Any) -> Any:
            said.append(query)
            return method(self, query, *args, **options)

        return call

    for name in ("cursor", "execute", "executemany", "fetch", "fetchmany", "fetchrow", "fetchval", "prepare"):
        if hasattr(asyncpg.Connection, name):
            monkeypatch.setattr(asyncpg.Connection, name, listening(getattr(asyncpg.Connection, name)))


async def use(saver: Any, text: str) -> None:
    """Everything that a checkpointer can do, with one string wherever there can be one."""
    writer = Writer(saver, thread=text, namespace=text)
    with suppress(GraphError):
        await writer.commit({text: b"0"}, metadata={text: text})
        await writer.commit({}, result(text, x=b"1"), appends={text: b"1"}, next=(text,))
        await writer.commit({}, parent=writer.made[0])
        await writer.append(result(text + "!", error=text))
    with suppress(GraphError):
        await saver.load(text, text, text)
    for options in ({}, {"filter": {text: text}}, {"before": text}, {"limit": 2, "filter": {"source": text}}):
        with suppress(GraphError):
            await collect(saver.history(text, text, **options))
    acts = [
        (ListsThreads, lambda: collect(saver.athreads(prefix=text, after=text, limit=3))),
        (CopiesThreads, lambda: saver.acopy_thread(text, text + " copy")),
        (ForgetsRuns, lambda: saver.adelete_for_runs([text])),
        (Prunes, lambda: saver.aprune([text], keep_last=1)),
        (Prunes, lambda: saver.aprune([text], strategy="delete")),
        (Measures, lambda: saver.astats()),
    ]
    for ability, act in acts:
        if isinstance(saver, ability):
            with suppress(GraphError):
                await act()
    with suppress(GraphError):
        await saver.adelete_thread(text)


async def collect(items: Any) -> list[Any]:
    return [item async for item in items]


async def test_statements_do_not_depend_on_data(saver: Any, heard: list[str]) -> None:
    await use(saver, "an ordinary name")
    await use(saver, "another one")
    await use(saver, "a:call|inside")
    if not heard:
        pytest.skip("no database")
    ordinary = set(heard)
    for text in ALL:
        heard.clear()
        await use(saver, text)
        assert set(heard) <= ordinary, text


async def test_no_string_is_ever_part_of_a_statement(saver: Any, heard: list[str]) -> None:
    for text in KINDS["sql"]:
        await use(saver, f"<<{text}>>")
    assert not any(f"<<{text}" in statement for text in KINDS["sql"] for statement in heard)
