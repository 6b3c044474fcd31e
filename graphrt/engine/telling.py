"""When a run's consumer and observers hear of its steps: before tasks start, and once what they did is durable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from graphrt.core.state import Task

if TYPE_CHECKING:
    from graphrt.checkpoint import TaskResult
    from graphrt.engine.publish import Publisher
    from graphrt.engine.run import Run

__all__ = ["tell_checkpoint", "tell_finished", "tell_started"]


async def tell_checkpoint(
    run: Run, publisher: Publisher, tasks: Sequence[Task], known: Mapping[str, TaskResult]
) -> None:
    """Report the newest checkpoint with its tasks, also when the step limit keeps them from starting (J7)."""
    for task in tasks:
        run.identify(task)
    await publisher.checkpoint(run.state, tasks, known)


async def tell_started(run: Run, tasks: Sequence[Task]) -> None:
    """Wait until the consumer asks for more, then report what starts (LangGraph J10, J12)."""
    publisher = run.publisher
    if run.observed is not None:
        run.observed.step_planned()
    if publisher is not None:
        await publisher.ready()
    if run.observed is not None:
        run.observed.step_started(run.step, tasks)
    if publisher is None:
        return
    if publisher.wants.messages:
        publisher.acquaint(run.state, tasks)
    for task in tasks:
        if task.paused:
            continue
        if task.restored:
            task.reported = True
            publisher.finished(task, run.identify(task), run.step)
        elif publisher.wants.tasks:
            publisher.started(task, run.identify(task), run.step)


def tell_finished(run: Run, publisher: Publisher, tasks: Sequence[Task]) -> None:
    """Report the tasks that could not be reported before the step was durable."""
    for task in tasks:
        if not task.reported:
            publisher.finished(task, run.identify(task), run.step)
