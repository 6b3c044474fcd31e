"""The blocking names mirror the async ones: same parameters, same results, from any thread without a running loop."""

import asyncio
import contextvars
import inspect
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from graphrt.checkpoint.memory import InMemorySaver
from graphrt.errors import GraphRecursionError
from graphrt.types import Send, StreamWriter
from tests.acceptance.graphs import Log, graph, named, thread

MIRRORED = [
    "invoke", "stream", "batch", "get_state", "get_state_history", "update_state", "bulk_update_state", "get_subgraphs",
]  # fmt: skip


def says_plainly(word: str) -> Any:
    """`says(word)` as a plain function."""
    return named(word, lambda state: {"log": [word]})


def plain(*words: str, **options: Any) -> Any:
    path = "START " + " ".join(words)
    return graph(Log, *map(says_plainly, words), paths=[path]).compile(**options)


def both(app: Any, name: str, *args: Any, **options: Any) -> tuple[Any, Any]:
    """What the blocking and the async form of a method give back, streams as lists."""

    async def asynchronous() -> Any:
        result = getattr(app, "a" + name)(*args, **options)
        return await result if inspect.isawaitable(result) else [item async for item in result]

    result = getattr(app, name)(*args, **options)
    return list(result) if isinstance(result, Iterator) else result, asyncio.run(asynchronous())


class FailsOnce:
    """A plain node that raises ConnectionError the first time."""

    def __init__(self) -> None:
        self.calls = 0

    def node(self, state: Log) -> dict[str, Any]:
        self.calls += 1
        if self.calls == 1:
            raise ConnectionError("no route")
        return {"log": ["flaky"]}


@pytest.mark.parity("1.7")
@pytest.mark.parametrize("name", MIRRORED)
def test_the_blocking_form_takes_what_the_async_form_takes(name: str) -> None:
    app = plain("a")
    blocking, waiting = (inspect.signature(getattr(app, door)) for door in (name, "a" + name))
    named_only = [p for p in waiting.parameters.values() if p.kind is p.KEYWORD_ONLY]
    positional = [p for p in waiting.parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    blocking.bind(*(None for _ in positional), **{p.name: None for p in named_only})


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"stream_mode": "updates"},
        {"stream_mode": ["updates", "values"]},
        {"output_keys": "log"},
        {"version": "v2"},
    ],
)
def test_invoke_gives_what_ainvoke_gives(options: Any) -> None:
    blocking, waiting = both(plain("a", "b"), "invoke", {"log": ["in"]}, **options)
    assert blocking == waiting


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"stream_mode": "values"},
        {"stream_mode": ["updates", "values", "custom"]},
        {"stream_mode": "tasks"},
        {"stream_mode": "updates", "version": "v2"},
        {"output_keys": ["log"]},
    ],
)
def test_stream_gives_what_astream_gives(options: Any) -> None:
    def without_ids(chunks: list[Any]) -> list[Any]:
        return [{**c, "id": None} if isinstance(c, dict) and "id" in c else c for c in chunks]

    blocking, waiting = both(plain("a", "b"), "stream", {"log": ["in"]}, **options)
    assert without_ids(blocking) == without_ids(waiting)


def test_batch_gives_what_abatch_gives() -> None:
    blocking, waiting = both(plain("a"), "batch", [{"log": ["1"]}, {"log": ["2"]}, {"log": ["3"]}])
    assert blocking == waiting == [{"log": [n, "a"]} for n in "123"]


def test_batch_takes_a_config_for_each_input() -> None:
    app = plain("a", checkpointer=InMemorySaver())
    app.batch([{"log": ["1"]}, {"log": ["2"]}], [thread("t1"), thread("t2")])
    assert app.get_state(thread("t2")).values == {"log": ["2", "a"]}


def test_batch_can_return_exceptions() -> None:
    def picky(state: Log) -> None:
        if state["log"] == ["bad"]:
            raise KeyError("bad")

    app = graph(Log, picky, paths=["START picky"]).compile()
    good, bad = app.batch([{"log": ["good"]}, {"log": ["bad"]}], return_exceptions=True)
    assert good == {"log": ["good"]}
    assert isinstance(bad, KeyError)


def test_batch_raises_what_a_run_raises() -> None:
    with pytest.raises(ConnectionError):
        graph(Log, ("flaky", FailsOnce().node), paths=["START flaky"]).compile().batch([{"log": []}])


@pytest.mark.parity("N1")
def test_get_state_gives_what_aget_state_gives() -> None:
    app = plain("a", "b", checkpointer=InMemorySaver())
    app.invoke({"log": ["in"]}, thread())
    blocking, waiting = both(app, "get_state", thread())
    assert blocking == waiting
    assert blocking.values == {"log": ["in", "a", "b"]}


@pytest.mark.parity("N4")
@pytest.mark.parametrize("options", [{}, {"limit": 2}, {"filter": {"source": "loop"}}])
def test_get_state_history_gives_what_aget_state_history_gives(options: Any) -> None:
    app = plain("a", "b", checkpointer=InMemorySaver())
    app.invoke({"log": ["in"]}, thread())
    blocking, waiting = both(app, "get_state_history", thread(), **options)
    assert blocking == waiting
    assert len(blocking) >= 2


@pytest.mark.parity("N4")
def test_get_state_history_goes_back_from_a_checkpoint() -> None:
    app = plain("a", "b", checkpointer=InMemorySaver())
    app.invoke({"log": ["in"]}, thread())
    shown = list(app.get_state_history(thread()))
    assert list(app.get_state_history(thread(), before=shown[1].config)) == shown[2:]


@pytest.mark.parity("N2")
@pytest.mark.parametrize("name", ["get_state", "get_state_history"])
def test_without_a_checkpointer_there_is_nothing_to_read(name: str) -> None:
    with pytest.raises(ValueError, match="No checkpointer set"):
        both(plain("a"), name, thread())


def test_turns_may_come_through_either_door() -> None:
    app = plain("a", checkpointer=InMemorySaver())
    app.invoke({"log": ["one"]}, thread())
    result = asyncio.run(app.ainvoke({"log": ["two"]}, thread()))
    assert result == app.get_state(thread()).values == {"log": ["one", "a", "two", "a"]}


@pytest.mark.parity("K8")
@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
def test_a_failed_run_goes_on_where_it_stopped(durability: Any) -> None:
    builder = graph(Log, says_plainly("a"), ("flaky", FailsOnce().node), paths=["START a flaky"])
    app = builder.compile(checkpointer=InMemorySaver())
    with pytest.raises(ConnectionError):
        app.invoke({"log": ["in"]}, thread(), durability=durability)
    assert app.get_state(thread()).next == ("flaky",)
    assert app.invoke(None, thread(), durability=durability) == {"log": ["in", "a", "flaky"]}


def test_an_error_of_a_node_comes_out_of_the_stream() -> None:
    builder = graph(Log, says_plainly("a"), ("flaky", FailsOnce().node), paths=["START a flaky"])
    stream = builder.compile().stream({})
    assert next(stream) == {"a": {"log": ["a"]}}
    with pytest.raises(ConnectionError):
        next(stream)


def test_the_step_limit_holds_behind_the_blocking_door() -> None:
    app = graph(Log, says_plainly("a"), paths=["START a a"]).compile()
    with pytest.raises(GraphRecursionError):
        app.invoke({}, {"recursion_limit": 3})


def test_stream_is_a_generator_that_starts_when_asked() -> None:
    ran: list[str] = []
    app = graph(Log, ("node", lambda state: ran.append("node")), paths=["START node"]).compile()
    stream: Any = app.stream({})
    assert inspect.isgenerator(stream)
    stream.close()
    assert ran == []


def test_stream_does_not_run_ahead_of_its_reader() -> None:
    ran: list[str] = []

    def recording(word: str) -> Any:
        return named(word, lambda state: ran.append(word))

    app = graph(Log, *map(recording, "abcd"), paths=["START a b c d"]).compile()
    stream: Any = app.stream({}, stream_mode="updates")
    next(stream)
    assert "c" not in ran
    stream.close()
    assert "d" not in ran


def test_a_node_writes_to_the_stream() -> None:
    def writes(state: Log, writer: StreamWriter) -> None:
        for number in range(3):
            writer(number)

    app = graph(Log, writes, paths=["START writes"]).compile()
    assert list(app.stream({}, stream_mode="custom")) == [0, 1, 2]


def test_plain_nodes_of_one_step_run_at_the_same_time() -> None:
    meeting = threading.Barrier(3, timeout=30)

    def meets(word: str) -> Any:
        def node(state: Log) -> None:
            meeting.wait()

        return named(word, node)

    app = graph(Log, *map(meets, "abc"), paths=["START a", "START b", "START c"]).compile()
    app.invoke({})
    assert not meeting.broken


@pytest.mark.parity("H1")
def test_sends_work_behind_the_blocking_door() -> None:
    def double(number: int) -> dict[str, Any]:
        return {"log": [str(number * 2)]}

    builder = graph(Log, double, paths=[])
    builder.add_conditional_edges("__start__", lambda state: [Send("double", n) for n in range(4)])
    assert builder.compile().invoke({}) == {"log": ["0", "2", "4", "6"]}


def test_nodes_see_the_callers_context_variables() -> None:
    user: contextvars.ContextVar[str] = contextvars.ContextVar("user")
    user.set("u1")
    app = graph(Log, ("look", lambda state: {"log": [user.get()]}), paths=["START look"]).compile()
    assert app.invoke({}) == {"log": ["u1"]}


def test_what_a_node_sets_does_not_reach_the_caller() -> None:
    user: contextvars.ContextVar[str] = contextvars.ContextVar("user", default="nobody")

    def sets(state: Log) -> None:
        user.set("somebody")

    graph(Log, sets, paths=["START sets"]).compile().invoke({})
    assert user.get() == "nobody"


def test_many_threads_may_use_one_graph() -> None:
    app = plain("a", "b", checkpointer=InMemorySaver())
    results: dict[int, Any] = {}

    def use(number: int) -> None:
        results[number] = app.invoke({"log": [str(number)]}, thread(f"t{number}"))

    users = [threading.Thread(target=use, args=(number,)) for number in range(8)]
    for user in users:
        user.start()
    for user in users:
        user.join()
    assert results == {n: {"log": [str(n), "a", "b"]} for n in range(8)}


def test_a_plain_node_may_use_the_blocking_door_of_another_graph() -> None:
    inner = plain("inner")

    def calls(state: Log) -> Any:
        return inner.invoke({"log": []})

    app = graph(Log, calls, paths=["START calls"]).compile()
    assert app.invoke({"log": ["in"]}) == {"log": ["in", "inner"]}


async def test_a_plain_node_of_an_async_run_may_use_the_blocking_door() -> None:
    inner = plain("inner")

    def calls(state: Log) -> Any:
        return inner.invoke({"log": []})

    app = graph(Log, calls, paths=["START calls"]).compile()
    assert await app.ainvoke({"log": ["in"]}) == {"log": ["in", "inner"]}


async def test_the_blocking_door_may_be_used_from_a_thread_of_an_async_program() -> None:
    app = plain("a")
    assert await asyncio.to_thread(app.invoke, {"log": ["in"]}) == {"log": ["in", "a"]}
