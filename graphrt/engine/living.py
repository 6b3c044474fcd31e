"""Graphs that keep their state nowhere, inside a task that is tried again: the next attempt goes on from the last one.

What is stored is found in storage (`engine.nested`). This is for the rest, and lasts as long as the task.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from graphrt.core.ids import path_text
from graphrt.core.plan import Plan
from graphrt.core.state import State, Task
from graphrt.engine.trial import live_path

if TYPE_CHECKING:
    from graphrt.engine.run import Run

__all__ = ["Left", "at_hand", "leave_alive", "take_up"]


class Left(NamedTuple):
    """Where a run stood when it ended: before step `step`, of whose tasks some had finished."""

    plan: Plan
    state: State
    step: int
    stop: int
    finished: Sequence[Task]


def _place(run: Run) -> tuple[dict[str, Any], str] | None:
    if run.trial is None or run.trial.live is None or run.around is None or run.journal is not None:
        return None
    return run.trial.live, f"{live_path(run.around)}|{run.number}"


def take_up(run: Run) -> bool:
    """Go on where the same run stood in an earlier attempt; False if there was none."""
    place = _place(run)
    left = None if place is None else place[0].get(place[1])
    if not isinstance(left, Left) or left.plan is not run.plan:
        return False
    run.state = left.state
    run.step = left.step - 1
    run.stop = left.stop
    run.beside = {path_text(task).removesuffix(task.node.suffix): task for task in left.finished}
    return True


def at_hand(run: Run, tasks: Sequence[Task]) -> None:
    """A step begins: take over what has finished of it, and note what it began from."""
    assert run.trial is not None
    run.trial.sign()
    run.sound = run.state.version
    run.tasks = tasks
    beside, run.beside = run.beside or {}, None
    for task in tasks:
        done = beside.get(path_text(task))
        if done is not None:
            task.node = done.node
            task.output, task.writes, task.arms, task.sends = done.output, done.writes, done.arms, done.sends
            task.restored = task.finished = True


def leave_alive(run: Run) -> None:
    """A run ends, well or not: leave for the next attempt where it stands."""
    place = _place(run)
    if place is None or run.halted or run.state.version != run.sound:
        return  # a commit that failed leaves no state to go on from
    finished = [task for task in run.tasks if task.finished]
    place[0][place[1]] = Left(run.plan, run.state, run.step, run.stop, finished)
