"""A program with graphs in it, and the command line run on it in this process."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path
from textwrap import dedent
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from graphrt.checkpoint import urls
from graphrt.cli.commands import graphrt

HEAD = """
import operator
from typing import Annotated, TypedDict

from graphrt.checkpoint.memory import InMemorySaver
from graphrt.graph import END, START, StateGraph
from graphrt.types import Command, StreamWriter, interrupt


class State(TypedDict, total=False):
    n: int


def one(node, **compiled):
    return StateGraph(State).add_node("node", node).add_edge(START, "node")


async def add_one(state):
    return {"n": state["n"] + 1}


async def fail(state):
    raise ValueError("no good")


builder = one(add_one)
graph = builder.compile()
failing = one(fail)
asking = one(lambda state: {"n": interrupt({"how many": state["n"]})})
remembering = builder.compile(checkpointer=InMemorySaver())
number = 3
"""


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[Any]:
        return [msgspec.json.decode(line) for line in self.out.splitlines()]

    @property
    def result(self) -> Any:
        assert self.lines[-1]["type"] == "result"
        return self.lines[-1]["data"]


Graphrt = Callable[..., Ended]


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], Path]:
    """Write a file with the graphs above and more."""

    def write(more: str = "", name: str = "graphs.py") -> Path:
        path = tmp_path / name
        path.write_text(HEAD + dedent(more))
        return path

    return write


@pytest.fixture
def graphrt_cli(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Graphrt]:
    """Run `graphrt ARGS` in an empty directory; what it imports is forgotten afterwards."""
    memory = EntryPoint("memory", "checkpointers.memory:InMemorySaver", urls.GROUP)
    monkeypatch.setattr(urls, "entry_points", lambda *, group: [memory])  # installed or not
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(tmp_path)
    before = set(sys.modules)

    def run(*args: str, stdin: str = "") -> Ended:
        ended = CliRunner().invoke(graphrt, list(args), input=stdin)
        return Ended(ended.exit_code, ended.stdout, ended.stderr)

    yield run
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and str(tmp_path) in str(sys.modules[name].__file__):
            del sys.modules[name]
