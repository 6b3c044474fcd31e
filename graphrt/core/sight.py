"""What all snapshots of a graph have in common, found out once: which channels show and how, which tasks a step has."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from graphrt.channels.cell import Cell
from graphrt.core.ids import path_text, place_of
from graphrt.core.plan import Plan
from graphrt.core.report import Selection, select
from graphrt.core.snapshot import indexes_of
from graphrt.core.state import Task
from graphrt.types import Send, TaskPath

__all__ = ["Due", "Shown", "Sight"]


class Shown(Struct, frozen=True):
    """A channel that shows.

    Attributes:
        bare: what is stored of it is its value.
        empty: what makes the value that it has before its first write, if it has one.
    """

    index: int
    name: str
    key: str
    bare: bool
    empty: Callable[[], Any] | None


class Due(Struct, frozen=True):
    """What can be said of a task without its checkpoint.

    Attributes:
        text: its path as results have it.
        place: what its id follows from.
        needs: a channel without which it is not due; -1 for none.
    """

    task: Task
    name: str
    path: TaskPath
    text: str
    place: tuple[str, str]
    needs: int = -1


class Sight(Struct, frozen=True):
    """What snapshots of a graph show: `keys` by the names of their channels."""

    plan: Plan
    selection: Selection
    shown: Sequence[Shown]
    keys: Mapping[str, str]

    @classmethod
    def of(cls, plan: Plan) -> Sight:
        """What shows by default."""
        selection = select(plan, None, plan.stream)
        keys = selection.keys
        return cls(
            plan,
            selection,
            [_shown(plan, i, key) for i, key in keys.items()],
            {plan.channel_names[i]: key for i, key in keys.items()},
        )

    def triggered(self, names: Sequence[str], namespace: str) -> list[Due]:
        """The tasks of triggered nodes; those that the graph has no more are left out."""
        plan = self.plan
        found = sorted(indexes_of(plan, names, running=False))
        return [self.due(Task(plan.nodes[i], None, None, -1), namespace) for i in found]

    def sent(self, sends: Sequence[Send], namespace: str) -> list[Due]:
        """The tasks of Sends."""
        plan = self.plan
        return [
            self.due(Task(plan.nodes[plan.targets[send.node].node], send.arg, None, number), namespace)
            for number, send in enumerate(sends)
        ]

    def due(self, task: Task, namespace: str) -> Due:
        """What can be said of a task."""
        view = self.plan.views[task.node.view]
        needs = view.channels[0][1] if view.bare and task.index < 0 else -1
        return Due(task, task.node.name, task.path, path_text(task), place_of(task, namespace), needs)


def _shown(plan: Plan, index: int, key: str) -> Shown:
    channel = plan.channels[index]
    kind = type(channel)
    bare = isinstance(channel, Cell) and all(
        getattr(kind, name) is getattr(Cell, name) for name in ("from_checkpoint", "get", "is_available")
    )
    empty = (lambda: channel.fresh().get()) if channel.fresh().is_available() else None
    return Shown(index, plan.channel_names[index], key, bare, empty)
