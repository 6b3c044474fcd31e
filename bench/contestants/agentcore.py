"""agentcore-graph (C++). `compile(checkpointer=...)` raises NotImplementedError, so there is no entry with one."""

import operator
import time
from collections.abc import Callable
from contextlib import aclosing
from importlib import import_module
from importlib.metadata import version
from itertools import pairwise
from typing import Annotated, Any, TypedDict

from bench import nodes
from bench.cases import CHAIN_IN_WIDE_CASES, Door
from bench.contestants.contract import Contestant, Job, Lap, NotOfferedError


class Messages(TypedDict):
    """The state of the agent loop; the reducer is recognised and run natively."""

    messages: Annotated[list[dict[str, Any]], operator.add]


class AgentCore:
    """LangGraph-like builders over a native engine; `ainvoke` runs everything in a worker thread."""

    def __init__(self) -> None:
        self.library: Any = import_module("agentcore.graph")

    def versions(self) -> dict[str, str]:
        return {"agentcore-graph": version("agentcore-graph")}

    def chain(self, door: Door, length: int) -> Job:
        return self._chain(door, [nodes.COUNT[door]] * length, {"x": 0}, lambda state: state["x"])

    def loop(self, door: Door, supersteps: int) -> Job:
        graph = self._graph(dict)
        graph.add_node("tick", nodes.COUNT[door])
        graph.add_edge(self.library.START, "tick")
        self._branch(graph, "tick", nodes.until(supersteps), "tick")
        return self._job(door, graph.compile(), {"x": 0}, lambda state: state["x"])

    def fan_out(self, door: Door, sends: int) -> Job:
        raise NotOfferedError("has no Send: fan-out follows edges drawn beforehand")

    def wide_state(self, door: Door, channels: int) -> Job:
        row = [nodes.WIDE_STATE[door]] * CHAIN_IN_WIDE_CASES
        return self._chain(door, row, nodes.wide_state(channels), lambda state: state["c0"])

    def wide_dict(self, door: Door, keys: int) -> Job:
        row = [nodes.WIDE_DICT[door]] * CHAIN_IN_WIDE_CASES
        return self._chain(
            door, row, nodes.wide_dict(keys), lambda state: (len(state["data"]), state["data"]["k0"])
        )

    def agent(self, door: Door, turns: int) -> Job:
        graph = self._graph(Messages)
        graph.add_node("model", nodes.model(door, turns))
        graph.add_node("tool", nodes.TOOL[door])
        graph.add_edge(self.library.START, "model")
        self._branch(graph, "model", nodes.wants_tool, "tool")
        graph.add_edge("tool", "model")
        opening = {"messages": nodes.question()}
        return self._job(door, graph.compile(), opening, lambda state: len(state["messages"]))

    def first_event(self, door: Door, length: int) -> Lap:
        graph = self._row([nodes.COUNT[door]] * length)

        async def lap() -> float:
            started = time.perf_counter()
            async with aclosing(graph.astream({"x": 0})) as events:
                async for _ in events:
                    return time.perf_counter() - started
            raise RuntimeError("the stream ended without an event")

        return Lap(lap, answer=lambda _: None)

    def compile_graph(self, door: Door, length: int) -> Job:
        row: list[nodes.Node] = [nodes.count_sync] * length
        return Job(lambda: self._row(row), lambda graph: graph.invoke({"x": 0})["x"])

    def nap(self, door: Door, milliseconds: int) -> Job:
        return self._chain(door, [nodes.nap(door, milliseconds)], {"x": 0}, lambda state: state["x"])

    def last_value(self, door: Door, operations: int) -> Job:
        raise NotOfferedError("channels live inside the engine")

    def reducer(self, door: Door, operations: int) -> Job:
        raise NotOfferedError("channels live inside the engine")

    def _graph(self, schema: type) -> Any:
        return self.library.StateGraph(schema, name="bench", worker_count=1)

    def _row(self, row: list[nodes.Node]) -> Any:
        graph = self._graph(dict)
        names = [f"n{i}" for i in range(len(row))]
        for name, node in zip(names, row, strict=True):
            graph.add_node(name, node)
        for source, target in pairwise([self.library.START, *names, self.library.END]):
            graph.add_edge(source, target)
        return graph.compile()

    def _branch(self, graph: Any, source: str, router: Callable[[nodes.State], str], again: str) -> None:
        routes = {nodes.AGAIN: again, nodes.DONE: self.library.END}
        graph.add_conditional_edges(source, router, routes)

    def _chain(
        self, door: Door, row: list[nodes.Node], initial: nodes.Update, answer: Callable[[Any], object]
    ) -> Job:
        return self._job(door, self._row(row), initial, answer)

    def _job(self, door: Door, graph: Any, initial: nodes.Update, answer: Callable[[Any], object]) -> Job:
        run: Callable[..., Any] = graph.ainvoke if door == "async" else graph.invoke
        return Job(lambda: run(initial), answer)


def contestant() -> Contestant:
    return AgentCore()
