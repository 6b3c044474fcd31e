"""What an edit of a thread means: as which node it acts, and what its writes make of the state (LangGraph N5-N8).

An edit starts from a checkpoint as that was stored. What tasks of an unfinished step have written since belongs to
those tasks; only `finish_step` takes it over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from graphrt.checkpoint import ChannelData, Stored, TaskResult
from graphrt.constants import END
from graphrt.core.commit import advance, commit_null
from graphrt.core.handled import hand_over, was_handed_over
from graphrt.core.ids import path_text
from graphrt.core.interrupts import is_null
from graphrt.core.plan import Node, Plan
from graphrt.core.snapshot import Decode, adopt, adopted
from graphrt.core.state import State, Task, TaskOwner
from graphrt.errors import InvalidUpdateError, UnknownTargetError, did_you_mean

__all__ = ["acting_node", "apply_edit", "edit_tasks", "finish_step", "parts_beyond"]


# ---- as which node


def acting_node(state: State, name: str | None) -> Node:
    """The node that an edit acts as: the one that is named, or else the one that ran last (LangGraph N6).

    Raises:
        UnknownTargetError: there is no node of that name.
        InvalidUpdateError: none was named, and it cannot be told.
    """
    plan = state.plan
    if name is not None:
        return _named(plan, name)
    if len(plan.nodes) == 1:
        return plan.nodes[0]
    if not state.ran and isinstance(plan.input_channels, str) and plan.input_channels in plan.node_index:
        return plan.nodes[plan.node_index[plan.input_channels]]
    if len(state.ran) == 1:
        return plan.nodes[state.ran[0]]
    last = ", ".join(repr(plan.nodes[i].name) for i in state.ran)
    raise InvalidUpdateError(
        f"Ambiguous update, specify as_node: "
        f"{f'{last} ran last in' if last else 'no node has run yet in'} graph {plan.name!r}."
    )


def _named(plan: Plan, name: str) -> Node:
    index = plan.node_index.get(name)
    if index is None:
        hint = " END takes None: it ends the step." if name == END else did_you_mean(name, plan.node_index)
        raise UnknownTargetError(
            f"Node {name} does not exist in graph {plan.name!r}, so nothing can be updated as it.{hint}",
            target=name,
        )
    return plan.nodes[index]


class Identifies(TaskOwner, Protocol):
    """A run that knows the ids of its tasks."""

    def identify(self, task: Task) -> str: ...


def edit_tasks(
    state: State, updates: Iterable[tuple[Node, Any, str | None]], owner: Identifies
) -> list[Task]:
    """A task for each (node, values, task id) of a superstep of edits, with the values as its output.

    It stands in for the planned task of that id, or for the first one of its node that is left, and so becomes that
    one's result; where there is none it stands for itself, and leaves no result (LangGraph N8).
    """
    places: dict[Node, list[Task]] = {}
    for task in planned(state, owner):
        places.setdefault(task.node, []).append(task)
    tasks: list[Task] = []
    for node, values, identity in updates:
        left = places.get(node, [])
        chosen = [task for task in left if identity is None or owner.identify(task) == identity][:1]
        for task in chosen:
            left.remove(task)
        task = chosen[0] if chosen else Task(node, None, owner, -1, kept=True)
        task.output = values
        tasks.append(task)
    return tasks


def planned(state: State, owner: TaskOwner | None) -> list[Task]:
    """The step's tasks without their inputs, which cost something to make and may not fit their schemas."""
    plan = state.plan
    sent = [
        Task(plan.nodes[target.node], None, owner, number, generation=state.generation)
        for number, send in enumerate(state.sends)
        if (target := plan.targets.get(send.node)) is not None
    ]
    return sent + [Task(plan.nodes[index], None, owner, -1) for index in state.armed]


# ---- what becomes of the state


def apply_edit(state: State, tasks: Sequence[Task]) -> None:
    """Commit the writes of edits as one step, in their order, in which nothing else ran (LangGraph N5).

    What was planned is dropped, except nodes that wait at a channel which has its content still, such as a join. Which
    node ran last stays as it was (N6).

    Raises:
        InvalidUpdateError: a channel cannot take its writes. The state must not be used any more.
    """
    nodes = state.plan.nodes
    acting = {task.node.index for task in tasks}
    consumed = [channel for i in state.armed if i in acting for channel in nodes[i].consumes]
    arms = {i for i in state.armed if i not in acting and _waits(state, i, consumed)}
    for task in tasks:
        arms.update(task.node.arms, task.arms or ())
    advance(
        state,
        [write for task in tasks for write in task.writes],
        arms,
        [send for task in tasks for send in task.sends or ()],
        consumed,
    )


def _waits(state: State, node: int, consumed: Sequence[int]) -> bool:
    """Whether a planned node was started by a channel that a step does not empty by itself."""
    return any(
        node in nodes and i not in consumed and i not in state.awake and state.channels[i].is_available()
        for i, nodes in enumerate(state.plan.triggered)
    )


def finish_step(state: State, results: Iterable[TaskResult], decode: Decode) -> list[Task]:
    """End the step at hand: what is known of it takes effect, and what has not finished is dropped (LangGraph N7).

    Args:
        results: what was stored of the step and not yet committed.

    Returns:
        the tasks that have written something.
    """
    changed: list[int] = []
    sends_changed = False
    results = [result for result in results if result.child is None]
    wrote = [
        adopted(state.plan, result, decode, None, running=False) for result in results if is_null(result)
    ]
    for task in wrote:
        commit_null(state, task)
        changed += state.changed
        sends_changed = sends_changed or state.sends_changed
    tasks = planned(state, None)
    known = {result.path: result for result in results if result.error is None}
    whole = {result.path: result for result in results}
    for task in tasks:
        if was_handed_over(task, whole) is not None:
            hand_over(state.plan, task)
        if (result := known.get(path_text(task))) is not None:
            adopt(state.plan, task, result, decode, running=False)
    finished = sorted([task for task in tasks if task.restored], key=_order)
    _end(state, tasks, finished)
    state.changed = [*dict.fromkeys((*changed, *state.changed))]
    state.sends_changed = state.sends_changed or sends_changed
    return wrote + finished


def _order(task: Task) -> int:
    return task.index


def _end(state: State, tasks: Sequence[Task], finished: Sequence[Task]) -> None:
    """Commit what some of a step's tasks have written, and count all of them as run."""
    started = [task.node for task in tasks if task.index < 0]
    if started:
        state.ran = tuple([node.index for node in started])
    if not tasks:
        state.version += 1
        state.changed = []
        state.sends_changed = False
        return
    advance(
        state,
        [write for task in finished for write in task.writes],
        {i for task in finished for i in (*task.node.arms, *(task.arms or ()))},
        [send for task in finished for send in task.sends or ()],
        [channel for node in started for channel in node.consumes],
    )


# ---- copies


def parts_beyond(
    stored: Stored, parent: Stored | None
) -> tuple[tuple[ChannelData, ...], tuple[ChannelData, ...]]:
    """What a commit from `parent` stores, whole and in parts, to hold the same as `stored` does."""
    before: Mapping[str, bytes] = parent.channels if parent is not None else {}
    known: Mapping[str, tuple[bytes, ...]] = parent.appends if parent is not None else {}
    whole = [ChannelData(name, None) for name in before if name not in stored.channels]
    behind: list[ChannelData] = []
    for name, data in stored.channels.items():
        parts = stored.appends.get(name, ())
        same = known.get(name, ())
        if before.get(name) == data and parts[: len(same)] == same:
            parts = parts[len(same) :]
        else:
            whole.append(ChannelData(name, data))
        behind += [ChannelData(name, part) for part in parts]
    return tuple(whole), tuple(behind)
