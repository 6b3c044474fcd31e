"""A failed task whose error handler takes its place: same input, same place in the step, other node (LangGraph O5, O6).

The handler's task consumes what the failed one was started by, and leads nowhere but where its Commands go. It has a
path and an id of its own, and so results, questions and memos of its own. A note beside the failure's record says that
it is the handler's turn: whoever goes on from there runs the handler and not the node.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import copy
from typing import Final

from graphrt.checkpoint import TaskResult
from graphrt.core.ids import path_text
from graphrt.core.plan import Node, Plan
from graphrt.core.state import Task

__all__ = ["DEFAULT_HANDLER", "ERROR_SOURCE", "HANDLER", "clear", "hand_over", "handler_name", "was_handed_over",
           "with_handlers"]  # fmt: skip

ERROR_SOURCE: Final = "__error_source_node__"
"""The write that says, beside the record of a failure, that a handler was to run."""
HANDLER: Final = "__error_handler__"
DEFAULT_HANDLER: Final = "__default_error_handler__"
_BESIDE: Final = "@"


def handler_name(node: str) -> str:
    """The name of the node that handles another one's errors."""
    return HANDLER + node


def clear(task: Task) -> None:
    """Forget what an attempt has written."""
    task.output = None
    task.writes = []
    task.arms = task.sends = None


def hand_over(plan: Plan, task: Task) -> None:
    """Make a failed task that of its node's error handler."""
    failed = task.node
    assert failed.policy is not None
    assert failed.policy.handler is not None
    task.node = _standing_in(plan.nodes[failed.policy.handler], failed)
    clear(task)
    task.id_ = task.config_ = task.scope = None


def with_handlers(plan: Plan, tasks: Iterable[Task]) -> list[Task]:
    """The tasks of a step, and those that would stand in for them."""
    found: list[Task] = []
    for task in tasks:
        found.append(task)
        if task.node.policy is not None and task.node.policy.handler is not None:
            handler = copy(task)
            hand_over(plan, handler)
            found.append(handler)
    return found


def _standing_in(handler: Node, failed: Node) -> Node:
    node = copy(handler)
    node.suffix = f"{_BESIDE}{handler.name}"
    node.path = failed.path + node.suffix
    node.consumes = failed.consumes
    node.triggers = (failed.name,)
    return node


def was_handed_over(task: Task, known: Mapping[str, TaskResult]) -> TaskResult | None:
    """The record of a failure after which it is the handler's turn; None if there is none, or no handler any more."""
    result = known.get(path_text(task))
    if result is None or result.error is None or task.node.policy is None:
        return None
    if task.node.policy.handler is None or all(write.channel != ERROR_SOURCE for write in result.writes):
        return None
    return result
