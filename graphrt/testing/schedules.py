"""Other orders: run a graph again and again, with its tasks getting on at other speeds each time.

    await assert_same_whatever_the_order(make_graph, {"pages": [...]})

    async for order in explore(make_graph, {"pages": [...]}, seed=1, runs=20):
        print(order.seed, order.finished, order.value)

A seed says in which order concurrent tasks get to go on at each of their awaits; the same seed gives the same order
again. graphrt applies what nodes return in a fixed order, so a graph whose outcome changes shares something behind
its back: an object that nodes change, a global, a file.
"""

from __future__ import annotations

import asyncio
import operator
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from copy import deepcopy
from typing import Any

from msgspec import Struct

from graphrt.config import RunnableConfig, merge_configs
from graphrt.core.state import Task
from graphrt.errors import GraphError
from graphrt.testing.nodes import hearing
from graphrt.testing.schedules_loop import in_order
from graphrt.testing.script import Answers, play

__all__ = ["Order", "OrderMattersError", "assert_same_whatever_the_order", "explore", "in_order"]


class Order(Struct, frozen=True):
    """One run.

    Attributes:
        seed: gives the same order again; None for that of asyncio.
        value: what `ainvoke` returned; `error` what it raised instead.
        finished: nodes of the graph in the order in which their functions returned; `name[2]` for the third Send.
    """

    seed: int | None
    value: Any = None
    error: BaseException | None = None
    finished: tuple[str, ...] = ()

    def __str__(self) -> str:
        came = f"raises {self.error!r}" if self.error is not None else f"gives {self.value!r}"
        return f"{'->'.join(self.finished) or 'nothing'} {came}"


class OrderMattersError(GraphError, AssertionError):
    """A run that came to something else, only because its tasks went on in another order.

    Attributes:
        expected: the run in the order of asyncio.
        found: the other one; `seed` gives it again.
    """

    def __init__(self, expected: Order, found: Order) -> None:
        super().__init__(
            "What the graph comes to depends on the order in which its tasks go on:\n"
            f"  as asyncio runs them: {expected}\n"
            f"  with seed {found.seed}: {found}\n"
            f"Look at it again with explore(..., seed={found.seed}, runs=1). Tasks that run at the same time share "
            "something besides the state: an object in it that they change in place, a global, an attribute."
        )
        self.expected = expected
        self.found = found
        self.seed = found.seed


async def explore(
    graph: Any,
    input: Any,
    config: RunnableConfig | None = None,
    *,
    answers: Answers | None = None,
    seed: int = 0,
    runs: int = 50,
    **options: Any,
) -> AsyncGenerator[Order, None]:
    """Run a graph in several orders, the first with `seed`, the next with `seed + 1`, and so on.

    Each run has an event loop, an input (a deep copy) and, if the graph stores anything, a checkpointer in memory of
    its own.

    Args:
        graph: a compiled graph, or a function that makes one: it is called for every run, so what nodes share can be
            made afresh there.
        answers: to what the run asks, see `graphrt.testing.script.play`.
        options: of `ainvoke`, such as `context`.
    """
    for number in range(seed, seed + runs):
        yield await _in_a_thread(number, graph, input, config, answers, options)


async def assert_same_whatever_the_order(
    graph: Any,
    input: Any,
    config: RunnableConfig | None = None,
    *,
    answers: Answers | None = None,
    seed: int = 0,
    runs: int = 50,
    same: Callable[[Any, Any], bool] = operator.eq,
    **options: Any,
) -> None:
    """Run a graph in several orders, and expect of each what it comes to in that of asyncio.

    Args:
        same: compares what runs return.

    Raises:
        OrderMattersError: one came to something else.
        whatever the run raises in the order of asyncio.
    """
    expected = await _in_a_thread(None, graph, input, config, answers, options)
    if expected.error is not None:
        raise expected.error
    orders = explore(graph, input, config, answers=answers, seed=seed, runs=runs, **options)
    async with aclosing(orders):
        async for order in orders:
            if order.error is not None or not same(expected.value, order.value):
                raise OrderMattersError(expected, order) from order.error


async def _in_a_thread(
    seed: int | None,
    graph: Any,
    input: Any,
    config: RunnableConfig | None,
    answers: Answers | None,
    options: dict[str, Any],
) -> Order:
    """A thread has room for one running loop, and the caller's runs in this one."""
    return await asyncio.to_thread(_run, seed, graph, deepcopy(input), config, answers, options)


def _run(
    seed: int | None,
    graph: Any,
    input: Any,
    config: RunnableConfig | None,
    answers: Answers | None,
    options: dict[str, Any],
) -> Order:
    finished: list[str] = []

    def hear(task: Task) -> None:
        name = task.node.name
        finished.append(name if task.index < 0 else f"{name}[{task.index}]")

    async def main() -> Any:
        made = graph if hasattr(graph, "ainvoke") else graph()
        heard = made.copy({"plan": hearing(made.plan, hear)})
        if answers is not None:
            return (await play(_own_saver(heard), input, config, answers=answers, **options)).value
        if not heard.checkpointer:
            return await heard.ainvoke(input, config, **options)
        place = merge_configs({"configurable": {"thread_id": "explored"}}, config)
        return await _own_saver(heard).ainvoke(input, place, **options)

    try:
        value = in_order(seed, main)
    except Exception as error:
        return Order(seed, error=error, finished=tuple(finished))
    return Order(seed, value, finished=tuple(finished))


def _own_saver(graph: Any) -> Any:
    from graphrt.checkpoint.memory import InMemorySaver

    return graph.copy({"checkpointer": InMemorySaver()})
