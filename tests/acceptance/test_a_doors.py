"""The doors of a compiled graph besides `ainvoke`: the blocking ones, batches, streams (LangGraph A4, P5, §1.7)."""

import asyncio
import threading
from typing import Any

import pytest

from graphrt.errors import RunningLoopError
from tests.acceptance.graphs import Log, graph, named, says, thread


def says_plainly(word: str) -> Any:
    """`says(word)` as a plain function."""
    return named(word, lambda state: {"log": [word]})


def plain() -> Any:
    return graph(Log, says_plainly("a"), says_plainly("b"), paths=["START a b"])


@pytest.mark.parity("A4")
def test_a4_invoke_runs_plain_nodes() -> None:
    assert plain().compile().invoke({"log": ["in"]}) == {"log": ["in", "a", "b"]}


@pytest.mark.parity("A4")
def test_a4_stream_yields_updates_by_default() -> None:
    assert list(plain().compile().stream({})) == [{"a": {"log": ["a"]}}, {"b": {"log": ["b"]}}]


@pytest.mark.parity("A4")
def test_a4_stream_takes_several_modes() -> None:
    modes = [mode for mode, _ in plain().compile().stream({}, stream_mode=["values", "updates"])]
    assert modes == ["updates", "values", "updates", "values"]


@pytest.mark.parity("A4")
def test_a4_leaving_a_stream_early_is_fine() -> None:
    stream = plain().compile().stream({})
    assert next(stream) == {"a": {"log": ["a"]}}
    stream.close()


@pytest.mark.parity("A4")
def test_a4_batch_keeps_the_order_of_its_inputs() -> None:
    results = plain().compile().batch([{"log": ["1"]}, {"log": ["2"]}])
    assert results == [{"log": ["1", "a", "b"]}, {"log": ["2", "a", "b"]}]


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
def test_a4_blocking_calls_share_threads_with_each_other(saver: Any) -> None:
    app = plain().compile(checkpointer=saver)
    app.invoke({}, thread())
    app.invoke({}, thread())
    assert app.get_state(thread()).values == {"log": ["a", "b", "a", "b"]}
    assert len(list(app.get_state_history(thread()))) == 8


@pytest.mark.parity("A4")
def test_a4_errors_pass_through_the_blocking_door() -> None:
    def fail(state: Log) -> None:
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        graph(Log, fail, paths=["START fail"]).compile().invoke({})


@pytest.mark.parity("G1")
def test_g1_plain_nodes_of_one_step_run_at_the_same_time() -> None:
    barrier = threading.Barrier(2, timeout=30)

    def meet(state: Log) -> None:
        barrier.wait()

    app = graph(Log, ("one", meet), ("two", meet), paths=["START one", "START two"]).compile()
    app.invoke({})
    assert not barrier.broken


@pytest.mark.parity("A4")
def test_a4_invoke_can_be_called_from_many_threads_at_once() -> None:
    app = plain().compile()
    results: list[Any] = []
    workers = [threading.Thread(target=lambda: results.append(app.invoke({}))) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert results == [{"log": ["a", "b"]}] * 4


@pytest.mark.parity("P5", differs="LangGraph refuses async-only nodes behind the blocking door")
def test_p5_invoke_runs_async_nodes() -> None:
    app = graph(Log, says("a"), says_plainly("b"), says("c"), paths=["START a b c"]).compile()
    assert app.invoke({}) == {"log": ["a", "b", "c"]}


@pytest.mark.parity("P5", differs="LangGraph refuses async-only nodes behind the blocking door")
def test_p5_stream_runs_async_nodes_that_really_wait() -> None:
    async def waits(state: Log) -> dict[str, Any]:
        await asyncio.sleep(0)
        return {"log": ["w"]}

    app = graph(Log, waits, paths=["START waits"]).compile()
    assert list(app.stream({}, stream_mode="values")) == [{"log": ["w"]}]


@pytest.mark.parity("P5", differs="LangGraph refuses async-only routers behind the blocking door")
def test_p5_invoke_runs_async_routers() -> None:
    async def route(state: Log) -> str:
        return "b"

    builder = graph(Log, says_plainly("a"), says_plainly("b"), paths=["START a"])
    assert builder.add_conditional_edges("a", route).compile().invoke({}) == {"log": ["a", "b"]}


@pytest.mark.parity("P5", differs="LangGraph blocks the loop")
async def test_p5_a_blocking_call_inside_a_running_loop_is_refused() -> None:
    app = plain().compile()
    with pytest.raises(RunningLoopError) as raised:
        app.invoke({})
    assert raised.value.method == "invoke"


@pytest.mark.parity("P5", differs="LangGraph blocks the loop")
async def test_p5_a_blocking_stream_inside_a_running_loop_is_refused() -> None:
    with pytest.raises(RunningLoopError):
        list(plain().compile().stream({}))


@pytest.mark.parity("P5")
async def test_p5_a_worker_thread_may_use_the_blocking_door() -> None:
    app = plain().compile()
    assert await asyncio.to_thread(app.invoke, {}) == {"log": ["a", "b"]}


@pytest.mark.parity("G1")
async def test_g1_plain_and_async_nodes_mix() -> None:
    app = graph(Log, says("a"), says_plainly("b"), says("c"), paths=["START a b c"]).compile()
    assert await app.ainvoke({}) == {"log": ["a", "b", "c"]}
