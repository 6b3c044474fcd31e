"""A run leaves nothing for the cycle collector; what is dropped dies at once."""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from graphrt.checkpoint.memory import InMemorySaver
from graphrt.errors import GraphRecursionError
from graphrt.types import Command, Send, StreamWriter
from tests.acceptance.graphs import Log, graph, named, says, thread
from tests.engine.worlds import DURABILITIES, SaverAround, chain, turns, waits_and_says

RUNS = 1_000


@pytest.fixture(autouse=True)
def _no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def collected_when_idle() -> int:
    """What a collection finds although nothing has run: a debugger or an earlier failed test may be noisy."""
    gc.collect()
    return gc.collect()


async def left_behind_by(run: Callable[[], Awaitable[Any]], *, runs: int = RUNS) -> int:
    """How many objects of `runs` runs only the collector could free."""
    for _ in range(20):  # caches, lazy imports and the loop's own lists settle
        await run()
    noise = collected_when_idle()
    for _ in range(runs):
        await run()
    return gc.collect() - noise


async def read(stream: Any) -> None:
    async for chunk in stream:
        del chunk  # it may hold the error that ends this very function


def plainly(word: str) -> Any:
    return named(word, lambda state: {"log": [word]})


async def jumps(state: Log) -> Command[Any]:
    return Command(update={"log": ["jumps"]}, goto="aside")


def fan(*extra: Any, paths: list[str] = []) -> Any:  # noqa: B006 - only read
    """Sends, a join, a Command and a router in one graph."""

    async def work(word: str) -> dict[str, Any]:
        return {"log": [word]}

    nodes = [waits_and_says("a"), says("b"), says("both"), jumps, says("aside"), work, *extra]
    builder = graph(Log, *nodes, paths=["START a", "START b", "a+b both", "both jumps", *paths])
    return builder.add_conditional_edges("both", lambda state: [Send("work", "x"), Send("work", "y")])


GRAPHS: dict[str, Callable[[], Any]] = {
    "async nodes": lambda: chain(says("a"), says("b")),
    "async nodes that wait": lambda: chain(waits_and_says("a"), waits_and_says("b")),
    "everything": lambda: fan().compile(),
}


@pytest.mark.parametrize("kind", GRAPHS)
async def test_runs_leave_nothing(kind: str) -> None:
    app = GRAPHS[kind]()
    assert await left_behind_by(lambda: app.ainvoke({"log": []})) == 0


async def test_runs_of_sync_nodes_leave_nothing() -> None:
    app = chain(plainly("a"), plainly("b"))
    assert await left_behind_by(lambda: app.ainvoke({"log": []}), runs=100) == 0


def left_behind_by_blocking(run: Callable[[], Any], *, runs: int = 300) -> int:
    for _ in range(20):
        run()
    noise = collected_when_idle()
    for _ in range(runs):
        run()
    return gc.collect() - noise


@pytest.mark.parametrize("node", [plainly, says])
@pytest.mark.parametrize("how", ["invoke", "stream"])
def test_runs_behind_the_sync_door_leave_nothing(how: str, node: Any) -> None:
    app = chain(node("a"), node("b"))
    run = {"invoke": lambda: app.invoke({"log": []}), "stream": lambda: read_blocking(app)}[how]
    assert left_behind_by_blocking(run) == 0


@pytest.mark.parametrize("waits", [0, 2])
@pytest.mark.parametrize("how", ["invoke", "stream"])
def test_failing_runs_behind_the_sync_door_leave_nothing(how: str, waits: int) -> None:
    async def fails(state: Log) -> None:
        await turns(waits)
        raise KeyError("lost")

    app = chain(plainly("a"), fails)

    def run() -> None:
        try:
            app.invoke({"log": []}) if how == "invoke" else read_blocking(app)
        except KeyError:
            pass

    assert left_behind_by_blocking(run) == 0


def read_blocking(app: Any) -> None:
    for chunk in app.stream({"log": []}):
        del chunk


@pytest.mark.parametrize("durability", DURABILITIES)
@pytest.mark.parametrize("saver", [InMemorySaver, SaverAround])
async def test_checkpointed_runs_leave_nothing(saver: Any, durability: Any) -> None:
    app = chain(says("a"), waits_and_says("b"), saver=saver())
    count = iter(range(10**6))

    async def run() -> None:
        await app.ainvoke({"log": []}, thread(f"t{next(count)}"), durability=durability)

    assert await left_behind_by(run, runs=300) == 0


async def test_a_long_thread_leaves_nothing() -> None:
    app = chain(says("a"), saver=InMemorySaver())
    assert await left_behind_by(lambda: app.ainvoke({}, thread()), runs=100) == 0


@pytest.mark.parametrize(
    "modes", ["values", ["values", "updates", "custom", "tasks", "checkpoints", "debug"]]
)
async def test_streams_leave_nothing(modes: Any) -> None:
    async def talks(state: Log, writer: StreamWriter) -> None:
        writer("plain")
        await writer.asend("awaited")

    app = fan(talks, paths=["START talks"]).compile()
    assert await left_behind_by(lambda: read(app.astream({"log": []}, stream_mode=modes)), runs=300) == 0


async def test_streams_that_are_left_early_leave_nothing() -> None:
    app = fan().compile()

    async def leave() -> None:
        async with app.astream({"log": []}) as stream:
            await anext(stream)

    assert await left_behind_by(leave, runs=300) == 0


async def test_streams_that_are_dropped_leave_nothing() -> None:
    app = fan().compile()

    async def drop() -> None:
        async for _ in app.astream({"log": []}):
            break
        await turns(5)

    assert await left_behind_by(drop, runs=300) == 0


async def fails(state: Log) -> None:
    raise KeyError("lost")


async def fails_later(state: Log) -> None:
    await turns(2)
    raise KeyError("lost")


@pytest.mark.parametrize("node", [fails, fails_later])
@pytest.mark.parametrize("saver", [None, InMemorySaver])
@pytest.mark.parametrize("path", ["START node", "START a node"])
async def test_failing_runs_leave_nothing(node: Any, saver: Any, path: str) -> None:
    builder = graph(
        Log, ("node", node), waits_and_says("a"), waits_and_says("b", for_turns=9), paths=["START b", path]
    )
    app = builder.compile(checkpointer=saver and saver())
    count = iter(range(10**6))

    async def run() -> None:
        try:
            await app.ainvoke({"log": []}, thread(f"t{next(count)}"))
        except KeyError:
            pass

    assert await left_behind_by(run, runs=300) == 0


@pytest.mark.parametrize("node", [fails, fails_later])
async def test_a_failing_lone_node_leaves_nothing(node: Any) -> None:
    app = chain(says("a"), ("node", node))

    async def run() -> None:
        try:
            await app.ainvoke({"log": []})
        except KeyError:
            pass

    assert await left_behind_by(run, runs=300) == 0


async def test_failing_streams_leave_nothing() -> None:
    app = chain(says("a"), fails_later)

    async def run() -> None:
        try:
            await read(app.astream({"log": []}, stream_mode=["tasks", "values"]))
        except KeyError:
            pass

    assert await left_behind_by(run, runs=300) == 0


async def test_runs_that_hit_the_step_limit_leave_nothing() -> None:
    app = graph(Log, says("a"), paths=["START a a"]).compile()

    async def run() -> None:
        try:
            await app.ainvoke({"log": []}, {"recursion_limit": 3})
        except GraphRecursionError:
            pass

    assert await left_behind_by(run, runs=300) == 0


async def test_cancelled_runs_leave_nothing() -> None:
    app = fan().compile()

    async def run() -> None:
        task = asyncio.ensure_future(app.ainvoke({"log": []}))
        await turns(2)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            pass

    assert await left_behind_by(run, runs=300) == 0
