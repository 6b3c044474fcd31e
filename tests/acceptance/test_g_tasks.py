"""How the tasks of a superstep run beside each other (LangGraph G1, G2, G8)."""

import asyncio
import threading
from contextvars import ContextVar
from functools import partial
from typing import Any

import pytest

from graphrt.types import Send
from tests.acceptance.graphs import Log, graph, says, thread

who: ContextVar[str] = ContextVar("who", default="nobody")


@pytest.mark.parity("G1")
async def test_g1_nodes_of_one_step_run_at_the_same_time() -> None:
    barrier = asyncio.Barrier(3)

    async def meet(state: Any) -> None:
        async with asyncio.timeout(30):
            await barrier.wait()

    nodes = [("p", meet), ("q", meet), ("r", meet)]
    await graph(Log, *nodes, paths=["START p", "START q", "START r"]).compile().ainvoke({})


@pytest.mark.parity("G1")
async def test_g1_sends_of_one_step_run_at_the_same_time() -> None:
    barrier = asyncio.Barrier(20)

    async def meet(state: Any) -> None:
        async with asyncio.timeout(30):
            await barrier.wait()

    builder = graph(Log, meet, paths=["meet END"])
    builder.add_conditional_edges("__start__", lambda state: [Send("meet", i) for i in range(20)])
    await builder.compile().ainvoke({})


@pytest.mark.parity("G1")
async def test_g1_plain_nodes_of_one_step_run_at_the_same_time() -> None:
    barrier = threading.Barrier(2, timeout=30)

    def meet(state: Any) -> None:
        barrier.wait()

    await graph(Log, ("p", meet), ("q", meet), paths=["START p", "START q"]).compile().ainvoke({})


@pytest.mark.parity("G1")
async def test_g1_a_plain_node_does_not_run_on_the_loops_thread() -> None:
    threads: list[int] = []
    app = graph(Log, ("p", lambda state: threads.append(threading.get_ident())), paths=["START p"]).compile()
    await app.ainvoke({})
    assert threads != [threading.get_ident()]


@pytest.mark.parity("G1")
async def test_g1_async_nodes_run_on_the_callers_loop() -> None:
    loops: list[Any] = []

    async def node(state: Any) -> None:
        loops.append(asyncio.get_running_loop())

    await graph(Log, ("p", node), ("q", node), paths=["START p", "START q"]).compile().ainvoke({})
    assert loops == [asyncio.get_running_loop()] * 2


@pytest.mark.parity(
    "G1", differs="sync-routers-run-on-the-loops-thread: LangGraph runs them in worker threads"
)
async def test_g1_plain_routers_run_on_the_loops_thread() -> None:
    threads: list[int] = []

    def route(state: Log) -> str:
        threads.append(threading.get_ident())
        return "__end__"

    await graph(Log, says("a"), paths=["START a"]).add_conditional_edges("a", route).compile().ainvoke({})
    assert threads == [threading.get_ident()]


async def reads_and_sets(state: Any) -> dict[str, Any]:
    before = who.get()
    who.set("node")
    return {"log": [before]}


def reads_and_sets_plainly(state: Any) -> dict[str, Any]:
    before = who.get()
    who.set("node")
    return {"log": [before]}


@pytest.mark.parity("G1", "G2")
@pytest.mark.parametrize("node", [reads_and_sets, reads_and_sets_plainly])
async def test_g2_nodes_see_the_callers_context_variables(node: Any) -> None:
    token = who.set("caller")
    try:
        assert await graph(Log, ("p", node), paths=["START p"]).compile().ainvoke({}) == {"log": ["caller"]}
    finally:
        who.reset(token)


@pytest.mark.parity("G2")
@pytest.mark.parametrize("node", [reads_and_sets, reads_and_sets_plainly])
async def test_g2_context_variables_a_node_sets_stay_with_it(node: Any) -> None:
    app = graph(Log, ("p", node), ("q", node), ("r", node), paths=["START p r", "START q"]).compile()
    assert await app.ainvoke({}) == {"log": ["nobody"] * 3}
    assert who.get() == "nobody"


@pytest.mark.parity("G2")
async def test_g2_a_lone_node_that_really_waits_keeps_its_context_variables() -> None:
    async def node(state: Any) -> dict[str, Any]:
        who.set("node")
        await asyncio.sleep(0)
        return {"log": [who.get()]}

    assert await graph(Log, node, paths=["START node"]).compile().ainvoke({}) == {"log": ["node"]}
    assert who.get() == "nobody"


@pytest.mark.parity("G2")
async def test_g2_tasks_a_node_starts_inherit_its_context() -> None:
    async def child() -> str:
        return who.get()

    async def node(state: Any) -> dict[str, Any]:
        who.set("node")
        return {"log": [await asyncio.create_task(child())]}

    assert await graph(Log, node, paths=["START node"]).compile().ainvoke({}) == {"log": ["node"]}


@pytest.mark.parity("G2")
async def test_g2_a_node_may_use_timeouts_and_task_groups() -> None:
    async def node(state: Any) -> dict[str, Any]:
        async with asyncio.timeout(30), asyncio.TaskGroup() as group:
            inner = group.create_task(asyncio.sleep(0, "inner"))
        return {"log": [inner.result()]}

    assert await graph(Log, node, paths=["START node"]).compile().ainvoke({}) == {"log": ["inner"]}


@pytest.mark.parity("G2")
async def test_g2_current_task_is_set_inside_a_node() -> None:
    async def node(state: Any) -> dict[str, Any]:
        return {"log": [str(asyncio.current_task() is not None)]}

    assert await graph(Log, node, paths=["START node"]).compile().ainvoke({}) == {"log": ["True"]}


class Callable:
    """A node that is an object."""

    async def __call__(self, state: Any) -> dict[str, Any]:
        return {"log": ["object"]}

    async def method(self, state: Any) -> dict[str, Any]:
        return {"log": ["method"]}


async def partly(word: str, state: Any) -> dict[str, Any]:
    return {"log": [word]}


@pytest.mark.parity("G4")
@pytest.mark.parametrize(
    "node, word",
    [(Callable(), "object"), (Callable().method, "method"), (partial(partly, "partial"), "partial")],
)
async def test_g4_a_node_may_be_any_callable(node: Any, word: str) -> None:
    assert await graph(Log, ("n", node), paths=["START n"]).compile().ainvoke({}) == {"log": [word]}


@pytest.mark.parity("G4")
async def test_g4_a_compiled_graph_may_be_a_node() -> None:
    inner = graph(Log, says("x"), says("y"), paths=["START x y"]).compile()
    app = graph(Log, says("a"), ("inner", inner), paths=["START a inner"]).compile()
    assert (await app.ainvoke({}))["log"] == ["a", "a", "x", "y"]


@pytest.mark.parity("G8", "J3")
async def test_g8_a_node_without_writes_still_reports_that_it_finished() -> None:
    app = graph(Log, ("idle", lambda state: None), says("b"), paths=["START idle b"]).compile()
    chunks = [c async for c in app.astream({}, stream_mode="updates")]
    assert chunks == [{"idle": None}, {"b": {"log": ["b"]}}]


@pytest.mark.parity("G8")
async def test_g8_a_finished_node_without_writes_is_not_run_again(saver: Any) -> None:
    calls: list[str] = []

    async def idle(state: Log) -> None:
        calls.append("idle")

    async def flaky(state: Log) -> None:
        calls.append("flaky")
        if calls.count("flaky") == 1:
            raise ConnectionError

    app = graph(Log, idle, flaky, paths=["START idle", "START flaky"]).compile(checkpointer=saver)
    with pytest.raises(ConnectionError):
        await app.ainvoke({}, thread())
    await app.ainvoke(None, thread())
    assert calls.count("flaky") == 2


@pytest.mark.parity("G1")
async def test_g1_plain_and_async_nodes_mix() -> None:
    nodes = [says("a"), ("b", lambda state: {"log": ["b"]}), says("c")]
    assert await graph(Log, *nodes, paths=["START a b c"]).compile().ainvoke({}) == {"log": ["a", "b", "c"]}
