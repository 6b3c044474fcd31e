"""Seeded schedules: other orders, the same ones again, and races that are found by them."""

import asyncio
import operator
import time
from collections import Counter
from typing import Annotated, Any, TypedDict

import pytest

from graphrt import START, Send, StateGraph, interrupt
from graphrt.checkpoint.memory import InMemorySaver
from graphrt.testing.schedules import (
    Order,
    OrderMattersError,
    assert_same_whatever_the_order,
    explore,
    in_order,
)
from graphrt.testing.schedules_loop import HungError


class State(TypedDict):
    log: Annotated[list[Any], operator.add]


def working(name: str, turns: int = 1) -> Any:
    async def node(state: State) -> dict[str, Any]:
        for _ in range(turns):
            await asyncio.sleep(0)
        return {"log": [name]}

    return node


def together(**nodes: Any) -> Any:
    builder = StateGraph(State)
    for name, node in nodes.items():
        builder.add_node(name, node).add_edge(START, name)
    return builder.compile()


NOTHING: dict[str, Any] = {"log": []}


async def orders_of(graph: Any, given: Any = NOTHING, **options: Any) -> list[Order]:
    return [order async for order in explore(graph, given, **options)]


# ---- orders


async def test_every_order_of_three_tasks_is_seen():
    orders = await orders_of(together(a=working("a"), b=working("b"), c=working("c")), runs=60)
    assert len({order.finished for order in orders}) == 6
    assert {tuple(order.value["log"]) for order in orders} == {("a", "b", "c")}


async def test_slow_task_may_finish_first():
    orders = await orders_of(together(quick=working("q", 1), slow=working("s", 20)), runs=20)
    assert {order.finished for order in orders} == {("quick", "slow"), ("slow", "quick")}


async def test_same_seed_gives_the_same_order_again():
    graph = together(**{name: working(name, 5) for name in "abcdef"})
    first, again = [await orders_of(graph, seed=7, runs=5) for _ in range(2)]
    assert [order.finished for order in first] == [order.finished for order in again]
    assert len({order.finished for order in first}) > 1


async def test_run_number_says_the_seed():
    assert [order.seed for order in await orders_of(together(a=working("a")), seed=7, runs=2)] == [7, 8]


async def test_sends_are_told_apart():
    builder = StateGraph(State).add_node("work", working("w"))
    builder.add_conditional_edges(START, lambda state: [Send("work", n) for n in range(3)])
    orders = await orders_of(builder.compile(), runs=30)
    assert Counter(orders[0].finished) == Counter(["work[0]", "work[1]", "work[2]"])
    assert len({order.finished for order in orders}) == 6


async def test_naps_take_no_time_and_keep_their_order():
    async def naps(state: State) -> dict[str, Any]:
        await asyncio.sleep(3600)
        return {"log": ["late"]}

    begun = time.monotonic()
    orders = await orders_of(together(a=naps, b=working("b", 50)), runs=3)
    assert {order.finished for order in orders} == {("b", "a")}
    assert time.monotonic() - begun < 600


async def in_a_thread(state: State) -> dict[str, Any]:
    async with asyncio.timeout(600):
        return {"log": [await asyncio.to_thread(slow, state)]}


def slow(state: State) -> None:
    time.sleep(0.02)  # longer than a clock takes that jumps


async def within_a_timeout(state: State) -> None:
    async with asyncio.timeout(600):
        await StateGraph(State).add_node(slow).add_edge(START, "slow").compile().ainvoke(NOTHING)


@pytest.mark.parametrize("node", [in_a_thread, within_a_timeout])
async def test_timeouts_do_not_strike_while_a_thread_works(node: Any):
    (order,) = await orders_of(together(a=node, b=working("b")), runs=1)
    assert order.error is None


async def test_thread_may_wait_for_a_task_that_sleeps():
    async def naps() -> str:
        await asyncio.sleep(0.05)
        return "rested"

    async def main() -> str:
        loop = asyncio.get_running_loop()
        return await asyncio.to_thread(lambda: asyncio.run_coroutine_threadsafe(naps(), loop).result(10))

    assert await asyncio.to_thread(in_order, 1, main) == "rested"


async def test_any_program_can_be_run_in_an_order():
    async def main() -> list[str]:
        done: list[str] = []

        async def work(name: str) -> None:
            await asyncio.sleep(0)
            done.append(name)

        await asyncio.gather(*map(work, "abc"))
        return done

    ways = [await asyncio.to_thread(in_order, seed, main) for seed in (None, *range(30))]
    assert ways[0] == ["a", "b", "c"]
    assert len({tuple(way) for way in ways}) == 6


async def test_run_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("graphrt.testing.schedules_loop.PATIENCE_S", 0.01)

    async def waits(state: State) -> None:
        await asyncio.get_running_loop().create_future()

    (order,) = await orders_of(together(a=waits, b=working("b")), runs=1)
    assert isinstance(order.error, HungError)


# ---- races


def racy() -> Any:
    """Two nodes read a number they share, wait, and write it: one of the two increments is lost in some orders."""
    shared = {"count": 0}

    async def add(state: State) -> dict[str, Any]:
        count = shared["count"]
        await asyncio.sleep(0)
        shared["count"] = count + 1
        return {}

    async def quick(state: State) -> dict[str, Any]:
        shared["count"] += 1
        return {}

    async def last(state: State) -> dict[str, Any]:
        return {"log": [shared["count"]]}

    builder = StateGraph(State).add_node("add", add).add_node("quick", quick).add_node("last", last)
    builder.add_edge(START, "add").add_edge(START, "quick").add_edge(["add", "quick"], "last")
    return builder.compile()


async def test_planted_race_is_found_and_its_seed_told():
    with pytest.raises(OrderMattersError, match="with seed") as caught:
        await assert_same_whatever_the_order(racy, NOTHING)
    found = caught.value.found
    (again,) = await orders_of(racy, seed=caught.value.seed, runs=1)
    assert (again.value, again.finished) == (found.value, found.finished)
    assert again.value != caught.value.expected.value


@pytest.mark.parametrize("turns", [3, 30])
async def test_race_that_needs_one_task_far_behind_is_found(turns: int):
    """One loses the other's increment only if that comes to its last turn while the first stands at its second."""

    def make() -> Any:
        shared = {"count": 0}

        def adding(turn: int) -> Any:
            async def node(state: State) -> None:
                for number in range(turns):
                    count = shared["count"]
                    await asyncio.sleep(0)
                    if number == turn:
                        shared["count"] = count + 1

            return node

        async def total(state: State) -> dict[str, Any]:
            return {"log": [shared["count"]]}

        builder = StateGraph(State).add_node("a", adding(1)).add_node("b", adding(turns - 1)).add_node(total)
        return builder.add_edge(START, "a").add_edge(START, "b").add_edge(["a", "b"], "total").compile()

    with pytest.raises(OrderMattersError):
        await assert_same_whatever_the_order(make, NOTHING, runs=200)


async def test_list_that_nodes_change_in_place_is_found():
    def appending(name: str) -> Any:
        async def node(state: State) -> dict[str, Any]:
            await asyncio.sleep(0)
            state["log"].append(name)
            return {"log": [len(state["log"])]}

        return node

    with pytest.raises(OrderMattersError):
        await assert_same_whatever_the_order(together(a=appending("a"), b=appending("b")), NOTHING)


async def test_error_in_some_orders_is_found():
    def make() -> Any:
        opened: list[int] = []

        async def opens(state: State) -> None:
            opened.append(1)

        async def reads(state: State) -> dict[str, Any]:
            await asyncio.sleep(0)
            return {"log": [opened[0]]}

        return together(a=opens, b=reads)

    with pytest.raises(OrderMattersError, match="IndexError") as caught:
        await assert_same_whatever_the_order(make, NOTHING)
    assert isinstance(caught.value.__cause__, IndexError)


async def test_graph_without_a_race_passes():
    graph = together(**{name: working(name, number) for number, name in enumerate("abcd")})
    await assert_same_whatever_the_order(graph, NOTHING, runs=20)


async def test_failure_in_every_order_is_raised_as_it_is():
    async def fails(state: State) -> None:
        raise LookupError("always")

    with pytest.raises(LookupError, match="always"):
        await assert_same_whatever_the_order(together(a=fails), NOTHING)


async def test_input_is_not_shared_between_runs():
    class Boxed(TypedDict):
        box: list[str]

    async def fills(state: Boxed) -> None:
        state["box"].append("x")

    graph = StateGraph(Boxed).add_node(fills).add_edge(START, "fills").compile()
    given: dict[str, Any] = {"box": []}
    orders = await orders_of(graph, given, runs=2)
    assert [order.value for order in orders] == [{"box": ["x"]}, {"box": ["x"]}]
    assert given == {"box": []}


async def test_what_counts_as_the_same_can_be_said():
    await assert_same_whatever_the_order(racy, NOTHING, same=lambda one, other: one.keys() == other.keys())


# ---- with threads and questions


async def test_threads_of_the_graph_are_not_touched():
    saver = InMemorySaver()
    graph = together(a=working("a"), b=working("b")).copy({"checkpointer": saver})
    await assert_same_whatever_the_order(graph, NOTHING, {"configurable": {"thread_id": "t"}}, runs=5)
    assert await saver.load("t") is None


async def test_questions_are_answered_in_every_order():
    async def asks(state: State) -> dict[str, Any]:
        await asyncio.sleep(0)
        return {"log": [interrupt("x?")]}

    graph = together(a=asks, b=working("b"), c=working("c"))
    await assert_same_whatever_the_order(graph, NOTHING, answers={"x?": 1}, runs=10)
