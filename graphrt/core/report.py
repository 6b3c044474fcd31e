"""What streams and snapshots say about tasks and states (LangGraph J2, J3, J6-J8, N3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from graphrt.core.ids import task_triggers
from graphrt.core.kinds import plain_dict
from graphrt.core.plan import Plan, View
from graphrt.core.state import State, Task
from graphrt.errors import GraphValidationError, did_you_mean
from graphrt.types import Interrupt

__all__ = [
    "Selection",
    "has_values",
    "has_written",
    "in_words",
    "message_metadata",
    "recorded_of",
    "result_of",
    "select",
    "task_finished",
    "task_paused",
    "task_started",
    "update_of",
    "values_of",
    "with_interrupts",
]


class Selection(Struct, frozen=True):
    """Which channels a report is about: channel index -> key; `bare` reports the value of the only one as it is."""

    keys: Mapping[int, str]
    bare: bool = False


def select(plan: Plan, output_keys: str | Sequence[str] | None, default: int) -> Selection:
    """The channels that `output_keys` names, or those of the plan's view number `default`.

    Raises:
        GraphValidationError: a key that the graph does not have.
    """
    if output_keys is None:
        view: View = plan.views[default]
        return Selection({i: key for key, i in view.channels}, view.bare)
    names = (output_keys,) if isinstance(output_keys, str) else tuple(output_keys)
    for name in names:
        if name not in plan.channel_index:
            raise GraphValidationError(
                f"output_keys names {name!r}, which graph {plan.name!r} does not have."
                f"{did_you_mean(name, plan.channel_index)}"
            )
    return Selection({plan.channel_index[name]: name for name in names}, isinstance(output_keys, str))


def values_of(state: State, selection: Selection) -> Any:
    """The available values of the selected channels, None for a bare one without a value."""
    channels = state.channels
    if selection.bare:
        for i in selection.keys:
            return channels[i].get() if channels[i].is_available() else None
    return {key: channels[i].get() for i, key in selection.keys.items() if channels[i].is_available()}


def has_values(state: State, selection: Selection) -> bool:
    """Whether `values_of` has anything to show: a bare value may not be there yet."""
    return not selection.bare or any(state.channels[i].is_available() for i in selection.keys)


def with_interrupts(values: Any, interrupts: Sequence[Any]) -> Any:
    """Values with open questions beside them; bare values and objects have no place for them (LangGraph I14)."""
    return {**(plain_dict(values) or {}), "__interrupt__": interrupts}


def has_written(state: State, tasks: Sequence[Task], selection: Selection) -> bool:
    """Whether the tasks' writes changed anything selected; what the step clears does not count (LangGraph J2)."""
    changed = selection.keys.keys() & set(state.changed)
    return any(i in changed for task in tasks for i, _ in task.writes)


def update_of(task: Task, selection: Selection) -> Any:
    """What a task wrote to the selected channels: a dict, None for nothing, a list of dicts for repeated keys.

    Of a task that another one called it is what it returned.
    """
    if task.caller is not None:
        return task.output
    keys = selection.keys
    writes = [(keys[i], value) for i, value in task.writes if i in keys]
    if not writes:
        return None
    if selection.bare:
        return writes[0][1] if len(writes) == 1 else [value for _, value in writes]
    update = dict(writes)
    return update if len(update) == len(writes) else [{key: value} for key, value in writes]


def task_started(task: Task, identity: str) -> dict[str, Any]:
    """The payload of `tasks` for a task that starts."""
    payload = {"id": identity, "name": task.node.name, "input": task.input, "triggers": task_triggers(task)}
    if task.node.metadata:
        payload["metadata"] = dict(task.node.metadata)
    return payload


def task_finished(
    task: Task, identity: str, selection: Selection, error: BaseException | None
) -> dict[str, Any]:
    """The payload of `tasks` for a task that ended."""
    return {
        "id": identity,
        "name": task.node.name,
        "error": error,
        "result": result_of(task, selection),
        "interrupts": [],
    }


def message_metadata(task: Task, tags: Sequence[str] = ()) -> dict[str, Any]:
    """What is said of a message: which task it comes from, and what the run's config says (LangGraph J5)."""
    config = task.config
    tags = [*config.get("tags", ()), *tags]
    metadata = config.get("metadata", {})
    return {**metadata, "tags": tags} if tags else {**metadata}


def in_words(interrupt: Interrupt[Any]) -> dict[str, Any]:
    """An open question as the payloads of `tasks` and `checkpoints` have it."""
    return {
        "value": interrupt.value,
        "id": interrupt.id,
        "response_schema": interrupt.response_schema,
    }


def task_paused(task: Task, identity: str, interrupts: Sequence[Interrupt[Any]]) -> dict[str, Any]:
    """The payload of `tasks` for a task that waits for answers."""
    asked = [in_words(interrupt) for interrupt in interrupts]
    return {"id": identity, "name": task.node.name, "error": None, "result": {}, "interrupts": asked}


def recorded_of(task: Task, selection: Selection) -> Any:
    """`result_of` as snapshots show it: a bare value for a graph that returns one (LangGraph N3)."""
    result = result_of(task, selection)
    return next(iter(result.values()), None) if selection.bare else result


def result_of(task: Task, selection: Selection) -> dict[str, Any]:
    """A task's writes by key; a key written more than once holds `{"$writes": [...]}`."""
    if task.caller is not None:
        return {"__return__": task.output} if task.finished else {}
    written: dict[str, list[Any]] = {}
    for i, value in task.writes:
        if i in selection.keys:
            written.setdefault(selection.keys[i], []).append(value)
    return {key: values[0] if len(values) == 1 else {"$writes": values} for key, values in written.items()}
