"""The graphs written for LangGraph's API. Only import root and saver differ between langgraph and graphrt."""

import itertools
import statistics
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib import import_module
from typing import Any, Protocol

from bench import nodes
from bench.contestants.langgraph_api import Count, installed_version
from bench.durable.cases import Case, Storage
from bench.durable.contestants.contract import Job, Run, Timings
from bench.durable.messages import Conversation, answer, said

TIMED_TURNS = 100
"""Turns at the end of a talk whose median is taken."""
LOADS = 5


class Savers(Protocol):
    """What the two runtimes do differently."""

    def open(self, storage: Storage, address: str) -> AbstractAsyncContextManager[Any]:
        """Open a checkpointer with the storage's settings."""
        ...

    def timed(self, saver: Any, seconds: list[float]) -> Any:
        """Return the saver, or one round it, that notes how long each of its commits takes."""
        ...

    async def begin(self, graph: Any, saver: Any, threads: list[str], turns: int) -> None:
        """Give threads a history of so many turns."""
        ...


class GraphApi:
    """A contestant that speaks LangGraph's API, found under the package `root`."""

    def __init__(self, root: str, distributions: tuple[str, ...], savers: Savers) -> None:
        self.distributions = distributions
        self.savers = savers
        self.graph: Any = import_module(f"{root}.graph")

    def versions(self) -> dict[str, str]:
        return {name: installed_version(name) for name in self.distributions}

    @asynccontextmanager
    async def open(self, job: Job) -> AsyncGenerator[Run]:
        case, together = job.row.case, job.row.together
        async with self.savers.open(job.row.storage, job.address) as saver:
            graph = self.builder(case).compile(checkpointer=saver)
            if case.keeps_its_threads:
                await self.begin(graph, saver, [f"thread-{number}" for number in range(together)], case.size)
            yield runner(graph, case, durability=job.row.durability)

    @asynccontextmanager
    async def talk(self, storage: Storage, address: str) -> AsyncGenerator["GraphTalk"]:
        async with self.savers.open(storage, address) as saver:
            seconds: list[float] = []
            timed = self.savers.timed(saver, seconds)
            yield GraphTalk(self.conversation().compile(checkpointer=timed), seconds)

    async def begin(self, graph: Any, saver: Any, threads: list[str], turns: int) -> None:
        """Make the threads' history, unless an earlier round has."""
        state = await graph.aget_state(config_of(threads[-1]))
        if not state.values:
            await self.savers.begin(graph, saver, threads, turns)

    def builder(self, case: Case) -> Any:
        match case.shape:
            case "chain":
                return self.chain(case.size)
            case "loop":
                return self.loop(case.size)
            case _:
                return self.conversation()

    def chain(self, length: int) -> Any:
        builder = self.graph.StateGraph(Count)
        names = [f"n{i}" for i in range(length)]
        for name in names:
            builder.add_node(name, nodes.count_async)
        for source, target in itertools.pairwise([self.graph.START, *names, self.graph.END]):
            builder.add_edge(source, target)
        return builder

    def loop(self, supersteps: int) -> Any:
        builder = self.graph.StateGraph(Count)
        builder.add_node("tick", nodes.count_async)
        builder.add_edge(self.graph.START, "tick")
        routes = {nodes.AGAIN: "tick", nodes.DONE: self.graph.END}
        builder.add_conditional_edges("tick", nodes.routing("async", nodes.until(supersteps)), routes)
        return builder

    def conversation(self) -> Any:
        builder = self.graph.StateGraph(Conversation)
        builder.add_node("answer", answer)
        builder.add_edge(self.graph.START, "answer")
        builder.add_edge("answer", self.graph.END)
        return builder


class GraphTalk:
    """One long conversation on one thread."""

    def __init__(self, graph: Any, commits: list[float]) -> None:
        self.graph = graph
        self.commits = commits
        self.config = config_of("talk")

    async def go_on(self, first: int, last: int) -> Timings:
        turns: list[float] = []
        for turn in range(first, last):
            if turn == max(first, last - TIMED_TURNS):
                self.commits.clear()
            began = time.perf_counter()
            state = await self.graph.ainvoke(said(2 * turn), self.config, durability="sync")
            turns.append(time.perf_counter() - began)
            assert len(state["messages"]) == 2 * turn + 2
        commit_s = statistics.median(self.commits) if self.commits else None
        return Timings(turn_s=statistics.median(turns[-TIMED_TURNS:]), commit_s=commit_s)

    async def load(self) -> float:
        taken: list[float] = []
        for _ in range(LOADS):
            began = time.perf_counter()
            await self.graph.aget_state(self.config)
            taken.append(time.perf_counter() - began)
        return statistics.median(taken)


def runner(graph: Any, case: Case, *, durability: str) -> Run:
    """Return what runs the case once on a thread."""
    limit = case.size + 10

    async def count(thread: str) -> int:
        state = await graph.ainvoke({"x": 0}, config_of(thread, limit), durability=durability)
        reached: int = state["x"]
        return reached

    async def turn(thread: str) -> int:
        state = await graph.ainvoke(said(next(numbers)), config_of(thread), durability=durability)
        return len(state["messages"])

    async def conversation(thread: str) -> int:
        held = 0
        for number in range(case.size):
            state = await graph.ainvoke(said(2 * number), config_of(thread), durability=durability)
            held = len(state["messages"])
        return held

    numbers = itertools.count(2 * case.size)
    runs: dict[str, Callable[[str], Any]] = {"turn": turn, "conversation": conversation}
    return runs.get(case.shape, count)


def config_of(thread: str, limit: int | None = None) -> dict[str, Any]:
    config: dict[str, Any] = {"configurable": {"thread_id": thread}}
    return config if limit is None else {**config, "recursion_limit": limit}
