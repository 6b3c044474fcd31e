"""Tells a run's observers of its tasks, and has their functions run in contexts that observers have seen."""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import Context, copy_context
from functools import partial
from time import monotonic_ns
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from msgspec import Struct

from graphrt.engine.attempt import InContext, call_node, start, start_inline
from graphrt.engine.audience import Audience
from graphrt.errors import ParentCommand
from graphrt.observers import TaskEnded, TaskFailed, TaskInterrupted, TaskRetried, TaskStarted

if TYPE_CHECKING:
    from graphrt.core.state import State, Task
    from graphrt.engine.run import Run
    from graphrt.types import Interrupt

__all__ = ["ObservedTasks", "Ways", "function_of"]


class Ways(NamedTuple):
    """How the run loop calls the task that is alone in its step: async, in a worker thread, in this thread."""

    begin: Callable[[State, Task], Awaitable[None] | None]
    work: Callable[[State, Task], Coroutine[Any, Any, None]]
    begin_here: Callable[[State, Task], Awaitable[None] | None]


class _Open(Struct):
    """A task whose end was not told yet. Its attempts run in copies of `context`."""

    started_ns: int
    context: Context
    ended_ns: int = 0
    attempt: int = 1
    failure: BaseException | None = None


class ObservedTasks:
    """The tasks of one run, as its observers see them."""

    __slots__ = ("_open", "audience", "graph", "namespace", "run_id")

    def __init__(self, audience: Audience, graph: str, run_id: str) -> None:
        self.audience = audience
        self.graph = graph
        self.run_id = run_id
        self.namespace = ""
        self._open: dict[Task, _Open] = {}

    @property
    def ways(self) -> Ways:
        """What the run loop is to use instead of the functions of `engine.attempt`."""
        return Ways(partial(self._begin, start), self.work, partial(self._begin, start_inline))

    def _begin(
        self, way: Callable[[State, Task], Awaitable[None] | None], state: State, task: Task
    ) -> Awaitable[None] | None:
        context = self._context_of(task)
        try:
            rest = context.run(way, state, task)
        except BaseException as failure:
            self.stumbled(task, failure)
            raise
        if rest is not None:
            return self._awaited(task, rest)
        self.left(task)
        return None

    async def _awaited(self, task: Task, rest: Awaitable[None]) -> None:
        try:
            await rest
        except BaseException as failure:
            self.stumbled(task, failure)
            raise
        self.left(task)

    async def work(self, state: State, task: Task) -> None:
        """`call_node` for a task that is observed."""
        context = self._context_of(task)
        coroutine = call_node(state, task)
        try:
            waits_for = context.run(coroutine.send, None)
        except StopIteration:
            self.left(task)
        except BaseException as failure:
            self.stumbled(task, failure)
            raise
        else:
            await self._awaited(task, cast("Awaitable[None]", InContext(context, coroutine, waits_for)))

    def _context_of(self, task: Task) -> Context:
        """The context for an attempt at a task. That it starts is told in there, so that it sees what observers set."""
        known = self._open.get(task)
        if known is not None:
            known.failure = None
            return known.context.copy()
        context = copy_context()
        context.run(self.entered, task, context)
        return context

    def entered(self, task: Task, context: Context | None = None) -> None:
        """A task's function is called next, in the context of whoever calls this or in a copy of it."""
        node = task.node
        if node.hidden:
            return
        of = self.describe(task)
        self._open[task] = _Open(of["time_ns"], context if context is not None else copy_context())
        self.audience.tell(
            TaskStarted(
                **of, input=task.input, triggers=node.triggers, metadata=node.metadata, tags=node.tags
            )
        )

    def left(self, task: Task) -> None:
        """A task has come to its end."""
        self._close(task, TaskEnded, output=task.output)

    def stumbled(self, task: Task, failure: BaseException) -> None:
        """A task's function has raised something; what that means the run finds out now."""
        known = self._open.get(task)
        if known is not None:
            known.ended_ns = monotonic_ns()
            known.failure = failure

    def retried(self, task: Task, attempt: int, error: BaseException, delay_s: float) -> None:
        """Attempt number `attempt` has failed, and another one follows."""
        known = self._open.get(task)
        if known is not None:
            known.attempt = attempt + 1
            self.audience.tell(
                TaskRetried(**self.describe(task), attempt=attempt, error=error, delay_s=delay_s)
            )

    def failed(self, task: Task, failure: BaseException) -> None:
        """A task has failed for good."""
        self._close(task, TaskFailed, error=failure)

    def paused(self, task: Task, interrupts: tuple[Interrupt[Any], ...]) -> None:
        """A task waits for answers."""
        self._close(task, TaskInterrupted, interrupts=interrupts)

    def _close(self, task: Task, kind: type[TaskEnded], **more: Any) -> None:
        known = self._open.pop(task, None)
        if known is not None:
            of = self.describe(task)
            of["time_ns"] = known.ended_ns or of["time_ns"]
            self.audience.tell(kind(**of, started_ns=known.started_ns, attempt=known.attempt, **more))

    def close_rest(self) -> None:
        """Tasks whose end nobody has told: they handed over to a graph around, or were cancelled."""
        for task, known in list(self._open.items()):
            if task.finished or isinstance(known.failure, ParentCommand):
                self.left(task)
            else:
                self.failed(task, known.failure or CancelledError())

    def here(self) -> dict[str, Any]:
        return {
            "run_id": self.run_id,
            "time_ns": monotonic_ns(),
            "graph": self.graph,
            "namespace": self.namespace,
        }

    def describe(self, task: Task) -> dict[str, Any]:
        run: Run = task.owner
        caller = function_of(task.caller)
        return {
            **self.here(),
            "step": run.step,
            "task_id": run.identify(task),
            "parent_task_id": None if caller is None else run.identify(caller),
            "name": task.node.name,
        }


def function_of(task: Task | None) -> Task | None:
    """The task that is told of; steps (`graphrt.func.step`) are part of the one that takes them."""
    while task is not None and task.key is not None:
        task = task.caller
    return task
