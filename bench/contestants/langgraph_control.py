"""What gives control over runs, in LangGraph's API: graphs in graphs, questions, tasks, a thread's past."""

import asyncio
import operator
import time
from collections.abc import Callable
from importlib import import_module
from typing import Annotated, Any, TypedDict

from bench import nodes
from bench.cases import Door
from bench.contestants.contract import Job, Lap, NotOfferedError
from bench.contestants.langgraph_api import Count, LangGraphApi, Results, count
from bench.contestants.speaking import speaking

APPENDS = 100
NO_THREAD = "there is no thread without a checkpointer"
START_AND_INPUT = 2
"""Checkpoints that a thread has besides those of its supersteps."""


class Parcel(TypedDict):
    """The state of the graph that a fan-out is sent to; of it, `results` goes back."""

    i: int
    x: int
    results: Annotated[list[int], operator.add]


class LangGraphControl(LangGraphApi):
    """A contestant with LangGraph's API that nests, pauses, calls tasks and looks back."""

    def subgraph_fan_out(self, door: Door, sends: int) -> Job:
        send = self.types.Send

        def spread(state: nodes.State) -> list[Any]:
            return [send("work", parcel) for parcel in nodes.counted_parcels(sends)]

        row = [nodes.COUNT[door], nodes.COUNT[door], nodes.WORK[door]]
        builder = self.graph.StateGraph(Results)
        builder.add_node("work", self.row(Parcel, row, output=Results).compile())
        builder.add_conditional_edges(self.graph.START, nodes.routing(door, spread), ["work"])
        builder.add_edge("work", self.graph.END)
        return self.job(door, self.compile(builder), {"results": []}, 1, lambda state: state["results"])

    def nested(self, door: Door, depth: int) -> Job:
        inside: Any = nodes.COUNT[door]
        for _ in range(depth - 1):
            inside = self.row(Count, [inside]).compile()
        return self.job(door, self.compile(self.row(Count, [inside])), {"x": 0}, depth, count)

    def ask(self, door: Door, questions: int) -> Job:
        self._need_threads()
        graph = self.compile(self.row(Count, [nodes.asking(door, self.types.interrupt, questions)]))
        config = self.configure(1)
        reply = self.types.Command(resume=1)

        async def run_async() -> list[Any]:
            thread = config()
            first = await graph.ainvoke({"x": 0}, thread)
            return [first, *[await graph.ainvoke(reply, thread) for _ in range(questions)]]

        def run_sync() -> list[Any]:
            thread = config()
            return [
                graph.invoke({"x": 0}, thread),
                *[graph.invoke(reply, thread) for _ in range(questions)],
            ]

        return Job(run_async if door == "async" else run_sync, pauses_and_count)

    def pipeline(self, door: Door, tasks: int) -> Job:
        task = self._task(door)

        async def run_async(x: int) -> int:
            for _ in range(tasks):
                x = await task(x)
            return x

        def run_sync(x: int) -> int:
            for _ in range(tasks):
                x = task(x).result()
            return x

        return self._entry(door, run_async if door == "async" else run_sync)

    def gathering(self, door: Door, tasks: int) -> Job:
        task = self._task(door)

        async def run_async(x: int) -> int:
            return sum(await asyncio.gather(*[task(x) for _ in range(tasks)]))

        def run_sync(x: int) -> int:
            return sum(future.result() for future in [task(x) for _ in range(tasks)])

        return self._entry(door, run_async if door == "async" else run_sync)

    def events(self, door: Door, number: int) -> Job:
        config: Any = import_module(f"{self.root}.config")

        async def write(state: Count) -> Count:
            writer = config.get_stream_writer()
            if hasattr(writer, "asend"):  # a node that can wait for its consumer does
                for i in range(number):
                    await writer.asend(i)
            else:
                for i in range(number):
                    writer(i)
            return state

        return self._streamed(write, "custom")

    def tokens(self, door: Door, number: int) -> Job:
        speak: Callable[[], Any] = speaking(self.root)(number)

        async def model(state: Count) -> None:
            await speak()

        return self._streamed(model, "messages")

    def messages(self, door: Door, history: int) -> Lap:
        message: Any = import_module(f"{self.root}.graph.message")
        library = message if self.root == "graphrt" else import_module("langchain_core.messages")
        channel: Any = self.graph.StateGraph(message.MessagesState).channels["messages"]
        before = message.add_messages([], [library.AIMessage("said", id=str(i)) for i in range(history)])

        async def lap() -> float:
            going_on = channel.from_checkpoint(before)
            going_on.update([[]])  # a thread that goes on has merged something before
            news = [[[library.AIMessage("more", id=f"new {i}")]] for i in range(APPENDS)]
            started = time.perf_counter()
            for new in news:
                going_on.update(new)
                going_on.get()
            took = time.perf_counter() - started
            if len(going_on.get()) != history + APPENDS:
                raise RuntimeError("a message got lost")
            return took

        return Lap(lap, answer=lambda _: None)

    def _streamed(self, node: Callable[[Any], Any], mode: str) -> Job:
        """Return the job of running a graph of one node and counting its chunks."""
        graph = self.compile(self.row(Count, [node]))
        config = self.configure(1)

        async def counted() -> int:
            chunks = 0
            async for _ in graph.astream({"x": 0}, config(), stream_mode=mode):
                chunks += 1
            return chunks

        return Job(counted, lambda chunks: chunks)

    def get_state(self, door: Door, length: int) -> Job:
        graph, thread = self._thread(length)
        look = graph.aget_state if door == "async" else graph.get_state
        return Job(lambda: look(thread), lambda snapshot: snapshot.values["x"])

    def history(self, door: Door, entries: int) -> Job:
        graph, thread = self._thread(entries - START_AND_INPUT)

        async def run_async() -> list[Any]:
            return [snapshot async for snapshot in graph.aget_state_history(thread)]

        def run_sync() -> list[Any]:
            return list(graph.get_state_history(thread))

        return Job(run_async if door == "async" else run_sync, len)

    def _need_threads(self) -> None:
        if self.saver is None:
            raise NotOfferedError(NO_THREAD)

    def _thread(self, supersteps: int) -> tuple[Any, Any]:
        """Return a graph and the config of a thread on which it went round so often, by the sync door."""
        self._need_threads()
        graph, thread = self.compile(self.circle("sync", supersteps)), self.configure(supersteps)()
        graph.invoke({"x": 0}, thread)
        return graph, thread

    def _task(self, door: Door) -> Any:
        return import_module(f"{self.root}.func").task(nodes.INCREMENT[door])

    def _entry(self, door: Door, run: Any) -> Job:
        saver = None if self.saver is None else self.saver()
        program = import_module(f"{self.root}.func").entrypoint(checkpointer=saver)(run)
        return self.job(door, program, 0, 1, lambda value: value)


def pauses_and_count(results: list[Any]) -> object:
    """Return how many of the results were questions, and the state that the last run ended with."""
    return sum("__interrupt__" in result for result in results), results[-1]["x"]
