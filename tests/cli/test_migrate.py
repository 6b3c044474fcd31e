"""`graphrt migrate`: a database's tables, ahead of the programs that use them."""

import sqlite3
from contextlib import closing
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from graphrt.checkpoint import urls
from graphrt.store.postgres import PostgresStore
from tests.cli.conftest import Graphrt
from tests.conftest import postgres_server


class Tables:
    """A checkpointer that only knows its tables."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.done: list[str] = []

    @classmethod
    def from_conn_string(cls, url: str) -> Any:
        made.append(cls(url))
        return made[-1]

    async def setup(self) -> None:
        if "down" in self.url:
            raise ConnectionError(f"no server at {self.url}")
        self.done.append("setup")

    def migrations(self) -> str:
        return "CREATE TABLE one;\nCREATE TABLE two;\n"


made: list[Tables] = []


@pytest.fixture(autouse=True)
def scheme(graphrt_cli: Graphrt, monkeypatch: pytest.MonkeyPatch) -> None:
    made.clear()
    tables = EntryPoint("tables", f"{__name__}:Tables", urls.GROUP)
    memory = EntryPoint("memory", "checkpointers.memory:InMemorySaver", urls.GROUP)
    load = EntryPoint.load
    monkeypatch.setattr(EntryPoint, "load", lambda point: Tables if point.name == "tables" else load(point))
    monkeypatch.setattr(urls, "entry_points", lambda *, group: [tables, memory])


def test_tables_are_brought_up_to_date(graphrt_cli: Graphrt):
    ended = graphrt_cli("migrate", "tables://ada:s3cret@host/db")
    assert ended.code == 0, ended.err
    assert ended.out == "The tables in tables://ada@host/db are up to date.\n"
    assert [one.done for one in made] == [["setup"]]


def test_sql_is_printed_and_nothing_is_run(graphrt_cli: Graphrt):
    ended = graphrt_cli("migrate", "tables://host/db", "--sql")
    assert ended.out == "CREATE TABLE one;\nCREATE TABLE two;\n"
    assert [one.done for one in made] == [[]]


@pytest.mark.parametrize("option", [[], ["--sql"]])
def test_what_has_no_tables_is_refused(graphrt_cli: Graphrt, option: list[str]):
    ended = graphrt_cli("migrate", "memory://", *option)
    assert (ended.code, "(InMemorySaver) cannot be migrated" in ended.err) == (2, True)


def test_a_password_is_never_shown(graphrt_cli: Graphrt):
    ended = graphrt_cli("migrate", "tables://ada:s3cret@down/db")
    assert ended.code != 0
    assert "no server at tables://ada:***@down/db" in ended.err
    assert "s3cret" not in ended.err


def test_an_unknown_scheme_is_refused(graphrt_cli: Graphrt):
    ended = graphrt_cli("migrate", "oracle://ada:s3cret@host/db")
    assert (ended.code, "No checkpointer for oracle://" in ended.err) == (2, True)
    assert "s3cret" not in ended.err


# ---- real databases


@pytest.fixture
def real(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    points = [
        EntryPoint("sqlite", "checkpointers.sqlite:SqliteSaver", urls.GROUP),
        EntryPoint("postgresql", "checkpointers.postgres:PostgresSaver", urls.GROUP),
    ]
    monkeypatch.setattr(urls, "entry_points", lambda *, group: points)


def test_a_file_gets_its_tables(real: None, graphrt_cli: Graphrt, tmp_path: Path):
    ended = graphrt_cli("migrate", f"sqlite:///{tmp_path / 'chat.db'}")
    assert ended.code == 0, ended.err
    with closing(sqlite3.connect(tmp_path / "chat.db")) as connection:
        assert connection.execute("SELECT count(*) FROM graphrt_threads").fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM graphrt_store").fetchone() == (0,)


def test_the_script_for_a_file_makes_the_same_tables(real: None, graphrt_cli: Graphrt, tmp_path: Path):
    script = graphrt_cli("migrate", "sqlite:///chat.db", "--sql").out
    assert not (tmp_path / "chat.db").exists()
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(script)
        assert connection.execute("SELECT count(*) FROM graphrt_threads").fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM graphrt_store").fetchone() == (0,)


def test_a_server_gets_its_tables_ahead_of_time(real: None, graphrt_cli: Graphrt):
    url = postgres_server().create_database()
    listing = ("threads", "list", "--checkpointer", url)
    assert "graphrt migrate" in graphrt_cli(*listing).err
    assert graphrt_cli("migrate", url).code == 0
    assert graphrt_cli("migrate", url).code == 0
    assert "0 threads" in graphrt_cli(*listing).out
    with PostgresStore.from_conn_string(url) as store:
        assert store.search(()) == []
    assert "CREATE SCHEMA" in graphrt_cli("migrate", url, "--sql").out
