"""Where in a thread a run takes place: its namespace (LangGraph F4, F5, M6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphrt.core.ids import task_namespace

if TYPE_CHECKING:
    from graphrt.core.state import Task
    from graphrt.engine.surroundings import Surroundings

__all__ = ["namespace_of", "place_of"]


def namespace_of(run: Surroundings) -> str:
    """Where in its thread a run takes place: "" for the outermost one."""
    task = run.around
    if task is None:
        return ""
    return place_of(task, run.number, lasts=run.lasts)


def place_of(task: Task, number: int = 0, *, lasts: bool | None = None) -> str:
    """The namespace of a graph inside a task; `number` says which of those that it calls."""
    owner: Surroundings = task.owner
    if lasts is None:
        lasts = task.node.graph is not None and task.node.graph.checkpointer is True
    if lasts:
        return _lasting_place(task, number)
    base = task_namespace(task, namespace=owner.namespace, step=owner.step)
    return f"{base}|{number}" if number else base


def _lasting_place(task: Task, number: int) -> str:
    """The same from one run of the graphs around to the next: names, and on each level which of several it is."""
    owner: Surroundings = task.owner
    base = task.node.name
    if owner.around is not None:
        base = f"{_lasting_place(owner.around, owner.number)}|{base}"
    if task.index > 0:  # one of several tasks of the same node
        return f"{base}|{task.index}|{number}"
    return f"{base}|{number}" if number else base
