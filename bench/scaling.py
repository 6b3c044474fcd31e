"""Does a superstep cost more when more of the graph is idle, or when many supersteps have gone before?

Each kind is measured at a small and a large size; the node itself notes the time, and the median of the
differences is the cost of a superstep, free of what starting a run costs.
"""

import statistics
import time
from itertools import pairwise
from typing import Any, Literal

from bench import nodes
from bench.contestants.contract import Contestant, NotOfferedError
from bench.contestants.langgraph_api import Count, LangGraphApi, state_of
from bench.measure import run_on_loop

Kind = Literal[
    "idle nodes", "idle channels, never written", "idle channels, holding a value", "supersteps before"
]
KINDS: tuple[Kind, ...] = (
    "idle nodes",
    "idle channels, never written",
    "idle channels, holding a value",
    "supersteps before",
)
SMALL, LARGE = 10, 1_000
EARLY, LATE, LATE_QUICK = 10, 100_000, 1_000
WINDOW = 500
"""Supersteps whose median is taken."""
WARMUP = 100


def sizes(kind: Kind, late: int) -> tuple[int, int]:
    return (EARLY, late) if kind == "supersteps before" else (SMALL, LARGE)


def measure_growth(contestant: Contestant, kind: Kind, size: int) -> float:
    """Return the median seconds of a superstep at `size`. Raises NotOfferedError."""
    if not isinstance(contestant, LangGraphApi):
        raise NotOfferedError("measured for runtimes with LangGraph's API only")
    before = size if kind == "supersteps before" else WARMUP
    stamps: list[float] = []
    graph, state = idle_graph(contestant, kind, size, before + WINDOW, stamps)
    config = contestant.configure(before + WINDOW)()
    run_on_loop(run_once(graph, state, config))
    window = stamps[before : before + WINDOW]
    return statistics.median(later - earlier for earlier, later in pairwise(window))


async def run_once(graph: Any, state: nodes.Update, config: Any) -> None:
    await graph.ainvoke(state, config)


def idle_graph(
    api: LangGraphApi, kind: Kind, size: int, supersteps: int, stamps: list[float]
) -> tuple[Any, nodes.Update]:
    """Return a looping graph of which the rest is idle, and its input."""
    idle_channels = [f"idle{i}" for i in range(size)] if kind.startswith("idle channels") else []
    idle_nodes = [f"idle{i}" for i in range(size)] if kind == "idle nodes" else []

    async def tick(state: nodes.State) -> nodes.Update:
        stamps.append(time.perf_counter())
        return {"x": state["x"] + 1}

    async def enter(state: nodes.State) -> str:
        return "tick"

    builder = api.graph.StateGraph(state_of({"x": int} | dict.fromkeys(idle_channels, int)))
    builder.add_node("tick", tick, input_schema=Count)
    for name in idle_nodes:
        builder.add_node(name, nodes.count_async)
    builder.add_conditional_edges(api.graph.START, enter, ["tick", *idle_nodes])
    routes = {nodes.AGAIN: "tick", nodes.DONE: api.graph.END}
    builder.add_conditional_edges("tick", nodes.routing("async", nodes.until(supersteps)), routes)
    held = idle_channels if kind == "idle channels, holding a value" else []
    return api.compile(builder), {"x": 0, **dict.fromkeys(held, 0)}
