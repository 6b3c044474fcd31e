"""The graphs written for LangGraph's API. Only the import root differs between langgraph and graphrt."""

import itertools
import operator
import time
from collections.abc import Callable
from contextlib import aclosing
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any, TypedDict, cast

from bench import nodes
from bench.cases import CHAIN_IN_WIDE_CASES, Door
from bench.contestants.contract import Job, Lap

RECURSION_LIMIT_ABOVE = 20
"""Runs of fewer supersteps pass no config, as most programs do: LangGraph's default limit is 25."""


class Count(TypedDict):
    """The state of chains and loops."""

    x: int


class Results(TypedDict):
    """The state of a fan-out."""

    results: Annotated[list[int], operator.add]


class Messages(TypedDict):
    """The state of the agent loop."""

    messages: Annotated[list[dict[str, Any]], operator.add]


class LangGraphApi:
    """A contestant that speaks LangGraph's API, found under the package `root`.

    With `saver`, every graph is compiled with a fresh checkpointer and every run is the first of its thread.
    """

    def __init__(
        self, root: str, distributions: tuple[str, ...], saver: Callable[[], Any] | None = None
    ) -> None:
        self.root = root
        self.distributions = distributions
        self.saver = saver
        self.graph: Any = import_module(f"{root}.graph")
        self.types: Any = import_module(f"{root}.types")
        self.threads = itertools.count()

    def versions(self) -> dict[str, str]:
        return {name: installed_version(name) for name in self.distributions}

    def chain(self, door: Door, length: int) -> Job:
        return self._chain(door, Count, [nodes.COUNT[door]] * length, {"x": 0}, count)

    def loop(self, door: Door, supersteps: int) -> Job:
        return self.job(door, self.compile(self.circle(door, supersteps)), {"x": 0}, supersteps, count)

    def fan_out(self, door: Door, sends: int) -> Job:
        send = self.types.Send

        def spread(state: nodes.State) -> list[Any]:
            return [send("work", parcel) for parcel in nodes.parcels(sends)]

        builder = self.graph.StateGraph(Results)
        builder.add_node("work", nodes.WORK[door])
        builder.add_conditional_edges(self.graph.START, nodes.routing(door, spread), ["work"])
        builder.add_edge("work", self.graph.END)
        return self.job(door, self.compile(builder), {"results": []}, 1, lambda state: state["results"])

    def wide_state(self, door: Door, channels: int) -> Job:
        schema = state_of(dict.fromkeys(nodes.wide_state(channels), int))
        row = [nodes.WIDE_STATE[door]] * CHAIN_IN_WIDE_CASES
        return self._chain(door, schema, row, nodes.wide_state(channels), lambda state: state["c0"])

    def wide_dict(self, door: Door, keys: int) -> Job:
        row = [nodes.WIDE_DICT[door]] * CHAIN_IN_WIDE_CASES
        schema = state_of({"data": dict[str, int]})
        return self._chain(
            door, schema, row, nodes.wide_dict(keys), lambda state: (len(state["data"]), state["data"]["k0"])
        )

    def agent(self, door: Door, turns: int) -> Job:
        builder = self.graph.StateGraph(Messages)
        builder.add_node("model", nodes.model(door, turns))
        builder.add_node("tool", nodes.TOOL[door])
        builder.add_edge(self.graph.START, "model")
        routes = {nodes.AGAIN: "tool", nodes.DONE: self.graph.END}
        builder.add_conditional_edges("model", nodes.routing(door, nodes.wants_tool), routes)
        builder.add_edge("tool", "model")
        opening = {"messages": nodes.question()}
        return self.job(
            door, self.compile(builder), opening, 2 * turns + 1, lambda state: len(state["messages"])
        )

    def first_event(self, door: Door, length: int) -> Lap:
        graph = self.compile(self.row(Count, [nodes.COUNT[door]] * length))
        config = self.configure(length)

        async def lap() -> float:
            started = time.perf_counter()
            async with aclosing(graph.astream({"x": 0}, config(), stream_mode="updates")) as events:
                async for _ in events:
                    return time.perf_counter() - started
            raise RuntimeError("the stream ended without an event")

        return Lap(lap, answer=lambda _: None)

    def compile_graph(self, door: Door, length: int) -> Job:
        row: list[nodes.Node] = [nodes.count_async] * length
        return Job(lambda: self.compile(self.row(Count, row)), lambda graph: len(graph.builder.nodes))

    def nap(self, door: Door, milliseconds: int) -> Job:
        return self._chain(door, Count, [nodes.nap(door, milliseconds)], {"x": 0}, count)

    def last_value(self, door: Door, operations: int) -> Job:
        channel: Any = import_module(f"{self.root}.channels").LastValue(int)
        return Job(lambda: drive_channel(channel, ([i] for i in range(operations))), lambda value: value)

    def reducer(self, door: Door, operations: int) -> Job:
        aggregate: Any = import_module(f"{self.root}.channels").BinaryOperatorAggregate

        def start() -> Any:
            return drive_channel(aggregate(int, operator.add), ([1] for _ in range(operations)))

        return Job(start, lambda value: value)

    def compile(self, builder: Any) -> Any:
        """Compile as this contestant does: with its checkpointer, when it has one."""
        return builder.compile() if self.saver is None else builder.compile(checkpointer=self.saver())

    def configure(self, supersteps: int) -> Callable[[], dict[str, Any] | None]:
        """Return what makes the config of each run: a thread of its own, a limit that is high enough, or none."""
        limit = {"recursion_limit": supersteps + 10} if supersteps > RECURSION_LIMIT_ABOVE else None
        if self.saver is None:
            return lambda: limit
        return lambda: {"configurable": {"thread_id": f"thread-{next(self.threads)}"}, **(limit or {})}

    def _chain(
        self,
        door: Door,
        schema: type,
        row: list[nodes.Node],
        state: nodes.Update,
        answer: Callable[[Any], object],
    ) -> Job:
        return self.job(door, self.compile(self.row(schema, row)), state, len(row), answer)

    def circle(self, door: Door, supersteps: int) -> Any:
        """Return a builder of one node and a router that repeats it."""
        builder = self.graph.StateGraph(Count)
        builder.add_node("tick", nodes.COUNT[door])
        builder.add_edge(self.graph.START, "tick")
        routes = {nodes.AGAIN: "tick", nodes.DONE: self.graph.END}
        return builder.add_conditional_edges("tick", nodes.routing(door, nodes.until(supersteps)), routes)

    def row(self, schema: type, row: list[nodes.Node], output: type | None = None) -> Any:
        """Return a builder of nodes that run one after the other."""
        builder = self.graph.StateGraph(schema, output_schema=output)
        names = [f"n{i}" for i in range(len(row))]
        for name, node in zip(names, row, strict=True):
            builder.add_node(name, node)
        for source, target in itertools.pairwise([self.graph.START, *names, self.graph.END]):
            builder.add_edge(source, target)
        return builder

    def job(
        self, door: Door, graph: Any, state: Any, supersteps: int, answer: Callable[[Any], object]
    ) -> Job:
        """Return the job of running the graph with this input."""
        run: Callable[..., Any] = graph.ainvoke if door == "async" else graph.invoke
        config = self.configure(supersteps)
        return Job(lambda: run(state, config()), answer)


def count(state: nodes.State) -> object:
    return state["x"]


def state_of(fields: dict[str, Any]) -> type:
    """Return a TypedDict with these fields; the functional form, since the names are computed."""
    return cast("type", cast("Any", TypedDict)("WideState", fields))


def drive_channel(channel: Any, updates: Any) -> Any:
    value: Any = None
    for update in updates:
        channel.update(update)
        value = channel.get()
    return value


def installed_version(distribution: str) -> str:
    """Return the version, or say that the package is run from its source tree."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "source tree"
