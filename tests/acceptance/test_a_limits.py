"""How far and how wide a run may go: recursion_limit, max_concurrency, step_timeout (LangGraph A12, A13, A16, A17)."""

import asyncio
from typing import Any

import pytest

from graphrt.errors import GraphRecursionError
from graphrt.types import Send
from tests.acceptance.graphs import Log, graph, says, thread


def endless() -> Any:
    """A builder whose node `a` runs for ever."""
    return graph(Log, says("a"), paths=["START a a"])


@pytest.mark.parity("A12", "P4")
async def test_a12_the_limit_counts_supersteps_of_nodes() -> None:
    updates = []
    with pytest.raises(GraphRecursionError, match="Recursion limit of 5 reached"):
        async for chunk in endless().compile().astream({}, {"recursion_limit": 5}):
            updates.append(chunk)
    assert len(updates) == 5


@pytest.mark.parity("A12")
async def test_a12_the_limit_is_a_recursion_error() -> None:
    with pytest.raises(RecursionError):
        await endless().compile().ainvoke({}, {"recursion_limit": 1})


@pytest.mark.parity("A12")
async def test_a12_a_graph_that_ends_below_the_limit_is_fine() -> None:
    app = graph(Log, says("a"), says("b"), says("c"), paths=["START a b c"]).compile()
    assert await app.ainvoke({}, {"recursion_limit": 4}) == {"log": ["a", "b", "c"]}


@pytest.mark.parity("A12")
async def test_a12_the_limit_is_checked_before_the_end_is_noticed(saver: Any) -> None:
    app = graph(Log, says("a"), says("b"), says("c"), paths=["START a b c"]).compile(checkpointer=saver)
    with pytest.raises(GraphRecursionError):
        await app.ainvoke({}, thread(recursion_limit=3))
    state = await app.aget_state(thread())
    assert (state.values, state.next) == ({"log": ["a", "b", "c"]}, ())


@pytest.mark.parity("A12")
async def test_a12_parallel_nodes_count_once() -> None:
    app = graph(Log, says("a"), says("b"), paths=["START a", "START b"]).compile()
    assert await app.ainvoke({}, {"recursion_limit": 2}) == {"log": ["a", "b"]}


@pytest.mark.parity("A13")
async def test_a13_the_error_has_the_last_state() -> None:
    with pytest.raises(GraphRecursionError) as raised:
        await endless().compile().ainvoke({}, {"recursion_limit": 5})
    assert raised.value.state == {"log": ["a"] * 5}


@pytest.mark.parity("A13")
async def test_a13_the_last_state_is_saved_when_the_limit_is_hit(saver: Any) -> None:
    app = endless().compile(checkpointer=saver)
    with pytest.raises(GraphRecursionError):
        await app.ainvoke({}, thread(recursion_limit=5))
    state = await app.aget_state(thread())
    assert (state.values, state.next) == ({"log": ["a"] * 5}, ("a",))


@pytest.mark.parity("A12", "A13")
async def test_a12_a_continued_run_gets_two_steps_more(saver: Any) -> None:
    app = endless().compile(checkpointer=saver)
    with pytest.raises(GraphRecursionError):
        await app.ainvoke({}, thread(recursion_limit=5))
    with pytest.raises(GraphRecursionError):
        await app.ainvoke(None, thread(recursion_limit=5))
    assert (await app.aget_state(thread())).values == {"log": ["a"] * (5 + 7)}


@pytest.mark.parity("A12")
async def test_a12_a_new_turn_gets_the_whole_limit_again(saver: Any) -> None:
    app = graph(Log, says("a"), says("b"), paths=["START a b"]).compile(checkpointer=saver)
    await app.ainvoke({}, thread(recursion_limit=3))
    assert await app.ainvoke({}, thread(recursion_limit=3)) == {"log": ["a", "b", "a", "b"]}


class Gauge:
    """A node that knows how many of itself run at once."""

    def __init__(self) -> None:
        self.running = 0
        self.peak = 0
        self.done = 0

    async def node(self, state: Any) -> None:
        self.running += 1
        self.peak = max(self.peak, self.running)
        for _ in range(5):
            await asyncio.sleep(0)
        self.running -= 1
        self.done += 1


def fan_out(gauge: Gauge, n: int) -> Any:
    builder = graph(Log, ("work", gauge.node), paths=["work END"])
    return builder.add_conditional_edges("__start__", lambda state: [Send("work", i) for i in range(n)])


@pytest.mark.parity("A16")
@pytest.mark.parametrize("limit", [1, 2, 3])
async def test_a16_max_concurrency_bounds_running_nodes(limit: int) -> None:
    gauge = Gauge()
    await fan_out(gauge, 8).compile().ainvoke({}, {"max_concurrency": limit})
    assert (gauge.peak, gauge.done) == (limit, 8)


@pytest.mark.parity("A16")
async def test_a16_without_a_bound_all_nodes_of_a_step_run_together() -> None:
    gauge = Gauge()
    await fan_out(gauge, 8).compile().ainvoke({})
    assert (gauge.peak, gauge.done) == (8, 8)


@pytest.mark.parity("A16")
async def test_a16_max_concurrency_leaves_room_to_save(saver: Any) -> None:
    app = fan_out(Gauge(), 4).compile(checkpointer=saver)
    async with asyncio.timeout(30):
        assert await app.ainvoke({"log": ["in"]}, thread(max_concurrency=1)) == {"log": ["in"]}


@pytest.mark.parity("A16")
async def test_a16_nodes_waiting_for_inner_graphs_do_not_hang() -> None:
    inner = graph(Log, says("x"), says("y"), paths=["START x", "START y"]).compile()

    async def call(state: Any) -> None:
        await inner.ainvoke({})

    builder = graph(Log, ("p", call), ("q", call), paths=["START p", "START q"])
    async with asyncio.timeout(30):
        await builder.compile().ainvoke({}, {"max_concurrency": 1})


class Stuck:
    """A node that never ends by itself and remembers that it was cancelled."""

    cancelled = False

    async def node(self, state: Any) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise


@pytest.mark.parity("A17")
async def test_a17_step_timeout_cancels_the_whole_step() -> None:
    one, two = Stuck(), Stuck()
    app = graph(Log, ("one", one.node), ("two", two.node), paths=["START one", "START two"]).compile()
    app.step_timeout = 0.01
    with pytest.raises(asyncio.TimeoutError):
        await app.ainvoke({})
    assert (one.cancelled, two.cancelled) == (True, True)


@pytest.mark.parity("A17")
async def test_a17_a_lone_node_is_timed_out_as_well() -> None:
    app = graph(Log, ("stuck", Stuck().node), paths=["START stuck"]).compile()
    app.step_timeout = 0.01
    with pytest.raises(asyncio.TimeoutError):
        await app.ainvoke({})


@pytest.mark.parity("A17")
async def test_a17_the_thread_can_go_on_after_a_timeout(saver: Any) -> None:
    app = graph(Log, says("a"), ("stuck", Stuck().node), paths=["START a stuck"]).compile(checkpointer=saver)
    app.step_timeout = 0.01
    with pytest.raises(asyncio.TimeoutError):
        await app.ainvoke({}, thread())
    state = await app.aget_state(thread())
    assert (state.values, state.next) == ({"log": ["a"]}, ("stuck",))
