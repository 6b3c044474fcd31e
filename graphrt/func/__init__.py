"""Declare with functions: an entrypoint is a graph of one node, whose function calls tasks and takes steps."""

from graphrt.engine.steps import RepeatedStepError
from graphrt.func.entrypoint import entrypoint
from graphrt.func.step import step
from graphrt.func.task import TaskFunction, TaskFuture, task

__all__ = ["RepeatedStepError", "TaskFunction", "TaskFuture", "entrypoint", "step", "task"]
