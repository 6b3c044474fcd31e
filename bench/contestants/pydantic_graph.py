"""pydantic-graph, its builder API: steps share a mutable state; map and join make the fan-out."""

import inspect
import itertools
import operator
import time
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from typing import Any, Literal

from bench import nodes
from bench.cases import CHAIN_IN_WIDE_CASES, Door
from bench.contestants.contract import Contestant, Job, Lap, NotOfferedError

NO_CHANNELS = "state is one object of the user's: there are no channels"


class PydanticGraph:
    """Steps that run the node functions and update the run's state, a dict."""

    def __init__(self) -> None:
        self.library: Any = import_module("pydantic_graph")

    def versions(self) -> dict[str, str]:
        return {name: version(name) for name in ("pydantic-graph", "pydantic", "anyio")}

    def chain(self, door: Door, length: int) -> Job:
        return self._chain(door, [nodes.COUNT[door]] * length, {"x": 0}, lambda state: state["x"])

    def loop(self, door: Door, supersteps: int) -> Job:
        build = self._builder()
        step = route(lift(nodes.COUNT[door]), nodes.until(supersteps))
        tick = build.step(step, node_id="tick")
        build.add(build.edge_from(build.start_node).to(tick))
        build.add(build.edge_from(tick).to(self._fork(build, tick)))
        return self._job(door, build.build(), {"x": 0}, lambda state: state["x"])

    def fan_out(self, door: Door, sends: int) -> Job:
        node: Any = nodes.WORK[door]

        async def spread(context: Any) -> list[nodes.Update]:
            return nodes.parcels(sends)

        async def work_async(context: Any) -> list[int]:
            results: list[int] = (await node(context.inputs))["results"]
            return results

        async def work_sync(context: Any) -> list[int]:
            results: list[int] = node(context.inputs)["results"]
            return results

        build = self._builder()
        start = build.step(spread, node_id="spread")
        work = build.step(work_async if door == "async" else work_sync, node_id="work")
        join = build.join(operator.add, initial_factory=list)
        build.add(build.edge_from(build.start_node).to(start), build.edge_from(start).map().to(work))
        build.add(build.edge_from(work).to(join), build.edge_from(join).to(build.end_node))
        graph = build.build()
        run: Any = graph.run if door == "async" else graph.run_sync
        # The join folds in the order of completion, so only the set of results can be compared.
        return Job(lambda: run(state={}), sorted)

    def wide_state(self, door: Door, channels: int) -> Job:
        row = [nodes.WIDE_STATE[door]] * CHAIN_IN_WIDE_CASES
        return self._chain(door, row, nodes.wide_state(channels), lambda state: state["c0"])

    def wide_dict(self, door: Door, keys: int) -> Job:
        row = [nodes.WIDE_DICT[door]] * CHAIN_IN_WIDE_CASES
        return self._chain(
            door, row, nodes.wide_dict(keys), lambda state: (len(state["data"]), state["data"]["k0"])
        )

    def agent(self, door: Door, turns: int) -> Job:
        build = self._builder()
        model = build.step(route(append(nodes.model(door, turns)), nodes.wants_tool), node_id="model")
        tool = build.step(append(nodes.TOOL[door]), node_id="tool")
        build.add(build.edge_from(build.start_node, tool).to(model))
        build.add(build.edge_from(model).to(self._fork(build, tool)))
        opening = {"messages": nodes.question()}
        return self._job(door, build.build(), opening, lambda state: len(state["messages"]))

    def first_event(self, door: Door, length: int) -> Lap:
        graph = self._row([nodes.COUNT[door]] * length)

        async def lap() -> float:
            started = time.perf_counter()
            async with graph.iter(state={"x": 0}) as run:
                await anext(run)  # the request for the first step: nothing has run yet
                await anext(run)  # the first step is done and asks for the second
                return time.perf_counter() - started

        return Lap(lap, answer=lambda _: None)

    def compile_graph(self, door: Door, length: int) -> Job:
        row: list[nodes.Node] = [nodes.count_async] * length
        start_and_end = 2
        return Job(lambda: self._row(row), lambda graph: len(graph.nodes) - start_and_end)

    def nap(self, door: Door, milliseconds: int) -> Job:
        return self._chain(door, [nodes.nap(door, milliseconds)], {"x": 0}, lambda state: state["x"])

    def last_value(self, door: Door, operations: int) -> Job:
        raise NotOfferedError(NO_CHANNELS)

    def reducer(self, door: Door, operations: int) -> Job:
        raise NotOfferedError(NO_CHANNELS)

    def _builder(self) -> Any:
        return self.library.GraphBuilder(name="bench", state_type=dict, output_type=object)

    def _fork(self, build: Any, again: Any) -> Any:
        expression = self.library.TypeExpression
        decision = build.decision().branch(build.match(expression[Literal["again"]]).to(again))
        return decision.branch(build.match(expression[Literal["done"]]).to(build.end_node))

    def _row(self, row: list[nodes.Node]) -> Any:
        build = self._builder()
        steps = [build.step(lift(node), node_id=f"n{i}") for i, node in enumerate(row)]
        for source, target in itertools.pairwise([build.start_node, *steps, build.end_node]):
            build.add(build.edge_from(source).to(target))
        return build.build()

    def _chain(
        self, door: Door, row: list[nodes.Node], initial: nodes.Update, answer: Callable[[Any], object]
    ) -> Job:
        return self._job(door, self._row(row), initial, answer)

    def _job(self, door: Door, graph: Any, initial: nodes.Update, answer: Callable[[Any], object]) -> Job:
        async def run_async() -> nodes.Update:
            state = dict(initial)
            await graph.run(state=state)
            return state

        def run_sync() -> nodes.Update:
            state = dict(initial)
            graph.run_sync(state=state)
            return state

        return Job(run_async if door == "async" else run_sync, answer)


def lift(node: Any) -> Any:
    """Return a step that updates the run's state with what the node returns; steps must be coroutine functions."""

    async def step_async(context: Any) -> None:
        context.state.update(await node(context.state))

    async def step_sync(context: Any) -> None:
        context.state.update(node(context.state))

    return step_async if inspect.iscoroutinefunction(node) else step_sync


def append(node: Any) -> Any:
    """Return a step that adds the node's messages to those of the state."""

    async def step_async(context: Any) -> None:
        context.state["messages"] = operator.add(
            context.state["messages"], (await node(context.state))["messages"]
        )

    async def step_sync(context: Any) -> None:
        context.state["messages"] = operator.add(context.state["messages"], node(context.state)["messages"])

    return step_async if inspect.iscoroutinefunction(node) else step_sync


def route(step: Any, router: Callable[[nodes.State], str]) -> Any:
    """Return the step with the router's word as its output, which a decision matches."""

    async def routed(context: Any) -> str:
        await step(context)
        return router(context.state)

    return routed


def contestant() -> Contestant:
    return PydanticGraph()
