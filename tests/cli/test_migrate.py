"""`graphrt migrate`: a database's tables, ahead of the programs that use them."""

from importlib.metadata import EntryPoint
from typing import Any

import pytest

from graphrt.checkpoint import urls
from tests.cli.conftest import Graphrt


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
