"""The floor: the same functions called by hand, without a runtime. Nothing with these semantics can be faster."""

import asyncio
import operator
import platform
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

from bench import nodes
from bench.cases import CHAIN_IN_WIDE_CASES, Door
from bench.contestants.contract import Contestant, Job, Lap, NotOfferedError

NOTHING_KEPT = "a function called by hand leaves nothing to come back to"


async def answer(routed: Any) -> Any:
    """Return what a router says, be it a coroutine or not."""
    return await routed if asyncio.iscoroutine(routed) else routed


class Floor:
    """Loops and a task group, written out."""

    def versions(self) -> dict[str, str]:
        return {"python": platform.python_version()}

    def chain(self, door: Door, length: int) -> Job:
        return row(door, [nodes.COUNT[door]] * length, {"x": 0}, lambda state: state["x"])

    def loop(self, door: Door, supersteps: int) -> Job:
        tick: Any = nodes.COUNT[door]
        route = nodes.routing(door, nodes.until(supersteps))

        async def run_async() -> nodes.Update:
            state: nodes.Update = {"x": 0}
            while True:
                state.update(await tick(state))
                if await answer(route(state)) == nodes.DONE:
                    return state

        def run_sync() -> nodes.Update:
            state: nodes.Update = {"x": 0}
            while True:
                state.update(tick(state))
                if route(state) == nodes.DONE:
                    return state

        return Job(run_async if door == "async" else run_sync, lambda state: state["x"])

    def fan_out(self, door: Door, sends: int) -> Job:
        work: Any = nodes.WORK[door]

        async def run_async() -> list[int]:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(work(parcel)) for parcel in nodes.parcels(sends)]
            return fold([task.result() for task in tasks])

        def run_sync() -> list[int]:
            return fold([work(parcel) for parcel in nodes.parcels(sends)])

        return Job(run_async if door == "async" else run_sync, lambda results: results)

    def wide_state(self, door: Door, channels: int) -> Job:
        steps = [nodes.WIDE_STATE[door]] * CHAIN_IN_WIDE_CASES
        return row(door, steps, nodes.wide_state(channels), lambda state: state["c0"])

    def wide_dict(self, door: Door, keys: int) -> Job:
        steps = [nodes.WIDE_DICT[door]] * CHAIN_IN_WIDE_CASES
        return row(
            door, steps, nodes.wide_dict(keys), lambda state: (len(state["data"]), state["data"]["k0"])
        )

    def agent(self, door: Door, turns: int) -> Job:
        model: Any = nodes.model(door, turns)
        tool: Any = nodes.TOOL[door]
        route = nodes.routing(door, nodes.wants_tool)

        async def run_async() -> list[Any]:
            messages: list[Any] = nodes.question()
            while True:
                messages = operator.add(messages, (await model({"messages": messages}))["messages"])
                if await answer(route({"messages": messages})) == nodes.DONE:
                    return messages
                messages = operator.add(messages, (await tool({"messages": messages}))["messages"])

        def run_sync() -> list[Any]:
            messages: list[Any] = nodes.question()
            while True:
                messages = operator.add(messages, model({"messages": messages})["messages"])
                if route({"messages": messages}) == nodes.DONE:
                    return messages
                messages = operator.add(messages, tool({"messages": messages})["messages"])

        return Job(run_async if door == "async" else run_sync, len)

    def first_event(self, door: Door, length: int) -> Lap:
        async def updates() -> AsyncGenerator[nodes.Update, None]:
            state: nodes.Update = {"x": 0}
            for _ in range(length):
                update = await nodes.count_async(state)
                state.update(update)
                yield update

        async def lap() -> float:
            started = time.perf_counter()
            async with aclosing(updates()) as events:
                async for _ in events:
                    return time.perf_counter() - started
            raise RuntimeError("the stream ended without an event")

        return Lap(lap, answer=lambda _: None)

    def compile_graph(self, door: Door, length: int) -> Job:
        raise NotOfferedError("a hand-written loop has nothing to compile")

    def nap(self, door: Door, milliseconds: int) -> Job:
        return row(door, [nodes.nap(door, milliseconds)], {"x": 0}, lambda state: state["x"])

    def last_value(self, door: Door, operations: int) -> Job:
        def start() -> int:
            cell = {"x": 0}
            value = 0
            for i in range(operations):
                cell["x"] = i
                value = cell["x"]
            return value

        return Job(start, lambda value: value)

    def reducer(self, door: Door, operations: int) -> Job:
        def start() -> int:
            cell = {"x": 0}
            value = 0
            for _ in range(operations):
                cell["x"] = operator.add(cell["x"], 1)
                value = cell["x"]
            return value

        return Job(start, lambda value: value)

    def subgraph_fan_out(self, door: Door, sends: int) -> Job:
        steps: list[Any] = [nodes.COUNT[door], nodes.COUNT[door], nodes.WORK[door]]

        async def one_async(parcel: nodes.Update) -> nodes.Update:
            for step in steps:
                parcel.update(await step(parcel))
            return parcel

        def one_sync(parcel: nodes.Update) -> nodes.Update:
            for step in steps:
                parcel.update(step(parcel))
            return parcel

        async def run_async() -> list[int]:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one_async(parcel)) for parcel in nodes.counted_parcels(sends)]
            return fold([task.result() for task in tasks])

        def run_sync() -> list[int]:
            return fold([one_sync(parcel) for parcel in nodes.counted_parcels(sends)])

        return Job(run_async if door == "async" else run_sync, lambda results: results)

    def nested(self, door: Door, depth: int) -> Job:
        step: Any = nodes.COUNT[door]
        for _ in range(depth - 1):
            step = inside(door, step)
        return row(door, [step], {"x": 0}, lambda state: state["x"])

    def pipeline(self, door: Door, tasks: int) -> Job:
        task = nodes.INCREMENT[door]

        async def run_async() -> int:
            x = 0
            for _ in range(tasks):
                x = await task(x)
            return x

        def run_sync() -> int:
            x = 0
            for _ in range(tasks):
                x = task(x)
            return x

        return Job(run_async if door == "async" else run_sync, lambda x: x)

    def gathering(self, door: Door, tasks: int) -> Job:
        task = nodes.INCREMENT[door]

        async def run_async() -> int:
            return sum(await asyncio.gather(*[task(0) for _ in range(tasks)]))

        def run_sync() -> int:
            return sum(task(0) for _ in range(tasks))

        return Job(run_async if door == "async" else run_sync, lambda x: x)

    def ask(self, door: Door, questions: int) -> Job:
        raise NotOfferedError(NOTHING_KEPT)

    def events(self, door: Door, number: int) -> Job:
        async def written() -> AsyncGenerator[int, None]:
            for i in range(number):
                yield i

        return _counted(written)

    def tokens(self, door: Door, number: int) -> Job:
        async def said() -> AsyncGenerator[str, None]:
            for _ in range(number):
                yield "token "

        return _counted(said)

    def get_state(self, door: Door, length: int) -> Job:
        raise NotOfferedError(NOTHING_KEPT)

    def history(self, door: Door, entries: int) -> Job:
        raise NotOfferedError(NOTHING_KEPT)


def _counted(stream: Callable[[], AsyncGenerator[Any, None]]) -> Job:
    async def count() -> int:
        chunks = 0
        async for _ in stream():
            chunks += 1
        return chunks

    return Job(count, lambda chunks: chunks)


def row(door: Door, steps: list[Any], initial: nodes.Update, answer: Callable[[Any], object]) -> Job:
    async def run_async() -> nodes.Update:
        state = dict(initial)
        for step in steps:
            state.update(await step(state))
        return state

    def run_sync() -> nodes.Update:
        state = dict(initial)
        for step in steps:
            state.update(step(state))
        return state

    return Job(run_async if door == "async" else run_sync, answer)


def inside(door: Door, step: Any) -> Any:
    """Return a function that calls another one on a state of its own."""

    async def call_async(state: nodes.Update) -> nodes.Update:
        inner = dict(state)
        inner.update(await step(inner))
        return inner

    def call_sync(state: nodes.Update) -> nodes.Update:
        inner = dict(state)
        inner.update(step(inner))
        return inner

    return call_async if door == "async" else call_sync


def fold(updates: list[nodes.Update]) -> list[int]:
    results: list[int] = []
    for update in updates:
        results = operator.add(results, update["results"])
    return results


def contestant() -> Contestant:
    return Floor()
