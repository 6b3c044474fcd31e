"""The words of the tests about graphs in graphs: nodes that ask, graphs that count visits, ways to look inside."""

import asyncio
import operator
from typing import Annotated, Any, TypedDict

import pytest

from graphrt.types import Command, interrupt
from tests.acceptance.graphs import Log, graph, named, says, thread
from tests.acceptance.streams import Flaky, chunks, history


class Visits(TypedDict):
    """The state of a graph that is visited."""

    visits: Annotated[int, operator.add]
    said: str


def asks(word: str) -> Any:
    """A node named `word` that asks `word` and logs the answer."""

    async def node(state: Any) -> dict[str, Any]:
        return {"log": [f"{word}={interrupt(word)}"]}

    return named(word, node)


def calls(name: str, child: Any, times: int = 1) -> Any:
    """A node named `name` that calls `child` with an empty log, one time after the other, and logs what it logged."""

    async def node(state: Any) -> dict[str, Any]:
        return {"log": [word for _ in range(times) for word in (await child.ainvoke({"log": []}))["log"]]}

    return named(name, node)


def chain(*nodes: Any, schema: Any = Log, **options: Any) -> Any:
    """A compiled graph of `nodes` one after the other; `options` are those of `compile()`."""
    names = [node[0] if isinstance(node, tuple) else node.__name__ for node in nodes]
    return graph(schema, *nodes, paths=["START " + " ".join(names)]).compile(**options)


def visited(scope: bool | None, arrivals: list[str], *, asking: bool = False) -> Any:
    """A graph that counts its visits in its state; `arrivals` has one entry for each time its first node ran."""

    async def arrive(state: Visits) -> dict[str, Any]:
        arrivals.append("arrived")
        return {"visits": 1}

    async def ask(state: Visits) -> dict[str, Any]:
        return {"said": interrupt("?") if asking else "nothing"}

    return chain(arrive, ask, schema=Visits, checkpointer=scope)


def hands_over(goto: Any = (), update: Any = None, to: str = Command.PARENT) -> Any:
    """A node named `hands_over` that returns a command for another graph."""

    async def node(state: Any) -> Any:
        return Command(graph=to, goto=goto, update=update)

    return named("hands_over", node)


def parent(child: Any, **options: Any) -> Any:
    """A graph with nodes child and b, and no way from one to the other but commands."""
    return graph(Log, ("child", child), says("b"), paths=["START child"], **options)


async def answered(app: Any, config: Any, *answers: Any) -> Any:
    """What a run returns that is paused and gets one answer after the other."""
    result = None
    for answer in answers:
        result = await app.ainvoke(Command(resume=answer), config)
    return result


async def at(app: Any, config: Any, *following: str) -> Any:
    """The config of the newest checkpoint that `following` come after."""
    return next(s.config for s in await history(app, config) if set(s.next) == set(following))


async def namespaces(app: Any, input: Any, config: Any = None, **options: Any) -> list[tuple[str, ...]]:
    """The namespaces of a run's updates, in the order in which they first show."""
    parts = await chunks(app, input, config, stream_mode="updates", subgraphs=True, **options)
    return list(dict.fromkeys(namespace for namespace, _ in parts))


def names(namespace: tuple[str, ...]) -> list[str]:
    """A streamed namespace without what tells one task from another."""
    return [part.partition(":")[0] for part in namespace]


async def shown(app: Any, input: Any, config: Any = None, **options: Any) -> list[Any]:
    """A stream's chunks with names for namespaces: `(["child"], ...)`."""
    found = await chunks(app, input, config, subgraphs=True, **options)
    return [(names(namespace), *rest) for namespace, *rest in found]


def failing_once(*siblings: Any) -> Any:
    """A graph of one step in which `flaky` fails, the first time, while `siblings` finish."""
    nodes = [*siblings, ("flaky", Flaky().node)]
    names = [node[0] if isinstance(node, tuple) else node.__name__ for node in nodes]
    return graph(Log, *nodes, paths=[f"START {name}" for name in names]).compile()


async def inside(app: Any, config: Any, *levels: int) -> Any:
    """The snapshot of the graph that the first task of a paused run is, or of one further down."""
    snapshot = await app.aget_state(config, subgraphs=True)
    for index in levels or (0,):
        snapshot = snapshot.tasks[index].state
    return snapshot


class FailsWhenTold:
    """A node `failed` that raises once, when something else of its step was reported."""

    def __init__(self) -> None:
        self.told = asyncio.Event()

    async def failed(self, state: Log) -> dict[str, Any]:
        if not self.told.is_set():
            await self.told.wait()
            raise ConnectionError("no route")
        return {"log": ["failed"]}

    def child(self, child: Any) -> Any:
        """A builder with `child` beside this node."""
        return graph(Log, ("child", child), self.failed, paths=["START child", "START failed"])

    async def fail_after(self, app: Any, reported: str) -> None:
        with pytest.raises(ConnectionError):
            async with asyncio.timeout(30):
                async for update in app.astream({"log": []}, thread(), stream_mode="updates"):
                    if reported in update:
                        self.told.set()
