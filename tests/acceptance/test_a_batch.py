"""Many runs at once (LangGraph §1.7)."""

import asyncio
from typing import Any

import pytest

from tests.acceptance.graphs import Log, graph, says, thread


@pytest.mark.parity("A4")
async def test_a4_abatch_keeps_the_order_of_its_inputs() -> None:
    app = graph(Log, says("a"), paths=["START a"]).compile()
    results = await app.abatch([{"log": ["1"]}, {"log": ["2"]}])
    assert results == [{"log": ["1", "a"]}, {"log": ["2", "a"]}]


@pytest.mark.parity("A4")
async def test_a4_abatch_can_return_exceptions() -> None:
    async def picky(state: Log) -> None:
        if state["log"] == ["bad"]:
            raise KeyError("bad")

    app = graph(Log, picky, paths=["START picky"]).compile()
    good, bad = await app.abatch([{"log": ["good"]}, {"log": ["bad"]}], return_exceptions=True)
    assert good == {"log": ["good"]}
    assert isinstance(bad, KeyError)


@pytest.mark.parity("A4")
async def test_a4_abatch_takes_a_config_for_each_input(saver: Any) -> None:
    app = graph(Log, says("a"), paths=["START a"]).compile(checkpointer=saver)
    await app.abatch([{"log": ["1"]}, {"log": ["2"]}], [thread("t1"), thread("t2")])
    assert (await app.aget_state(thread("t2"))).values == {"log": ["2", "a"]}


@pytest.mark.parity("A4")
async def test_a4_abatch_runs_its_inputs_at_the_same_time() -> None:
    barrier = asyncio.Barrier(5)

    async def meet(state: Log) -> None:
        async with asyncio.timeout(30):
            await barrier.wait()

    app = graph(Log, meet, paths=["START meet"]).compile()
    assert len(await app.abatch([{"log": []}] * 5)) == 5


@pytest.mark.parity("A4", "A16")
async def test_a4_max_concurrency_bounds_a_batch() -> None:
    running: list[int] = []
    peak: list[int] = []

    async def work(state: Log) -> None:
        running.append(1)
        peak.append(len(running))
        await asyncio.sleep(0)
        running.pop()

    app = graph(Log, work, paths=["START work"]).compile()
    await app.abatch([{"log": []}] * 5, {"max_concurrency": 2})
    assert max(peak) == 2


@pytest.mark.parity("A4")
async def test_a4_abatch_of_nothing_is_nothing() -> None:
    assert await graph(Log, says("a"), paths=["START a"]).compile().abatch([]) == []
