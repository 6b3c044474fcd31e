"""What of a task's result a cache keeps: its writes, and where they lead (LangGraph R1-R3)."""

from __future__ import annotations

from typing import Any, Final

from msgspec import Struct

from graphrt.core.plan import Plan
from graphrt.core.state import Task
from graphrt.types import CachePolicy, Send

__all__ = ["CacheRule", "adopt_result", "is_cacheable", "kept_result"]

_FORM: Final = 1
"""Of what is kept. What has another one is not found."""


class CacheRule(Struct, frozen=True):
    """How a node's results are found.

    Attributes:
        namespace: what is cleared together: a prefix, where the function was defined, the node's name if it is one.
        mark: what tells the function from others that were defined in the same place.
    """

    policy: CachePolicy
    namespace: tuple[str, ...]
    mark: str


def is_cacheable(task: Task) -> bool:
    """Whether a result follows from the input: an answer from outside does not (LangGraph R3)."""
    scope = task.scope
    return scope is None or not (
        scope.questions or scope.asked or scope.passed_on or scope.before is not None
    )


def kept_result(plan: Plan, task: Task) -> Any:
    """What a finished task wrote and where it goes, by name; None if part of it is never to be kept."""
    if any(i in plan.untracked for i, _ in task.writes):
        return None
    names = plan.channel_names
    return [
        _FORM,
        [[names[i], value] for i, value in task.writes],
        [plan.nodes[i].name for i in task.arms or ()],
        list(task.sends or ()),
    ]


def adopt_result(plan: Plan, task: Task, kept: Any) -> bool:
    """Make a kept result the task's; False if it is none, or the graph has changed so that it does not fit."""
    kind = kept.__class__
    if kind is not list or len(kept) != 4 or kept[0] != _FORM:
        return False
    _, writes, arms, sends = kept
    known = all(name in plan.channel_index for name, _ in writes)
    if not known or not all(name in plan.node_index for name in arms):
        return False
    if not all(type(send) is Send and send.node in plan.targets for send in sends):
        return False
    task.writes = [(plan.channel_index[name], value) for name, value in writes]
    task.arms = [plan.node_index[name] for name in arms] or None
    task.sends = list(sends) or None
    task.restored = True
    return True
