"""Plan a superstep: which tasks run now, with which input (LangGraph D1-D6)."""

from __future__ import annotations

from typing import Any

from graphrt.channels.base import MISSING
from graphrt.core.managed import with_managed
from graphrt.core.retrying import in_time
from graphrt.core.state import State, Task, TaskOwner

__all__ = ["plan_step"]


def plan_step(state: State, owner: TaskOwner | None) -> list[Task]:
    """The tasks that are due: Sends in their order, then triggered nodes by name (LangGraph D1, D2).

    All of them read the state as it is now; what they write shows in the next step. The same state always gives
    the same tasks.

    Raises:
        whatever a schema's constructor raises for the state it is given.
    """
    plan = state.plan
    nodes = plan.nodes
    views = state.views
    tasks: list[Task] = []
    for number, send in enumerate(state.sends):
        target = plan.target(send.node)
        if target is not None:
            node = nodes[target.node] if send.timeout is None else in_time(nodes[target.node], send.timeout)
            tasks.append(Task(node, send.arg, owner, number, generation=state.generation))
    for index in state.armed:
        node = nodes[index]
        view = views[node.view]
        if view and node.mapper is None:  # the common case, worth its own line: 0.3 us of a 3 us step
            tasks.append(Task(node, view.copy(), owner, -1))
        elif (value := node_input(state, index, owner)) is not MISSING:
            tasks.append(Task(node, value, owner, -1))
    return tasks


def node_input(state: State, index: int, owner: TaskOwner | None) -> Any:
    """What a triggered node reads: a fresh object of its schema, MISSING if its single channel is empty (D4, B5).

    Without an owner nobody runs it: if some values are only known in a run, it is without those.
    """
    node = state.plan.nodes[index]
    value = state.read(node.view)
    if value is MISSING or node.mapper is None:
        return value
    if node.managed:
        if owner is None:
            return value
        value = with_managed(value, node.managed, owner)
    return node.mapper(value)
