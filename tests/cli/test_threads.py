"""`graphrt threads`: what is shown and what is forgotten, on a checkpointer that outlives each command."""

import asyncio
import operator
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Annotated, Any, ClassVar, TypedDict

import msgspec
import pytest

from graphrt.checkpoint import Checkpointer, urls
from graphrt.checkpoint.memory import InMemorySaver
from graphrt.cli.storage import without_password
from graphrt.cli.tables import sized
from graphrt.core.interrupts import INTERRUPT, PAUSED
from graphrt.graph import START, StateGraph
from graphrt.serde import Serializer
from graphrt.testing.conformance.records import Writer, result
from graphrt.types import Command, Send, interrupt
from tests.cli.conftest import Graphrt

KEPT = ("--checkpointer", "kept://user:s3cret@place")
Threads = Callable[..., Any]


class Kept:
    """A scheme whose threads are there until the test is over."""

    saver: ClassVar[Any] = None

    @classmethod
    def from_conn_string(cls, url: str) -> Any:
        return cls.saver


class Plain:
    """A checkpointer that can do what every one must."""

    immediate = True

    def __init__(self, saver: InMemorySaver) -> None:
        for name in ("commit", "append_results", "load", "history", "adelete_thread"):
            setattr(self, name, getattr(saver, name))


@pytest.fixture
def saver(graphrt_cli: Graphrt, monkeypatch: pytest.MonkeyPatch) -> InMemorySaver:
    monkeypatch.setattr(Kept, "saver", InMemorySaver())
    kept = EntryPoint("kept", f"{__name__}:Kept", urls.GROUP)
    monkeypatch.setattr(EntryPoint, "load", lambda point: Kept if point.name == "kept" else InMemorySaver)
    monkeypatch.setattr(urls, "entry_points", lambda *, group: [kept])
    return Kept.saver


@pytest.fixture
def threads(saver: InMemorySaver, graphrt_cli: Graphrt) -> Threads:
    """Run `graphrt threads ARGS` on that checkpointer."""
    return lambda *args, stdin="": graphrt_cli("threads", *args, *KEPT, stdin=stdin)


def write(work: Awaitable[Any]) -> Any:
    async def run() -> Any:
        return await work

    return asyncio.run(run())


def turns(saver: Any, thread: str, count: int = 3) -> Writer:
    """A thread of some checkpoints, in which `n` is the number of the last one."""
    dumps = Serializer().dumps
    writer = Writer(saver, thread)

    async def work() -> None:
        for number in range(count):
            await writer.commit({"n": dumps(number), "__start__": dumps(1)}, step=number - 1, next=("node",))

    write(work())
    return writer


# ---- looking


def test_threads_are_listed(saver: Any, threads: Threads):
    turns(saver, "ada")
    turns(saver, "bob", 1)
    ended = threads("list")
    assert ended.code == 0, ended.err
    ada, bob = [line.split() for line in ended.out.splitlines() if line.startswith(("ada", "bob"))]
    assert (ada[:3], bob[:3]) == (["ada", "3", "1"], ["bob", "1", "1"])
    assert "2 threads, 4 checkpoints" in ended.out


def test_threads_are_lines_for_programs(saver: Any, threads: Threads):
    writer = turns(saver, "ada")
    turns(saver, "bob")
    (line,) = threads("list", "--json", "--prefix", "a").lines
    assert (line["thread_id"], line["checkpoints"], line["head"]) == ("ada", 3, writer.head)
    assert datetime.fromisoformat(line["updated_at"]).tzinfo == UTC
    assert [line["thread_id"] for line in threads("list", "--json", "--after", "ada").lines] == ["bob"]
    assert len(threads("list", "--json", "--limit", "1").lines) == 1


def test_a_state_is_shown(saver: Any, threads: Threads):
    writer = turns(saver, "ada")
    write(writer.append(result("~__pregel_pull, node", error="ValueError('no')")))
    ended = threads("show", "ada")
    assert ended.code == 0, ended.err
    assert str(writer.head) in ended.out
    assert '"n": 2' in ended.out
    assert "ValueError('no')" in ended.out
    assert "__start__" not in ended.out


def test_a_state_is_an_object_for_programs(saver: Any, threads: Threads):
    writer = turns(saver, "ada")
    write(writer.append(result("~__pregel_pull, a", n=b"\x05"), result("~__pregel_pull, b", error="no")))
    (line,) = threads("show", "ada", "--json").lines
    assert (line["checkpoint_id"], line["step"], line["next"]) == (writer.head, 1, ["node"])
    assert line["values"] == {"n": 2}
    assert [(t["node"], t["status"], t["error"], t["writes"]) for t in line["tasks"]] == [
        ("a", "finished", None, ["n"]),
        ("b", "failed", "no", []),
    ]


def test_an_older_checkpoint_is_shown(saver: Any, threads: Threads):
    writer = turns(saver, "ada")
    (line,) = threads("show", "ada", "--json", "--checkpoint", writer.made[0]).lines
    assert line["values"] == {"n": 0}


class Point(msgspec.Struct):
    x: int


class State(TypedDict, total=False):
    point: Point
    log: Annotated[list[str], operator.add]


async def place(state: State) -> State:
    return {"point": Point(1), "log": ["b"]}


def test_values_are_shown_without_the_classes_of_the_graph(saver: Any, threads: Threads):
    graph = StateGraph(State).add_node(place).add_edge(START, "place").compile(checkpointer=saver)
    write(graph.ainvoke({"log": ["a"]}, {"configurable": {"thread_id": "ada"}}))
    (line,) = threads("show", "ada", "--json").lines
    assert line["values"]["log"] == ["a", "b"]
    assert line["values"]["point"]["data"] == {"x": 1}


def test_sends_that_wait_are_shown(saver: Any, threads: Threads):
    data = Serializer().dumps([Send("worker", {"n": 1})])
    write(Writer(saver, "ada").commit({"__pregel_tasks": data}))
    (line,) = threads("show", "ada", "--json").lines
    assert "worker" in str(line["sends"])


def test_bytes_that_cannot_be_read_do_not_hide_the_rest(saver: Any, threads: Threads):
    write(Writer(saver, "ada").commit({"n": Serializer().dumps(1), "secret": b"\xc1\x01garbage"}))
    (line,) = threads("show", "ada", "--json").lines
    assert line["values"]["n"] == 1
    assert line["values"]["secret"].startswith("<9 bytes that cannot be read")


def test_a_history_is_listed_newest_first(saver: Any, threads: Threads):
    writer = turns(saver, "ada", 4)
    lines = threads("history", "ada", "--json", "--limit", "2").lines
    assert [line["checkpoint_id"] for line in lines] == writer.made[:1:-1]
    ended = threads("history", "ada", "--before", writer.made[1])
    assert writer.made[0] in ended.out and writer.made[1] not in ended.out


def test_a_subgraph_has_a_history_of_its_own(saver: Any, threads: Threads):
    turns(saver, "ada")
    inner = Writer(saver, "ada", namespace="inner:1")
    write(inner.commit({"n": Serializer().dumps("deep")}))
    assert threads("show", "ada", "--json", "--namespace", "inner:1").lines[0]["values"] == {"n": "deep"}
    assert len(threads("history", "ada", "--json", "--namespace", "inner:1").lines) == 1


@pytest.mark.parametrize("command", ["list", "show", "history"])
def test_a_name_does_not_steer_the_terminal(saver: Any, threads: Threads, command: str):
    name = "\x1b]0;gotcha\x07[red]"
    writer = Writer(saver, name)
    write(writer.commit({"n": Serializer().dumps(1)}, next=(name,)))
    ended = threads(command, *([] if command == "list" else [name]))
    assert ended.code == 0, ended.err
    assert "\\x1b]0;gotcha\\x07[red]" in ended.out
    assert "\x1b" not in ended.out


# ---- open questions


async def ask(state: State) -> State:
    return {"log": [interrupt({"so far": state["log"]}), interrupt("sure?")]}


def asked(saver: Any, *commands: Any) -> None:
    """Run a graph within a graph on thread "ada": input, then what is given."""
    inner = StateGraph(State).add_node(ask).add_edge(START, "ask").compile()
    graph = StateGraph(State).add_node("inner", inner).add_edge(START, "inner").compile(checkpointer=saver)
    for given in ({"log": ["a"]}, *commands):
        write(graph.ainvoke(given, {"configurable": {"thread_id": "ada"}}))


def test_open_questions_are_listed_with_their_ids_and_who_asks(saver: Any, threads: Threads):
    asked(saver)
    (line,) = threads("show", "ada", "--json").lines
    (question,) = line["interrupts"]
    assert (len(question["id"]), question["node"], question["value"]) == (32, "ask", {"so far": ["a"]})
    assert [(task["node"], task["status"], task["error"]) for task in line["tasks"]] == [
        ("inner", "paused", None)
    ]
    within = threads("show", "ada", "--json", "--namespace", question["namespace"]).lines[0]
    assert within["interrupts"] == [question]


def test_open_questions_are_shown_to_people(saver: Any, threads: Threads):
    asked(saver)
    ended = threads("show", "ada")
    (id,) = [question["id"] for question in threads("show", "ada", "--json").lines[0]["interrupts"]]
    assert f'{id} ask asks {{"so far":["a"]}}' in ended.out


def test_what_is_answered_is_not_open(saver: Any, threads: Threads):
    asked(saver, Command(resume="first"))
    (line,) = threads("show", "ada", "--json").lines
    assert [question["value"] for question in line["interrupts"]] == ["sure?"]
    assert all(task["node"] for task in line["tasks"])
    asked(saver, Command(resume="first"), Command(resume="second"))
    assert threads("show", "ada", "--json").lines[0]["interrupts"] == []


def test_a_question_that_cannot_be_read_does_not_hide_the_rest(saver: Any, threads: Threads):
    writer = turns(saver, "ada")
    write(writer.append(result("~__pregel_pull, node", error=PAUSED, **{INTERRUPT: b"\xc1\x01garbage"})))
    (line,) = threads("show", "ada", "--json").lines
    assert (line["values"], line["interrupts"]) == ({"n": 2}, [])
    assert line["tasks"][0]["status"] == "paused"


def test_an_open_question_inside_is_still_asked_after_a_prune(saver: Any, threads: Threads):
    asked(saver, {"log": ["b"]})  # the first turn's question is given up
    before = threads("show", "ada", "--json").lines[0]["interrupts"]
    assert "Forgot 6 checkpoints" in threads("prune", "--yes").out
    (line,) = threads("list", "--json").lines
    assert (line["checkpoints"], line["namespaces"]) == (2, ["", before[0]["namespace"]])
    assert threads("show", "ada", "--json").lines[0]["interrupts"] == before


# ---- copying, pruning, deleting


def test_a_thread_is_copied(saver: Any, threads: Threads):
    turns(saver, "ada")
    assert threads("copy", "ada", "eve").out == "Copied 3 checkpoints of 'ada' to 'eve'.\n"
    assert threads("show", "eve", "--json").lines[0]["values"] == {"n": 2}


def test_a_copy_does_not_replace_a_thread(saver: Any, threads: Threads):
    turns(saver, "ada")
    turns(saver, "eve", 1)
    ended = threads("copy", "ada", "eve")
    assert (ended.code, "exists" in ended.err) == (3, True)
    assert saver.stats().checkpoints == 4


def test_threads_are_deleted_when_that_is_confirmed(saver: Any, threads: Threads):
    turns(saver, "ada")
    turns(saver, "bob")
    ended = threads("delete", "ada", "bob", stdin="y\n")
    assert "Delete 'ada', 'bob' from kept://user@place?" in ended.err
    assert ended.out == "Forgot 2 threads.\n"
    assert saver.stats().threads == 0


@pytest.mark.parametrize(
    "command", [["delete", "ada"], ["prune", "ada"], ["prune"], ["delete", "--older-than", "0s"]]
)
@pytest.mark.parametrize("answer", ["", "n\n", "\n"])
def test_nothing_is_forgotten_unless_it_is_confirmed(
    saver: Any, threads: Threads, command: list[str], answer: str
):
    turns(saver, "ada")
    ended = threads(*command, stdin=answer)
    assert (ended.code, "Aborted" in ended.err) == (1, True)
    assert saver.stats().checkpoints == 3


def test_threads_that_faded_are_deleted(saver: Any, threads: Threads):
    turns(saver, "ada")
    turns(saver, "bob")
    assert "0 checkpoints" in threads("delete", "--older-than", "2020-01-01", "--yes").out
    assert "Forgot 1 threads and 3 checkpoints" in threads("delete", "ada", "--older-than", "1s", "--yes").out
    assert [info.thread_id for info in saver.threads()] == ["bob"]


def test_a_thread_is_pruned(saver: Any, threads: Threads):
    turns(saver, "ada", 5)
    turns(saver, "bob", 5)
    assert "Forgot 3 checkpoints" in threads("prune", "ada", "--keep-last", "2", "--yes").out
    assert "Forgot 5 checkpoints" in threads("prune", "--yes").out
    assert saver.stats().checkpoints == 2


def test_pruning_by_age_keeps_the_newest(saver: Any, threads: Threads):
    turns(saver, "ada", 5)
    assert "Forgot 0 checkpoints" in threads("prune", "--older-than", "2020-01-01", "--yes").out
    assert "Forgot 4 checkpoints" in threads("prune", "--older-than", "30d", "--yes").out


def test_space_is_given_back_if_that_is_asked_for(
    saver: Any, threads: Threads, monkeypatch: pytest.MonkeyPatch
):
    async def areclaim() -> int:
        return 4_096

    turns(saver, "ada")
    assert "cannot give space back" in threads("prune", "--yes", "--reclaim").err
    monkeypatch.setattr(saver, "areclaim", areclaim, raising=False)
    assert "storage is 4.1 kB smaller" in threads("prune", "--yes", "--reclaim").out


@pytest.mark.parametrize("age", ["soon", "3", "-3d", "999999999w", "2026-99-99", "9999-12-31x"])
def test_an_age_that_is_none_is_refused(saver: Any, threads: Threads, age: str):
    ended = threads("prune", "--older-than", age, "--yes")
    assert (ended.code, "write 90m, 12h, 30d or 2w" in ended.err) == (2, True)


# ---- what goes wrong


@pytest.mark.parametrize(
    "command",
    [["show", "nobody"], ["history", "nobody"], ["copy", "nobody", "x"], ["delete", "nobody", "--yes"],
     ["prune", "nobody", "--yes"]],
)  # fmt: skip
@pytest.mark.parametrize("plain", [False, True])
def test_an_unknown_thread_is_an_error(
    saver: Any, threads: Threads, command: list[str], plain: bool, monkeypatch: pytest.MonkeyPatch
):
    turns(saver, "nobody else")
    if plain:
        monkeypatch.setattr(Kept, "saver", Plain(saver))
    ended = threads(*command)
    assert ended.code == 2
    assert "There is no thread 'nobody'" in ended.err or "cannot" in ended.err


def test_an_unknown_checkpoint_is_an_error(saver: Any, threads: Threads):
    turns(saver, "ada")
    assert "has no checkpoint nope." in threads("show", "ada", "--checkpoint", "nope").err
    assert "has no checkpoints in the namespace 'x'." in threads("show", "ada", "--namespace", "x").err


def test_what_a_checkpointer_cannot_do_is_said(saver: Any, threads: Threads, monkeypatch: pytest.MonkeyPatch):
    turns(saver, "ada")
    plain = Plain(saver)
    assert isinstance(plain, Checkpointer)
    monkeypatch.setattr(Kept, "saver", plain)
    for command, words in [("list", "list threads"), ("prune --yes", "prune"), ("copy ada eve", "copy")]:
        ended = threads(*command.split())
        assert (ended.code, f"(Plain) cannot {words}" in ended.err) == (2, True)
    assert threads("show", "ada", "--json").lines[0]["values"] == {"n": 2}
    assert threads("delete", "ada", "--yes").code == 0


def test_a_password_is_never_shown(threads: Threads, monkeypatch: pytest.MonkeyPatch):
    def refuse(url: str) -> Any:
        raise ConnectionError(f"could not connect to {url}, 's3cret'")

    monkeypatch.setattr(Kept, "from_conn_string", refuse)
    for extra in ([], ["--traceback"]):
        ended = threads("list", *extra)
        assert ended.code != 0
        assert "could not connect to kept://user:***@place" in ended.err
        assert "s3cret" not in ended.err + ended.out


@pytest.mark.parametrize(
    "url, shown",
    [
        ("sqlite:///chat.db", "sqlite:///chat.db"),
        ("postgresql://ada:pa@ss@host/db", "postgresql://ada@host/db"),
        ("postgresql://ada@host/db", "postgresql://ada@host/db"),
        ("postgresql:///db?user=ada&password=x%20y&port=1", "postgresql:///db?user=ada&password=***&port=1"),
        ("odd@thing", "odd@thing"),
    ],
)
def test_urls_are_shown_without_passwords(url: str, shown: str):
    assert without_password(url) == shown


def test_the_url_may_come_from_the_environment(
    saver: Any, graphrt_cli: Graphrt, monkeypatch: pytest.MonkeyPatch
):
    turns(saver, "ada")
    monkeypatch.setenv("GRAPHRT_CHECKPOINTER", KEPT[1])
    assert len(graphrt_cli("threads", "list", "--json").lines) == 1


def test_without_a_url_the_option_is_named(graphrt_cli: Graphrt):
    ended = graphrt_cli("threads", "list")
    assert (ended.code, "--checkpointer" in ended.err) == (2, True)


# ---- a real file


@pytest.fixture
def file(graphrt_cli: Graphrt, program: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> str:
    """A file with a thread of one run in it."""
    sqlite = EntryPoint("sqlite", "checkpointers.sqlite:SqliteSaver", urls.GROUP)
    monkeypatch.setattr(urls, "entry_points", lambda *, group: [sqlite])
    program("")
    url = "sqlite:///chat.db"
    command = ("run", "graphs.py:builder", "--thread", "ada", "--input", '{"n": 1}', "--checkpointer", url)
    assert graphrt_cli(*command).result == {"n": 2}
    return url


def test_threads_of_a_file_are_kept_between_commands(file: str, graphrt_cli: Graphrt):
    def threads(*args: str) -> Any:
        ended = graphrt_cli("threads", *args, "--checkpointer", file)
        assert ended.code == 0, ended.err
        return ended

    assert threads("show", "ada", "--json").lines[0]["values"] == {"n": 2}
    threads("copy", "ada", "eve")
    assert "Forgot" in threads("prune", "--yes", "--reclaim").out
    assert [line["checkpoints"] for line in threads("list", "--json").lines] == [1, 1]
    threads("delete", "ada", "--yes")
    assert threads("show", "eve", "--json").lines[0]["values"] == {"n": 2}


def test_a_file_that_is_not_there_is_not_made(file: str, graphrt_cli: Graphrt, tmp_path: Path):
    ended = graphrt_cli("threads", "list", "--checkpointer", "sqlite:///chta.db")
    assert (ended.code, "There is no file chta.db" in ended.err) == (2, True)
    assert not (tmp_path / "chta.db").exists()


@pytest.mark.parametrize(
    "count, text",
    [
        (None, "-"),
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1.0 kB"),
        (1_234_567, "1.2 MB"),
        (10**18, "1000000.0 TB"),
    ],
)
def test_sizes(count: int | None, text: str):
    assert sized(count) == text
