"""Conditional edges: what a router is asked, and what its answer means (LangGraph G6, G7)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from graphrt.channels import LastValue
from graphrt.channels.base import MISSING
from graphrt.constants import END, START
from graphrt.core.managed import with_managed
from graphrt.core.plan import Branch, Channel, Plan
from graphrt.core.state import State, Task
from graphrt.errors import GraphValidationError, InvalidUpdateError, UnknownTargetError, did_you_mean
from graphrt.types import Send

__all__ = ["SEVERAL", "GotoTypeError", "follow", "goto", "router_input"]

SEVERAL: Final[Any] = (list, tuple)
"""What holds several answers instead of one. For type checkers an `isinstance` of it leaves what it looks at Any."""


def preview(state: State, writes: Iterable[tuple[int, Any]], number: int) -> Any:
    """A view as it would be after these writes alone; the state stays as it is (LangGraph G6)."""
    plan = state.plan
    view = plan.views[number]
    if view.bare:
        channel = state.channels[view.channels[0][1]].copy()
        channel.update([value for i, value in writes if i == view.channels[0][1]])
        return channel.get() if channel.is_available() else MISSING
    read: dict[str, Any] = state.views[number].copy()
    # What the step does not write may change as well: to a router a one-step value is gone (LangGraph G6).
    grouped: dict[int, list[Any]] = {i: [] for i in state.awake}
    for i, value in writes:
        grouped.setdefault(i, []).append(value)
    complete = True
    for i, values in grouped.items():
        for shown_in, key in plan.shown[i]:
            if shown_in == number:
                complete = _overlay(read, key, state.channels[i], values) and complete
    return read if complete else {key: read[key] for key, _ in view.channels if key in read}


def _overlay(read: dict[str, Any], key: str, channel: Channel, values: list[Any]) -> bool:
    """Put into `read` what the channel would be after `values`; False if the key is new and stands last now."""
    known = key in read
    if len(values) == 1 and type(channel) is LastValue:
        read[key] = values[0]
        return known
    channel = channel.copy()
    channel.update(values)
    if channel.is_available():
        read[key] = channel.get()
        return known
    read.pop(key, None)
    return True


def router_input(state: State, task: Task, branch: Branch) -> Any:
    """What a conditional edge's function is called with: the state as its own node leaves it (LangGraph G6)."""
    value = preview(state, task.writes, branch.view)
    if value is MISSING:
        return None
    if branch.mapper is not None:
        return (
            branch.mapper(value) if not branch.managed else _managed_input(task, branch, branch.mapper, value)
        )
    output = task.output
    if not branch.typed and type(value) is type(output) is dict and not output.keys() <= value.keys():
        return {**output, **value}
    return value


def _managed_input(task: Task, branch: Branch, mapper: Callable[[dict[str, Any]], Any], value: Any) -> Any:
    """The same for a router that reads managed keys."""
    value = mapper(with_managed(value, branch.managed, task.owner))
    output = task.output
    if not branch.typed and type(value) is type(output) is dict:
        return {**output, **value}
    return value


def follow(plan: Plan, task: Task, branch: Branch, answer: Any) -> None:
    """Record on the task where its router wants to go.

    Raises:
        UnknownTargetError: the answer is neither in the path map nor a node.
        GraphValidationError: the answer is None or START.
        InvalidUpdateError: a Send to END.
    """
    ends = branch.ends
    if (
        type(answer) is str
        and ends is None
        and (target := plan.targets.get(answer)) is not None
        and target.channel is None
    ):
        # The common case, worth its own line: 0.3 us of a 2 us step.
        task.arms = [target.node] if task.arms is None else [*task.arms, target.node]
        return
    for item in answer if isinstance(answer, SEVERAL) else (answer,):
        where = item if ends is None or type(item) is Send else _mapped(task, branch, item)
        if where is None or where == START:
            raise GraphValidationError(
                f"Branch did not return a valid destination: router {branch.name!r} of node {task.node.name!r} "
                f"returned {item!r}. Return a node's name, END, a Send or a list of them."
            )
        goto(plan, task, where)


def _mapped(task: Task, branch: Branch, item: Any) -> Any:
    assert branch.ends is not None
    try:
        return branch.ends[item]
    except (KeyError, TypeError):
        raise UnknownTargetError(
            f"Router {branch.name!r} of node {task.node.name!r} returned {item!r}, which its path_map does not "
            f"have.{did_you_mean(item, map(str, branch.ends))}",
            target=item,
        ) from None


def goto(plan: Plan, task: Task, where: Any) -> None:
    """Record one destination, END meaning none.

    Raises:
        InvalidUpdateError: a Send to END.
        UnknownTargetError: the graph is strict and has no such node.
    """
    if where == END:
        return
    if type(where) is Send and where.node == END:
        raise InvalidUpdateError(
            f"Node {task.node.name!r}: Cannot send a packet to the END node. Leave the Send out to end that path."
        )
    task.go(plan, where)


class GotoTypeError(InvalidUpdateError, TypeError):
    """`Command.goto` holds something that is neither a name nor a Send."""
