"""What nodes put on the stream themselves (LangGraph J4, J11, J12)."""

import asyncio
import threading
from typing import Any

import pytest

from graphrt.config import get_stream_writer
from graphrt.runtime import Runtime
from graphrt.types import StreamWriter
from tests.acceptance.graphs import Log, graph, says
from tests.acceptance.streams import chunks


async def takes_a_writer(state: Log, writer: StreamWriter) -> None:
    writer({"progress": 1})


async def takes_a_runtime(state: Log, runtime: Runtime) -> None:
    runtime.stream_writer({"progress": 1})


async def asks_for_the_writer(state: Log) -> None:
    get_stream_writer()({"progress": 1})


def plainly(state: Log, writer: StreamWriter) -> None:
    writer({"progress": 1})


@pytest.mark.parity("J4")
@pytest.mark.parametrize("node", [takes_a_writer, takes_a_runtime, asks_for_the_writer, plainly])
async def test_j4_a_node_reaches_the_stream_in_every_way(node: Any) -> None:
    app = graph(Log, ("node", node), paths=["START node"]).compile()
    assert await chunks(app, {}, stream_mode="custom") == [{"progress": 1}]


@pytest.mark.parity("J4")
@pytest.mark.parametrize("node", [takes_a_writer, takes_a_runtime, asks_for_the_writer, plainly])
async def test_j4_without_a_subscriber_writing_does_nothing(node: Any) -> None:
    app = graph(Log, ("node", node), paths=["START node"]).compile()
    assert await chunks(app, {"log": ["in"]}, stream_mode="values") == [{"log": ["in"]}]
    assert await app.ainvoke({"log": ["in"]}) == {"log": ["in"]}


@pytest.mark.parity("J4")
@pytest.mark.parametrize("chunk", [None, 0, "", [], {"a": 1}, ("x", 1), b"bytes", object()])
async def test_j4_a_chunk_is_the_very_object_that_was_written(chunk: Any) -> None:
    async def write(state: Log, writer: StreamWriter) -> None:
        writer(chunk)

    app = graph(Log, write, paths=["START write"]).compile()
    (found,) = await chunks(app, {}, stream_mode="custom")
    assert found is chunk


@pytest.mark.parity("J4")
async def test_j4_chunks_of_one_node_keep_their_order() -> None:
    async def count(state: Log, writer: StreamWriter) -> None:
        for number in range(50):
            writer(number)

    app = graph(Log, count, paths=["START count"]).compile()
    assert await chunks(app, {}, stream_mode="custom") == list(range(50))


@pytest.mark.parity("J4")
async def test_j4_chunks_of_a_plain_node_keep_their_order() -> None:
    def count(state: Log, writer: StreamWriter) -> None:
        for number in range(50):
            writer(number)

    app = graph(Log, count, paths=["START count"]).compile()
    assert await chunks(app, {}, stream_mode="custom") == list(range(50))


@pytest.mark.parity("J4")
async def test_j4_chunks_of_a_node_come_before_its_update() -> None:
    async def write(state: Log, writer: StreamWriter) -> dict[str, Any]:
        writer("working")
        return {"log": ["done"]}

    app = graph(Log, write, paths=["START write"]).compile()
    pairs = await chunks(app, {}, stream_mode=["updates", "custom"])
    assert pairs == [("custom", "working"), ("updates", {"write": {"log": ["done"]}})]


@pytest.mark.parity("J4")
async def test_j4_routers_reach_the_stream() -> None:
    async def route(state: Log) -> str:
        get_stream_writer()("routing")
        return "__end__"

    app = graph(Log, says("a"), paths=["START a"]).add_conditional_edges("a", route).compile()
    assert await chunks(app, {}, stream_mode="custom") == ["routing"]


@pytest.mark.parity("J4")
async def test_j4_chunks_written_before_an_error_are_delivered() -> None:
    async def write(state: Log, writer: StreamWriter) -> None:
        writer("last words")
        raise KeyError("lost")

    app = graph(Log, write, paths=["START write"]).compile()
    received: list[Any] = []
    with pytest.raises(KeyError):
        async for chunk in app.astream({}, stream_mode="custom"):
            received.append(chunk)
    assert received == ["last words"]


@pytest.mark.parity("J11")
async def test_j11_chunks_are_delivered_while_their_node_runs() -> None:
    received = asyncio.Event()

    async def write(state: Log, writer: StreamWriter) -> dict[str, Any]:
        writer("started")
        await received.wait()
        return {"log": ["seen"]}

    app = graph(Log, write, paths=["START write"]).compile()
    async with asyncio.timeout(30):
        async for mode, _ in app.astream({}, stream_mode=["custom", "updates"]):
            if mode == "custom":
                received.set()


@pytest.mark.parity("J11")
async def test_j11_chunks_of_a_plain_node_are_delivered_while_it_runs() -> None:
    received = threading.Event()
    seen: list[bool] = []

    def write(state: Log, writer: StreamWriter) -> None:
        writer("started")
        seen.append(received.wait(30))

    app = graph(Log, write, paths=["START write"]).compile()
    async for _ in app.astream({}, stream_mode="custom"):
        received.set()
    assert seen == [True]


@pytest.mark.parity("J11", "J3")
async def test_j11_an_update_is_delivered_before_its_siblings_finish() -> None:
    received = asyncio.Event()

    async def waits(state: Log) -> dict[str, Any]:
        await received.wait()
        return {"log": ["waits"]}

    app = graph(Log, says("swift"), waits, paths=["START swift", "START waits"]).compile()
    order = []
    async with asyncio.timeout(30):
        async for update in app.astream({}, stream_mode="updates"):
            order.extend(update)
            received.set()
    assert order == ["swift", "waits"]
