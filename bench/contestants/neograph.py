"""neograph-engine (C++), without a checkpoint store."""

import itertools
import operator
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from typing import Any

from bench import nodes
from bench.cases import CHAIN_IN_WIDE_CASES, Door
from bench.contestants.contract import Contestant, Job, Lap, NotOfferedError

NO_ASYNC = "rejects `async def` nodes with a TypeError"
START, END = "__start__", "__end__"


class View:
    """neograph's state as the mapping that the node functions read."""

    __slots__ = ("state",)

    def __init__(self, state: Any) -> None:
        self.state = state

    def __getitem__(self, channel: str) -> Any:
        return self.state.get(channel)


class Neograph:
    """Topologies as dicts; nodes, routers and reducers are registered by name.

    With `store`, every graph is compiled with a fresh checkpoint store and every run is the first of its thread.
    """

    def __init__(self, store: Callable[[], Any] | None = None) -> None:
        self.library: Any = import_module("neograph_engine")
        self.store = store
        self.threads = itertools.count()
        self.names = itertools.count()
        self.library.ReducerRegistry.register_reducer("add", add)

    def versions(self) -> dict[str, str]:
        return {"neograph-engine": version("neograph-engine")}

    def chain(self, door: Door, length: int) -> Job:
        return self._chain(door, nodes.COUNT[door], length, {"x": 0}, lambda state: state["x"])

    def loop(self, door: Door, supersteps: int) -> Job:
        tick = self._node(door, nodes.COUNT[door])
        again = self._router(nodes.until(supersteps))
        graph: nodes.Update = {
            "channels": overwritten({"x": 0}),
            "nodes": {"tick": {"type": tick}},
            "edges": [{"from": START, "to": "tick"}],
            "conditional_edges": [
                {"from": "tick", "condition": again, "routes": {nodes.AGAIN: "tick", nodes.DONE: END}}
            ],
        }
        return self._job(self._compile(graph), {"x": 0}, supersteps, lambda state: state["x"])

    def fan_out(self, door: Door, sends: int) -> Job:
        library = self.library

        def spread(_: Any) -> list[Any]:
            return [library.Send("work", parcel) for parcel in nodes.parcels(sends)]

        graph: nodes.Update = {
            "channels": {"results": {"reducer": "add", "initial": []}, "i": {"reducer": "overwrite"}},
            "nodes": {
                "spread": {"type": self._register(spread)},
                "work": {"type": self._node(door, nodes.WORK[door])},
            },
            "edges": [{"from": START, "to": "spread"}, {"from": "work", "to": END}],
        }
        return self._job(self._compile(graph), {"results": []}, 2, lambda state: state["results"])

    def wide_state(self, door: Door, channels: int) -> Job:
        initial = nodes.wide_state(channels)
        return self._chain(
            door, nodes.WIDE_STATE[door], CHAIN_IN_WIDE_CASES, initial, lambda state: state["c0"]
        )

    def wide_dict(self, door: Door, keys: int) -> Job:
        initial = nodes.wide_dict(keys)
        return self._chain(
            door,
            nodes.WIDE_DICT[door],
            CHAIN_IN_WIDE_CASES,
            initial,
            lambda state: (len(state["data"]), state["data"]["k0"]),
        )

    def agent(self, door: Door, turns: int) -> Job:
        graph: nodes.Update = {
            "channels": {"messages": {"reducer": "add", "initial": []}},
            "nodes": {
                "model": {"type": self._node(door, nodes.model(door, turns))},
                "tool": {"type": self._node(door, nodes.TOOL[door])},
            },
            "edges": [{"from": START, "to": "model"}, {"from": "tool", "to": "model"}],
            "conditional_edges": [
                {
                    "from": "model",
                    "condition": self._router(nodes.wants_tool),
                    "routes": {nodes.AGAIN: "tool", nodes.DONE: END},
                }
            ],
        }
        opening = {"messages": nodes.question()}
        return self._job(self._compile(graph), opening, 2 * turns + 1, lambda state: len(state["messages"]))

    def first_event(self, door: Door, length: int) -> Lap:
        raise NotOfferedError(NO_ASYNC)

    def compile_graph(self, door: Door, length: int) -> Job:
        kind = self._node("sync", nodes.count_sync)
        return Job(
            lambda: self._row(kind, length, {"x": 0}),
            lambda engine: self._state(engine.run(self._config({"x": 0}, length)))["x"],
        )

    def nap(self, door: Door, milliseconds: int) -> Job:
        raise NotOfferedError(NO_ASYNC)

    def last_value(self, door: Door, operations: int) -> Job:
        raise NotOfferedError("channels live inside the engine")

    def reducer(self, door: Door, operations: int) -> Job:
        raise NotOfferedError("channels live inside the engine")

    def _chain(
        self, door: Door, node: Any, length: int, initial: nodes.Update, answer: Callable[[Any], object]
    ) -> Job:
        return self._job(self._row(self._node(door, node), length, initial), initial, length, answer)

    def _row(self, kind: str, length: int, initial: nodes.Update) -> Any:
        names = [f"n{i}" for i in range(length)]
        edges = [{"from": a, "to": b} for a, b in itertools.pairwise([START, *names, END])]
        return self._compile(
            {
                "channels": overwritten(initial),
                "nodes": {name: {"type": kind} for name in names},
                "edges": edges,
            }
        )

    def _job(
        self, engine: Any, initial: nodes.Update, supersteps: int, answer: Callable[[Any], object]
    ) -> Job:
        return Job(
            lambda: engine.run(self._config(initial, supersteps)), lambda result: answer(self._state(result))
        )

    def _config(self, initial: nodes.Update, supersteps: int) -> Any:
        thread = "thread" if self.store is None else f"thread-{next(self.threads)}"
        return self.library.RunConfig(thread_id=thread, input=initial, max_steps=supersteps + 10)

    def _state(self, result: Any) -> nodes.Update:
        channels: nodes.Update = result.output["channels"]
        return {name: cell["value"] for name, cell in channels.items()}

    def _compile(self, graph: nodes.Update) -> Any:
        store = None if self.store is None else self.store()
        return self.library.GraphEngine.compile({"name": "bench", **graph}, self.library.NodeContext(), store)

    def _node(self, door: Door, node: Any) -> str:
        if door == "async":
            raise NotOfferedError(NO_ASYNC)
        write = self.library.ChannelWrite

        def run(state: Any) -> list[Any]:
            return [write(channel, value) for channel, value in node(View(state)).items()]

        return self._register(run)

    def _register(self, run: Callable[[Any], list[Any]]) -> str:
        name = f"node-{next(self.names)}"

        class Node(self.library.GraphNode):  # type: ignore[misc,name-defined]
            """A node that runs a plain function."""

            def get_name(self) -> str:
                return name

            def run(self, given: Any) -> list[Any]:
                return run(given.state)

        def make(*_: Any) -> Node:
            return Node()

        self.library.NodeFactory.register_type(name, make)
        return name

    def _router(self, router: Callable[[Any], str]) -> str:
        name = f"router-{next(self.names)}"

        def condition(state: Any) -> str:
            return router(View(state))

        self.library.ConditionRegistry.register_condition(name, condition)
        return name


def overwritten(initial: nodes.Update) -> nodes.Update:
    return {name: {"reducer": "overwrite", "initial": value} for name, value in initial.items()}


def add(current: Any, incoming: Any) -> Any:
    return operator.add(current or [], incoming)


def contestant() -> Contestant:
    return Neograph()
