"""Corners where nested graphs, answers, calls and controls meet."""

import asyncio
from typing import Any

import pytest

from graphrt.checkpoint.memory import InMemorySaver
from graphrt.errors import UnknownInterruptError
from graphrt.func import entrypoint, task
from graphrt.runtime import RunControl
from graphrt.types import Command, Send, interrupt
from tests.acceptance.asking import asked, asks, open_ids, paused
from tests.acceptance.graphs import Log, graph, thread
from tests.acceptance.nested import chain, visited


@pytest.mark.parity("M2", differs="a-fan-out-has-children-of-its-own: they share one state")
async def test_m2_persistent_graphs_inside_the_graphs_of_a_fan_out_are_kept_apart(saver: Any) -> None:
    memory = visited(True, [])
    seen: list[int] = []

    async def use(state: Log) -> None:
        seen.append((await memory.ainvoke({"visits": 0}))["visits"])

    middle = chain(use)
    builder = graph(Log, ("middle", middle), paths=["middle END"])
    builder.add_conditional_edges("__start__", lambda state: [Send("middle", {"log": []}) for _ in range(3)])
    app = builder.compile(checkpointer=saver)
    for _ in range(2):
        await app.ainvoke({"log": []}, thread())
    assert seen == [1, 1, 1, 2, 2, 2]


@pytest.mark.parity("M7", "O7")
async def test_m7_a_graph_with_a_control_of_its_own_is_answered(saver: Any) -> None:
    child = chain(asks("a", "q"))

    async def call(state: Log) -> Any:
        return await child.ainvoke({"log": []}, control=RunControl())

    app = chain(call, checkpointer=saver)
    await app.ainvoke({"log": []}, thread())
    assert await app.ainvoke(Command(resume="r"), thread()) == {"log": ["a:r"]}


@pytest.mark.parity("Q4")
async def test_q4_a_result_is_not_handed_to_another_function(saver: Any) -> None:
    first = True

    @task
    async def a() -> str:
        return "a"

    @task
    async def b() -> str:
        return "b"

    @entrypoint(checkpointer=saver)
    async def app(given: str) -> str:
        found = await (a() if first else b())
        return f"{found} {interrupt('q')}"

    await app.ainvoke("in", thread())
    first = False
    assert await app.ainvoke(Command(resume="r"), thread()) == "b r"


async def test_the_same_answer_again_shows_what_a_nested_graph_asks_now(saver: Any) -> None:
    app = chain(("child", chain(asks("a", "q1", "q2"))), checkpointer=saver)
    await app.ainvoke({"log": []}, thread())
    answer = Command(resume={(await open_ids(app))["q1"]: "r1"})
    for _ in range(2):
        assert asked(await app.ainvoke(answer, thread())) == ["q2"]


async def test_of_two_answers_that_race_the_first_one_stored_counts() -> None:
    class Slow(InMemorySaver):
        immediate = False

        async def load(self, *args: Any, **kwargs: Any) -> Any:
            stored = await super().load(*args, **kwargs)
            for _ in range(10):
                await asyncio.sleep(0)
            return stored

    app = await paused(Slow(), asks("a", "q"), paths=["START a"])
    id = (await open_ids(app))["q"]
    answers = [Command(resume={id: word}) for word in ("one", "two")]
    first, second = await asyncio.gather(
        *(app.ainvoke(answer, thread()) for answer in answers), return_exceptions=True
    )
    assert (first, type(second)) == ({"log": ["in", "a:one"]}, UnknownInterruptError)
    assert await app.ainvoke(answers[0], thread()) == first
