"""What a failure says of where it happened: one note, and a traceback of the user's own frames.

An exception may pass through several tasks: a node's, that of the node which runs its graph, and so on. The innermost
one begins the note, each further one adds a line to it.
"""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from graphrt.core.state import Task
    from graphrt.engine.run import Run

__all__ = ["blame", "trim"]

_DURING: Final = "During task with name "
_INSIDE: Final = "\n  inside task with name "
_OURS: Final = ("graphrt.", "anyio.to_thread", "anyio._backends._asyncio")
"""Modules whose frames say nothing of the failure: ours, and those that call functions in worker threads for us."""


def blame(run: Run, task: Task, failure: Exception) -> None:
    """Say in the exception's note which task it came from, and leave our frames out of its traceback."""
    attempt = 1 if task.trial is None else task.trial.number
    thread = f", thread {run.journal.thread_id!r}" if run.journal is not None else ""
    where = (
        f"{task.node.name!r} and id {run.identify(task)!r} "
        f"(graph {run.plan.name!r}, step {run.step}, attempt {attempt}{thread})"
    )
    notes: list[str] = getattr(failure, "__notes__", [])
    root = run.outermost
    mine = [i for i, note in enumerate(notes) if note.startswith(_DURING)]
    if mine and root.blamed == id(failure):
        notes[mine[-1]] += _INSIDE + where
    else:
        for i in reversed(mine):  # the same object was raised in another run before
            del notes[i]
        failure.add_note(_DURING + where)
    root.blamed = id(failure)
    trim(failure)


def trim(failure: BaseException, *, all_of_them: bool = False) -> None:
    """Leave graphrt's frames out of the traceback, if there are frames of others behind or between them.

    Args:
        all_of_them: also if there are no others. They hold the task, which must not be held by what it handles.
    """
    frames: list[TracebackType] = []
    entry = failure.__traceback__
    ours = 0
    while entry is not None:
        if str(entry.tb_frame.f_globals.get("__name__", "")).startswith(_OURS):
            ours += 1
        else:
            frames.append(entry)
        entry = entry.tb_next
    if not ours or not (frames or all_of_them):
        return
    made: TracebackType | None = None
    for frame in reversed(frames):
        made = TracebackType(made, frame.tb_frame, frame.tb_lasti, frame.tb_lineno)
    failure.__traceback__ = made
