"""Values that say how far a run is from its step limit (LangGraph O8)."""

from typing import Any

import pytest

from graphrt.graph import END, START, StateGraph
from graphrt.types import interrupt
from tests.acceptance.counting import Counted, looping, tell, told
from tests.acceptance.graphs import thread


async def test_o8_the_first_node_has_all_steps_but_one_left() -> None:
    assert await told(tell).ainvoke({}, {"recursion_limit": 7}) == {"log": ["6 False"]}


async def test_o8_the_last_step_is_the_one_after_which_the_run_can_still_end() -> None:
    app = looping(lambda state: END if state["last"] else "node")
    assert await app.ainvoke({}, {"recursion_limit": 4}) == {"log": ["3 False", "2 False", "1 True"]}


async def test_o8_a_resumed_run_has_two_steps_more_than_its_limit(saver: Any) -> None:
    builder: Any = StateGraph(Counted).add_node("node", tell).add_node("again", tell)
    app = builder.add_edge(START, "node").add_edge("node", "again").compile(saver, interrupt_before=["again"])
    config = thread("t", recursion_limit=5)
    await app.ainvoke({}, config)
    assert await app.ainvoke(None, config) == {"log": ["4 False", "6 False"]}


async def test_o8_every_graph_counts_its_own_steps() -> None:
    inner = told(tell)

    async def outer(state: Counted) -> dict[str, Any]:
        return {"log": [str(state["left"]), *(await inner.ainvoke({}))["log"]]}

    assert await told(outer).ainvoke({}, {"recursion_limit": 9}) == {"log": ["8", "8 False"]}


@pytest.mark.parity("N1", "U4")
async def test_o8_a_thread_that_waits_can_be_looked_at(saver: Any) -> None:
    async def ask(state: Counted) -> dict[str, Any]:
        return {"log": [interrupt(str(state["left"]))]}

    builder: Any = StateGraph(Counted).add_node("node", ask).add_edge(START, "node")
    app = builder.compile(saver)
    await app.ainvoke({}, thread())
    state = await app.aget_state(thread())
    assert (state.values, [asked.value for asked in state.interrupts]) == ({"log": []}, ["10006"])
    assert [shown.next async for shown in app.aget_state_history(thread())] == [("node",), ("__start__",)]
