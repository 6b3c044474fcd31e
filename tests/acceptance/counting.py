"""Graphs whose state says how many steps are left."""

from typing import Any

from graphrt.graph import START, StateGraph
from graphrt.managed import IsLastStep, RemainingSteps
from tests.acceptance.graphs import Log


class Counted(Log):
    """A log, and how many steps are left."""

    left: RemainingSteps
    last: IsLastStep


async def tell(state: Counted) -> dict[str, Any]:
    return {"log": [f"{state['left']} {state['last']}"]}


def told(node: Any, schema: Any = Counted) -> Any:
    return StateGraph(schema).add_node("node", node).add_edge(START, "node").compile()


def looping(route: Any, node: Any = tell) -> Any:
    builder: Any = StateGraph(Counted).add_node("node", node).add_edge(START, "node")
    return builder.add_conditional_edges("node", route).compile()
