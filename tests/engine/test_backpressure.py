"""A slow consumer holds back the next superstep and every awaiting writer, never the memory."""

import asyncio
import threading
from typing import Any

import pytest

from graphrt.checkpoint.memory import InMemorySaver
from graphrt.config import get_stream_writer
from graphrt.errors import StreamOverflowError
from graphrt.types import StreamWriter
from tests.acceptance.graphs import Log, graph, says, thread
from tests.engine.worlds import chain, turns, waits_and_says

MANY = 5_000
FEW = 500
"""More than any buffer may hold, much less than `MANY`."""


class Awaiting:
    """A node that sends `MANY` numbers, each when there is room; `sent` counts them."""

    def __init__(self) -> None:
        self.sent = 0

    async def node(self, state: Log, writer: StreamWriter) -> dict[str, Any]:
        for number in range(MANY):
            await writer.asend(number)
            self.sent += 1
        return {"log": ["sent"]}


class Blocking(Awaiting):
    """The same from a worker thread with the plain call."""

    async def node(self, state: Log, writer: StreamWriter) -> dict[str, Any]:
        raise NotImplementedError

    def plain_node(self, state: Log, writer: StreamWriter) -> dict[str, Any]:
        for number in range(MANY):
            writer(number)
            self.sent += 1
        return {"log": ["sent"]}


# ---- supersteps


@pytest.mark.parity("J12")
async def test_the_next_step_starts_when_the_consumer_asks_for_more() -> None:
    ran: list[str] = []
    stream = chain(*(waits_and_says(word, ran=ran) for word in "abc")).astream({}, stream_mode="updates")
    for seen in ("a", "b", "c"):
        assert list(await anext(stream)) == [seen]
        await turns(20)
        assert ran[-1] == seen
    await stream.aclose()


async def test_a_consumer_that_has_not_read_all_of_a_step_holds_back_the_next() -> None:
    ran: list[str] = []
    nodes = [waits_and_says(word, ran=ran) for word in ("a", "b", "last")]
    app = graph(Log, *nodes, paths=["START a", "START b", "a+b last"]).compile()
    async with app.astream({}, stream_mode=["updates", "values"]) as stream:
        await anext(stream)
        await turns(20)
        await anext(stream)
        await turns(20)
        assert "last" not in ran


async def test_nothing_runs_before_the_first_chunk_is_asked_for() -> None:
    ran: list[str] = []
    stream = chain(waits_and_says("a", ran=ran)).astream({}, stream_mode="updates")
    await turns(20)
    assert ran == []
    await stream.aclose()


async def test_a_run_without_a_consumer_is_held_back_by_nobody() -> None:
    node = Awaiting()
    assert await chain(("node", node.node)).ainvoke({}) == {"log": ["sent"]}
    assert node.sent == MANY


# ---- awaiting writers


async def test_an_awaiting_writer_waits_for_a_consumer_that_stands_still() -> None:
    node = Awaiting()
    async with chain(("node", node.node)).astream({}, stream_mode="custom") as stream:
        await anext(stream)
        await turns(200)
        sent = node.sent
        await turns(200)
        assert node.sent == sent < FEW


async def test_an_awaiting_writer_is_never_far_ahead() -> None:
    node = Awaiting()
    ahead: list[int] = []
    async for number in chain(("node", node.node)).astream({}, stream_mode="custom"):
        ahead.append(node.sent - number)
    assert len(ahead) == MANY
    assert max(ahead) < FEW


async def test_every_chunk_of_an_awaiting_writer_arrives_in_order() -> None:
    stream = chain(("node", Awaiting().node)).astream({}, stream_mode="custom")
    assert [number async for number in stream] == list(range(MANY))


async def test_several_awaiting_writers_share_the_buffer_fairly() -> None:
    nodes = {name: Awaiting() for name in "abc"}
    builder = graph(Log, *((name, node.node) for name, node in nodes.items()), paths=[])
    for name in nodes:
        builder.add_edge("__start__", name)
    async with builder.compile().astream({}, stream_mode="custom") as stream:
        for _ in range(MANY):
            await anext(stream)
        sent = sorted(node.sent for node in nodes.values())
        assert (sent[0] > 0, sum(sent) < MANY + FEW) == (True, True)


async def test_an_awaiting_writer_without_a_subscriber_does_not_wait() -> None:
    node = Awaiting()
    assert [chunk async for chunk in chain(("node", node.node)).astream({}, stream_mode="values")]
    assert node.sent == MANY


async def test_the_ambient_writer_can_be_awaited_too() -> None:
    async def node(state: Log) -> None:
        await get_stream_writer().asend("hello")

    assert [chunk async for chunk in chain(("node", node)).astream({}, stream_mode="custom")] == ["hello"]


async def test_a_writer_that_waits_ends_when_its_consumer_leaves() -> None:
    node = Awaiting()
    async with asyncio.timeout(30):
        async with chain(("node", node.node)).astream({}, stream_mode="custom") as stream:
            await anext(stream)
            await turns(200)
    assert node.sent < FEW


async def test_a_writer_that_waits_ends_when_a_sibling_fails() -> None:
    node = Awaiting()

    async def fails(state: Log) -> None:
        await turns(300)
        raise KeyError("lost")

    app = graph(Log, ("node", node.node), fails, paths=["START node", "START fails"]).compile()
    received: list[Any] = []
    async with asyncio.timeout(30):
        with pytest.raises(KeyError):
            async for number in app.astream({}, stream_mode="custom"):
                received.append(number)
                if len(received) == 1:
                    await turns(400)
    assert received == list(range(len(received)))


# ---- plain writers


async def test_a_plain_writer_in_a_worker_thread_is_never_far_ahead() -> None:
    node = Blocking()
    ahead: list[int] = []
    async for number in chain(("node", node.plain_node)).astream({}, stream_mode="custom"):
        ahead.append(node.sent - number)
    assert len(ahead) == MANY
    assert max(ahead) < FEW


async def test_every_chunk_of_a_plain_writer_in_a_worker_thread_arrives_in_order() -> None:
    stream = chain(("node", Blocking().plain_node)).astream({}, stream_mode="custom")
    assert [number async for number in stream] == list(range(MANY))


async def test_a_worker_thread_that_is_blocked_by_a_writer_ends_when_the_consumer_leaves() -> None:
    node = Blocking()
    async with asyncio.timeout(30):
        async with chain(("node", node.plain_node)).astream({}, stream_mode="custom") as stream:
            for _ in range(3):
                await anext(stream)
    assert node.sent == MANY  # nobody reads any more: the rest is dropped, the node is not stopped half way


async def test_a_plain_writer_on_the_loop_may_run_ahead_a_little() -> None:
    async def node(state: Log, writer: StreamWriter) -> None:
        for number in range(MANY):
            writer(number)

    stream = chain(("node", node)).astream({}, stream_mode="custom")
    assert [number async for number in stream] == list(range(MANY))


async def test_a_plain_writer_on_the_loop_that_never_waits_is_stopped() -> None:
    written = 0

    async def node(state: Log, writer: StreamWriter) -> None:
        nonlocal written
        for written in range(1_000_000):
            writer(written)

    with pytest.raises(StreamOverflowError, match="asend"):
        async for _ in chain(("node", node)).astream({}, stream_mode="custom"):
            pass
    assert written < 100_000


async def test_a_thread_of_the_users_own_may_write() -> None:
    async def node(state: Log, writer: StreamWriter) -> None:
        def write() -> None:
            for number in range(MANY):
                writer(number)

        await asyncio.to_thread(write)

    stream = chain(("node", node)).astream({}, stream_mode="custom")
    assert [number async for number in stream] == list(range(MANY))


async def test_what_is_written_after_the_run_has_ended_is_dropped() -> None:
    writers: list[StreamWriter] = []

    async def node(state: Log, writer: StreamWriter) -> None:
        writers.append(writer)
        writer("in time")

    assert [chunk async for chunk in chain(("node", node)).astream({}, stream_mode="custom")] == ["in time"]
    (writer,) = writers
    writer("late")
    async with asyncio.timeout(30):
        for _ in range(MANY):
            await writer.asend("late")


def test_behind_the_sync_door_a_slow_consumer_holds_back_the_next_step() -> None:
    ran: list[str] = []

    def recording(word: str) -> Any:
        return word, lambda state: ran.append(word)

    stream = chain(*map(recording, "abc")).stream({}, stream_mode="updates")
    for seen in ("a", "b", "c"):
        assert list(next(stream)) == [seen]
        assert ran[-1] == seen


def test_behind_the_sync_door_writers_do_not_wait_for_ever() -> None:
    finished = threading.Event()

    def use() -> None:
        node = Awaiting()
        assert len(list(chain(("node", node.node)).stream({}, stream_mode="custom"))) == MANY
        plain = Blocking()
        assert len(list(chain(("node", plain.plain_node)).stream({}, stream_mode="custom"))) == MANY
        finished.set()

    user = threading.Thread(target=use, daemon=True)
    user.start()
    user.join(30)
    assert finished.is_set()


# ---- what is durable does not depend on the reader


@pytest.mark.parametrize("durability", ["sync", "async"])
async def test_a_step_is_stored_while_its_consumer_stands_still(durability: Any) -> None:
    app = chain(says("a"), says("b"), saver=InMemorySaver())
    async with app.astream({}, thread(), stream_mode="updates", durability=durability) as stream:
        assert await anext(stream) == {"a": {"log": ["a"]}}
        await turns(20)
        assert (await app.aget_state(thread())).values == {"log": ["a"]}
