"""Apply a superstep's writes: one function decides what the state becomes and what runs next (LangGraph E1-E13).

The order is fixed: trigger channels are consumed, writes are applied channel by channel in task order, channels that
nobody wrote get their chance to change, and if then nothing is triggered the deferred ones are released. Which nodes
follow is the outcome of the commit, stored with it, and not found out later by comparing versions; the versions of the
specification exist to make that comparison possible (docs/decisions/0002-next-is-committed.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from graphrt.core.state import State, Task
from graphrt.types import Send

__all__ = ["advance", "commit", "commit_input", "commit_null"]


def commit(state: State, tasks: Sequence[Task]) -> None:
    """Apply the writes of all `tasks` as one step: those of triggered nodes by name, then those of Sends in order (E1).

    Raises:
        InvalidUpdateError: a channel cannot take its writes. The state must not be used any more.
    """
    if len(tasks) == 1:
        task = tasks[0]
        writes: Iterable[tuple[int, Any]] = task.writes
        arms: set[int] | tuple[int, ...] = task.node.arms
        if task.arms:
            arms = {*arms, *task.arms}
        sends: list[Send] = task.sends or []
    else:
        if state.sends and state.armed:
            tasks = sorted(tasks, key=_order)
        writes = [write for task in tasks for write in task.writes]
        arms = set()
        sends = []
        for task in tasks:
            arms.update(task.node.arms)
            if task.arms:
                arms.update(task.arms)
            if task.sends:
                sends.extend(task.sends)
    ran = tuple([task.node.index for task in tasks if task.index < 0])
    if ran:
        state.ran = ran
    consumed = [channel for task in tasks if task.index < 0 for channel in task.node.consumes]
    advance(state, writes, arms, sends, consumed)


def _order(task: Task) -> int:
    return task.index


def commit_input(state: State, writes: Iterable[tuple[int, Any]]) -> None:
    """Apply a run's input. Tasks that the thread still had to run are dropped and count as run (LangGraph A7)."""
    if state.armed or state.sends:
        consumed = [channel for node in state.armed for channel in state.plan.nodes[node].consumes]
        advance(state, writes, (), [], consumed)
    else:
        _begin(state)
        _arm(state, {node for i in _write(state, writes) for node in state.plan.triggered[i]})


def commit_null(state: State, task: Task) -> None:
    """Apply the writes of a Command given as input: the tasks that are pending stay pending (LangGraph H8, H9)."""
    _begin(state)
    triggered = {node for i in _write(state, task.writes) for node in state.plan.triggered[i]}
    _arm(state, {*state.armed, *triggered, *(task.arms or ())})
    if task.sends is not None:
        state.sends = task.sends
        state.sends_changed = True
        state.generation += 1


def _begin(state: State) -> None:
    state.version += 1
    state.changed = []
    state.sends_changed = False


def advance(
    state: State,
    writes: Iterable[tuple[int, Any]],
    arms: set[int] | tuple[int, ...],
    sends: list[Send],
    consumed: list[int],
) -> None:
    """One step of the machine: trigger channels `consumed`, `writes` in order, `arms` the nodes that edges lead to."""
    plan = state.plan
    state.version += 1
    state.changed = []
    for i in dict.fromkeys(consumed):
        if state.channels[i].consume():
            state.changed.append(i)
            state.show(i)
    updated = _write(state, writes)
    if state.awake:
        updated += _idle(state, updated)
    triggered: set[int] | tuple[int, ...] = arms
    for i in updated:
        if plan.triggered[i]:
            triggered = {*triggered, *plan.triggered[i]}
    if not triggered and plan.finishers:
        for i in plan.finishers:
            if state.channels[i].finish():
                state.changed.append(i)
                if state.show(i):
                    triggered = {*triggered, *plan.triggered[i]}
    state.armed = triggered if len(triggered) < 2 and type(triggered) is tuple else sorted(triggered)
    state.sends_changed = bool(sends or state.sends)
    state.sends = sends
    state.generation = 0


def _arm(state: State, triggered: set[int]) -> None:
    state.armed = sorted(triggered)


def _write(state: State, writes: Iterable[tuple[int, Any]]) -> list[int]:
    """Update every written channel with its writes in order; the ones that changed and are available (E6, E7)."""
    grouped: dict[int, list[Any]] = {}
    for i, value in writes:
        if i in grouped:
            grouped[i].append(value)
        else:
            grouped[i] = [value]
    channels = state.channels
    shown = state.plan.shown
    idle = state.plan.idle
    changed = state.changed
    updated: list[int] = []
    stale: set[int] = set()
    for i, values in grouped.items():
        channel = channels[i]
        if not channel.update(values):
            continue
        changed.append(i)
        if not channel.is_available():
            state.show(i)
            continue
        updated.append(i)
        if i in idle:
            state.awake.add(i)
        for number, key in shown[i]:
            view = state.views[number]
            if key in view:
                view[key] = channel.get()
            else:
                stale.add(number)
    for number in stale:
        state.rebuild(number)
    return updated


def _idle(state: State, updated: list[int]) -> list[int]:
    """Give channels that nobody wrote in this step their chance to change; the ones still available then (E8)."""
    still: list[int] = []
    for i in sorted(state.awake.difference(updated)):
        if state.channels[i].update(()):
            if i not in state.changed:
                state.changed.append(i)
            if state.show(i):
                still.append(i)
    return still
