"""In which order chunks come, and what reading or not reading them does to the run (LangGraph J10-J13)."""

import asyncio
from typing import Any

import pytest

from tests.acceptance.graphs import Log, graph, says, thread
from tests.acceptance.streams import chunks


def kind(mode: str, chunk: Any) -> str:
    return mode if mode != "tasks" else "start" if "input" in chunk else "result"


@pytest.mark.parity("J10")
async def test_j10_a_step_is_checkpoint_start_update_result_values(saver: Any) -> None:
    app = graph(Log, says("a"), paths=["START a"]).compile(checkpointer=saver)
    modes = ["values", "updates", "tasks", "checkpoints"]
    pairs = await chunks(app, {"log": []}, thread(), stream_mode=modes)
    assert [kind(*pair) for pair in pairs] == [
        "checkpoints", "values",
        "checkpoints", "start", "updates", "result", "values",
        "checkpoints",
    ]  # fmt: skip


@pytest.mark.parity("J10")
async def test_j10_all_starts_of_a_step_come_before_its_results() -> None:
    app = graph(Log, says("a"), says("b"), paths=["START a", "START b"]).compile()
    pairs = await chunks(app, {}, stream_mode=["tasks", "updates"])
    assert [kind(*pair) for pair in pairs] == ["start", "start", "updates", "result", "updates", "result"]


@pytest.mark.parity("J10")
async def test_j10_starts_come_in_task_order() -> None:
    app = graph(Log, says("b"), says("c"), says("a"), paths=["START c", "START a", "START b"]).compile()
    starts = [c["name"] for c in await chunks(app, {}, stream_mode="tasks") if "input" in c]
    assert starts == ["a", "b", "c"]


@pytest.mark.parity("J10")
async def test_j10_the_order_of_the_requested_modes_does_not_matter() -> None:
    app = graph(Log, says("a"), says("b"), paths=["START a b"]).compile()
    assert await chunks(app, {"log": []}, stream_mode=["updates", "values"]) == await chunks(
        app, {"log": []}, stream_mode=["values", "updates"]
    )


@pytest.mark.parity("J10")
async def test_j10_updates_of_a_step_come_before_its_values() -> None:
    app = graph(Log, says("a"), says("b"), paths=["START a", "START b"]).compile()
    pairs = await chunks(app, {"log": []}, stream_mode=["values", "updates"])
    assert [mode for mode, _ in pairs] == ["values", "updates", "updates", "values"]


@pytest.mark.parity("J12")
async def test_j12_the_next_step_waits_until_the_last_one_was_read() -> None:
    ran: list[str] = []

    def recording(word: str) -> Any:
        async def node(state: Log) -> None:
            ran.append(word)

        return word, node

    app = graph(Log, *map(recording, "abcd"), paths=["START a b c d"]).compile()
    stream = app.astream({}, stream_mode="updates")
    await anext(stream)
    for _ in range(20):
        await asyncio.sleep(0)
    assert "d" not in ran
    await stream.aclose()


@pytest.mark.parity("J13")
async def test_j13_leaving_a_stream_cancels_what_runs() -> None:
    cancelled = asyncio.Event()

    async def waits(state: Log) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    app = graph(Log, says("swift"), waits, paths=["START swift", "START waits"]).compile()
    stream = app.astream({}, stream_mode="updates")
    assert await anext(stream) == {"swift": {"log": ["swift"]}}
    await stream.aclose()
    assert cancelled.is_set()


@pytest.mark.parity("J13")
async def test_j13_leaving_a_stream_keeps_the_finished_steps(saver: Any) -> None:
    app = graph(Log, says("a"), says("b"), says("c"), paths=["START a b c"]).compile(checkpointer=saver)
    stream = app.astream({}, thread(), stream_mode="updates", durability="sync")
    assert await anext(stream) == {"a": {"log": ["a"]}}
    await stream.aclose()
    assert await app.ainvoke(None, thread()) == {"log": ["a", "b", "c"]}


@pytest.mark.parity("J13")
async def test_j13_a_closed_stream_is_at_its_end() -> None:
    stream = graph(Log, says("a"), says("b"), paths=["START a b"]).compile().astream({})
    await anext(stream)
    await stream.aclose()
    assert [chunk async for chunk in stream] == []


@pytest.mark.parity("J13")
async def test_j13_closing_a_stream_that_was_never_read_runs_nothing() -> None:
    ran: list[str] = []

    async def node(state: Log) -> None:
        ran.append("node")

    stream = graph(Log, node, paths=["START node"]).compile().astream({})
    await stream.aclose()
    assert ran == []


@pytest.mark.parity("J13")
async def test_j13_an_exhausted_stream_stays_exhausted() -> None:
    stream = graph(Log, says("a"), paths=["START a"]).compile().astream({})
    assert len([chunk async for chunk in stream]) == 1
    assert [chunk async for chunk in stream] == []
