"""Running a graph and looking at its threads. Never run: read by type checkers alone."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any, TypedDict, assert_type

from graphrt.checkpoint.memory import InMemorySaver, MemorySaver
from graphrt.config import RunnableConfig
from graphrt.graph import StateGraph
from graphrt.types import (
    Command,
    GraphOutput,
    Interrupt,
    PregelTask,
    StateSnapshot,
    StreamMode,
    StreamVersion,
)


class State(TypedDict):
    n: int
    log: list[str]


class Asked(TypedDict):
    n: int


class Told(TypedDict):
    log: list[str]


@dataclass
class Context:
    user: str


@dataclass
class Record:
    n: int = 0


graph = StateGraph(State, Context, input_schema=Asked, output_schema=Told).compile(
    checkpointer=InMemorySaver()
)
records = StateGraph(Record).compile(checkpointer="memory://")
thread: RunnableConfig = {"configurable": {"thread_id": "1"}, "recursion_limit": 10}


async def running(version: StreamVersion, mode: StreamMode) -> None:
    # v1 gives plain values whatever the schema is, v2 an output of the output schema.
    assert_type(await graph.ainvoke({"n": 1}), Any)
    assert_type(await graph.ainvoke({"n": 1}, thread, version="v1"), Any)
    output = await graph.ainvoke({"n": 1}, thread, version="v2")
    assert_type(output, GraphOutput[Told])
    assert_type(output.value["log"], list[str])
    assert_type(output.interrupts, tuple[Interrupt, ...])
    assert_type(await records.ainvoke(Record(1), version="v2"), GraphOutput[Record])
    assert_type(await graph.ainvoke({"n": 1}, stream_mode=["values", "updates"], version="v2"), Any)
    assert_type(await graph.ainvoke({"n": 1}, stream_mode=mode, version=version), Any)

    # The same from a thread without a loop.
    assert_type(graph.invoke({"n": 1}), Any)
    assert_type(graph.invoke({"n": 1}, thread, version="v2"), GraphOutput[Told])
    assert_type(records.invoke(Record(), version="v2"), GraphOutput[Record])

    # Input is of the input schema, None, or a Command.
    await graph.ainvoke(None, thread)
    await graph.ainvoke(Command(update={"n": 1}, goto="a"), thread)
    await records.ainvoke(Record(1))

    # Every option.
    await graph.ainvoke(
        {"n": 1},
        thread,
        context=Context("ada"),
        stream_mode="values",
        print_mode=("updates", "values"),
        output_keys=["n"],
        durability="sync",
        version="v1",
        multitask_strategy="enqueue",
    )
    assert_type(await graph.abatch([{"n": 1}, None], [thread, thread], return_exceptions=True), list[Any])
    assert_type(graph.batch([{"n": 1}], thread, context=Context("ada"), durability="exit"), list[Any])


async def streaming() -> None:
    assert_type(await anext(graph.astream({"n": 1})), Any)
    chunks: AsyncIterator[Any] = graph.astream(
        {"n": 1}, thread, stream_mode=["custom", "tasks"], version="v2"
    )
    async with graph.astream(None, thread, context=Context("ada"), debug=True) as stream:
        async for chunk in stream:
            assert_type(chunk, Any)
    assert_type(graph.stream({"n": 1}, thread, stream_mode="checkpoints", durability="async"), Iterator[Any])
    print(chunks)


async def threads() -> None:
    state = await graph.aget_state(thread)
    assert_type(state, StateSnapshot)
    assert_type(state.next, tuple[str, ...])
    assert_type(state.tasks, tuple[PregelTask, ...])
    assert_type(state.config, RunnableConfig)
    assert_type(graph.get_state(thread), StateSnapshot)
    async for snapshot in graph.aget_state_history(
        thread, filter={"source": "input"}, before=thread, limit=3
    ):
        assert_type(snapshot, StateSnapshot)
    assert_type(graph.get_state_history(thread, limit=3), Iterator[StateSnapshot])


async def what_must_not_pass() -> None:
    await graph.ainvoke({"m": 1})  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    await graph.ainvoke({"n": "1"})  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    await graph.ainvoke(1)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    await graph.ainvoke()  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    await records.ainvoke({"n": 1})  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    await graph.ainvoke({"n": 1}, {"thread_id": "1"})  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    await graph.ainvoke({"n": 1}, context={"user": "ada"})  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    await graph.ainvoke({"n": 1}, context="ada")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    await records.ainvoke(Record(), context=Context("ada"))  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    await graph.ainvoke({"n": 1}, stream_mode="value")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    await graph.ainvoke({"n": 1}, stream_mode=["values", "message"])  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    await graph.ainvoke({"n": 1}, print_mode="value")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    await graph.ainvoke({"n": 1}, durability="later")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    await graph.ainvoke({"n": 1}, multitask_strategy="rollback")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    await graph.ainvoke({"n": 1}, version="v3")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    await graph.ainvoke({"n": 1}, interrupt_before=3)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    (await graph.ainvoke({"n": 1}, version="v2")).value["n"]  # type: ignore[typeddict-item]  # pyright: ignore[reportGeneralTypeIssues]

    graph.invoke({"m": 1})  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    graph.invoke({"n": 1}, stream_mode="value")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    graph.invoke({"n": 1}, version="v2").value["n"]  # type: ignore[typeddict-item]  # pyright: ignore[reportGeneralTypeIssues]
    graph.astream({"m": 1})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    graph.astream({"n": 1}, stream_mode="value")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    graph.astream({"n": 1}, durability="later")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    graph.astream({"n": 1}, context="ada")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    graph.stream({"n": 1}, stream_mode="value")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    graph.stream({"n": 1}, debug=1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await graph.abatch([{"m": 1}])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    graph.batch([{"n": 1}], durability="later")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await graph.aget_state({"thread_id": "1"})  # type: ignore[typeddict-unknown-key]  # pyright: ignore[reportArgumentType]
    graph.get_state_history(thread, limit="3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


assert_type(MemorySaver(), InMemorySaver)
