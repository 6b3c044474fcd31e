"""Managed values are computed whenever a node or router reads them (LangGraph U4, 1.6)."""

import asyncio
import operator
from dataclasses import dataclass
from typing import Annotated, Any, TypedDict

import pytest
from pydantic import BaseModel

from graphrt.graph import END, START, StateGraph
from graphrt.managed import ManagedValue, RemainingSteps, Scratchpad, is_managed_value
from tests.acceptance.counting import Counted, looping, tell, told
from tests.acceptance.graphs import Log, thread


async def test_u4_routers_read_them() -> None:
    seen: list[int] = []

    def route(state: Counted) -> str:
        seen.append(state["left"])
        return END

    await looping(route).ainvoke({}, {"recursion_limit": 5})
    assert seen == [4]


async def test_u4_a_router_still_sees_what_its_node_returned_besides() -> None:
    def route(state: Any) -> str:
        return str(state["extra"])

    async def node(state: Counted) -> dict[str, Any]:
        return {"log": ["once"], "extra": END}

    builder: Any = StateGraph(Counted).add_node("node", node).add_edge(START, "node")
    app = builder.add_conditional_edges("node", route).compile(strict=False)
    assert await app.ainvoke({}) == {"log": ["once"]}


async def test_u4_routers_of_start_read_them() -> None:
    def route(state: Counted) -> str:
        return "node" if state["left"] == 5 else END

    app = StateGraph(Counted).add_node("node", tell).add_conditional_edges(START, route).compile()
    assert await app.ainvoke({}, {"recursion_limit": 5}) == {"log": ["4 False"]}


async def test_u4_a_nodes_input_schema_may_have_them_alone() -> None:
    class Steps(TypedDict):
        left: RemainingSteps

    async def node(state: Steps) -> dict[str, Any]:
        return {"log": [f"{state}"]}

    assert await told(node, Log).ainvoke({}, {"recursion_limit": 5}) == {"log": ["{'left': 4}"]}


@dataclass
class Data:
    left: RemainingSteps
    log: Annotated[list[str], operator.add]


class Model(BaseModel):
    left: RemainingSteps
    log: Annotated[list[str], operator.add] = []


@pytest.mark.parametrize("schema", [Data, Model])
async def test_u4_they_are_fields_of_dataclasses_and_models(schema: type[Any]) -> None:
    async def node(state: Any) -> dict[str, Any]:
        return {"log": [f"{type(state).__name__} {state.left}"]}

    found = await told(node, schema).ainvoke({"log": []}, {"recursion_limit": 5})
    assert found == {"log": [f"{schema.__name__} 4"]}


async def test_u4_users_have_values_of_their_own() -> None:
    class Half(ManagedValue[bool]):
        @staticmethod
        def get(scratchpad: Scratchpad) -> bool:
            return scratchpad.step * 2 > scratchpad.stop

    class State(Log):
        tired: Annotated[bool, Half]

    async def node(state: State) -> dict[str, Any]:
        return {"log": [str(state["tired"])]}

    builder: Any = StateGraph(State)
    app = (
        builder.add_node("node", node).add_node("more", node).add_edge(START, "node").add_edge("node", "more")
    )
    assert await app.compile().ainvoke({}, {"recursion_limit": 3}) == {"log": ["False", "True"]}


async def test_u4_a_node_alone_and_nodes_beside_each_other_read_the_same() -> None:
    builder: Any = StateGraph(Counted).add_node("a", tell).add_node("b", tell)
    app = builder.add_edge(START, "a").add_edge(START, "b").compile()
    assert await app.ainvoke({}, {"recursion_limit": 3}) == {"log": ["2 False", "2 False"]}


async def test_u4_a_run_without_a_loop_reads_them_too() -> None:
    def node(state: Counted) -> dict[str, Any]:
        return {"log": [str(state["left"])]}

    assert await asyncio.to_thread(told(node).invoke, {}, {"recursion_limit": 3}) == {"log": ["2"]}


async def test_u4_routers_read_them_while_a_state_is_edited(saver: Any) -> None:
    seen: list[int] = []

    def route(state: Counted) -> str:
        seen.append(state["left"])
        return END

    builder: Any = StateGraph(Counted).add_node("node", tell).add_edge(START, "node")
    app = builder.add_conditional_edges("node", route).compile(saver)
    await app.ainvoke({}, thread("t", recursion_limit=5))
    await app.aupdate_state(thread("t"), {"log": ["edit"]}, as_node="node")
    assert seen == [4, 2]


@pytest.mark.parity("1.6")
def test_1_6_names_are_where_langgraph_has_them() -> None:
    from graphrt import managed
    from graphrt.managed import base, is_last_step

    assert managed.IsLastStep is is_last_step.IsLastStep
    assert managed.RemainingSteps is is_last_step.RemainingSteps
    assert base.is_managed_value(is_last_step.IsLastStepManager)
    assert base.is_managed_value(is_last_step.RemainingStepsManager)


@pytest.mark.parity("1.6")
def test_1_6_managed_values_are_known_by_their_class() -> None:
    class Mine(ManagedValue[int]):
        @staticmethod
        def get(scratchpad: Scratchpad) -> int:
            return 0

    assert is_managed_value(Mine)
    assert not is_managed_value(int)
    assert not is_managed_value(Annotated[int, Mine])
