"""Error handlers: nodes that run, in the same superstep, when another one has failed for good (LangGraph O5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphrt.core.handled import hand_over
from graphrt.core.state import Task
from graphrt.engine.attempts import try_node
from graphrt.engine.blame import trim
from graphrt.engine.trial import Trial
from graphrt.errors import NodeError

if TYPE_CHECKING:
    from graphrt.checkpoint import TaskResult
    from graphrt.engine.run import Run

__all__ = ["handle", "has_handler", "hand_back"]


def has_handler(task: Task, failure: BaseException) -> bool:
    """Whether the task's node has an error handler, and this is for it."""
    policy = task.node.policy
    return policy is not None and policy.handler is not None and isinstance(failure, Exception)


async def handle(run: Run, task: Task, failure: Exception) -> None:
    """Make the failure durable, then have the handler do its work in the task's place.

    Raises:
        whatever the handler raises.
    """
    node = task.node.name
    await run.failed(task, failure, handled=True)
    trim(failure, all_of_them=True)
    hand_over(run.plan, task)
    task.trial = Trial(error=NodeError(node, failure))
    publisher = run.publisher
    if publisher is not None and publisher.wants.tasks:
        publisher.started(task, run.identify(task), run.step)
    try:
        await try_node(run, task)
    finally:
        task.trial.error = None  # its traceback leads to frames that hold the task
        del failure


def hand_back(run: Run, task: Task, failed: TaskResult) -> None:
    """An earlier run has come to the handler's turn: it is that again (LangGraph O6)."""
    node = task.node.name
    hand_over(run.plan, task)
    task.trial = Trial(error=NodeError(node, Exception(failed.error)))
