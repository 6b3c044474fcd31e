"""Behind the blocking door: async nodes, typed refusals, nothing left alive (more than LangGraph offers there)."""

import asyncio
import subprocess
import sys
import threading
from typing import Any

import pytest

from graphrt.checkpoint.memory import InMemorySaver
from graphrt.errors import RunningLoopError
from tests.acceptance.graphs import Log, graph, named, thread

MIRRORED = ["invoke", "stream", "batch", "get_state", "get_state_history"]


def says_plainly(word: str) -> Any:
    """`says(word)` as a plain function."""
    return named(word, lambda state: {"log": [word]})


def plain(*words: str, **options: Any) -> Any:
    path = "START " + " ".join(words)
    return graph(Log, *map(says_plainly, words), paths=[path]).compile(**options)


class FailsOnce:
    """A plain node that raises ConnectionError the first time."""

    def __init__(self) -> None:
        self.calls = 0

    def node(self, state: Log) -> dict[str, Any]:
        self.calls += 1
        if self.calls == 1:
            raise ConnectionError("no route")
        return {"log": ["flaky"]}


@pytest.mark.parametrize("name", ["invoke", "stream"])
def test_a_parameter_that_does_not_exist_is_refused(name: str) -> None:
    with pytest.raises(TypeError):
        list(getattr(plain("a"), name)({}, stream_modes="values"))


def test_async_nodes_run_behind_the_blocking_door() -> None:
    async def waits(state: Log) -> dict[str, Any]:
        await asyncio.sleep(0)
        return {"log": ["waits"]}

    app = graph(Log, says_plainly("a"), waits, paths=["START a waits"]).compile(checkpointer=InMemorySaver())
    assert app.invoke({"log": ["in"]}, thread()) == {"log": ["in", "a", "waits"]}
    assert list(app.stream({}, thread()))[-1] == {"waits": {"log": ["waits"]}}


@pytest.mark.parametrize("name", MIRRORED)
async def test_inside_a_running_loop_the_error_names_the_async_method(name: str) -> None:
    app = plain("a", checkpointer=InMemorySaver())
    argument: Any = (
        {"log": []} if name in ("invoke", "stream") else [{"log": []}] if name == "batch" else thread()
    )
    with pytest.raises(RunningLoopError, match=f"a{name}"):
        result = getattr(app, name)(argument, *([thread()] if name in ("invoke", "stream", "batch") else []))
        list(result)


async def test_inside_a_running_loop_nothing_of_the_run_happens() -> None:
    ran: list[str] = []
    app = graph(Log, ("node", lambda state: ran.append("node")), paths=["START node"]).compile()
    with pytest.raises(RunningLoopError):
        app.invoke({})
    assert ran == []


def test_leaving_a_stream_early_ends_its_async_nodes() -> None:
    ended: list[str] = []

    async def waits(state: Log) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("waits")

    app = graph(Log, says_plainly("swift"), waits, paths=["START swift", "START waits"]).compile()
    stream: Any = app.stream({})
    assert next(stream) == {"swift": {"log": ["swift"]}}
    stream.close()
    assert ended == ["waits"]


def test_no_thread_is_left_behind_by_the_blocking_door() -> None:
    before = set(threading.enumerate())
    app = graph(Log, says_plainly("a"), says_plainly("b"), paths=["START a", "START b"]).compile()
    for _ in range(5):
        app.invoke({})
        list(app.stream({}))
    for worker in set(threading.enumerate()) - before:
        worker.join(30)
        assert not worker.is_alive()


def test_a_graph_works_again_after_the_blocking_door_failed() -> None:
    builder = graph(Log, ("flaky", FailsOnce().node), paths=["START flaky"])
    app = builder.compile()
    with pytest.raises(ConnectionError):
        app.invoke({})
    assert app.invoke({}) == {"log": ["flaky"]}


def test_a_threads_loop_is_closed_when_the_thread_ends() -> None:
    loops: list[asyncio.AbstractEventLoop] = []

    async def seen(state: Log) -> dict[str, Any]:
        loops.append(asyncio.get_running_loop())
        return {}

    app = graph(Log, named("seen", seen), paths=["START seen"]).compile()
    worker = threading.Thread(target=app.invoke, args=({"log": []},))
    worker.start()
    worker.join()
    assert [loop.is_closed() for loop in loops] == [True]


PROGRAM = """
from typing import TypedDict
from graphrt.graph import START, StateGraph

class State(TypedDict):
    n: int

async def count(state):
    return {"n": state["n"] + 1}

print(StateGraph(State).add_node(count).add_edge(START, "count").compile().invoke({"n": 1}))
"""


def test_a_program_ends_without_a_word_about_its_loop() -> None:
    ended = subprocess.run(
        [sys.executable, "-X", "dev", "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    assert (ended.stdout, ended.stderr) == ("{'n': 2}\n", "")
