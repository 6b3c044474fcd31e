"""Steps: parts of a task's function that are done once, however often the task runs (`graphrt.func.step`).

A step is a task of its own, named by its key: questions and calls inside it are numbered by themselves, so it makes no
difference to those outside whether it is done or recalled.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar, cast

from graphrt.channels.base import MISSING
from graphrt.config import current_task, running_task
from graphrt.core.shape import is_async_callable
from graphrt.core.state import Task
from graphrt.engine.called import home_of, in_thread, paused
from graphrt.engine.calls import settle_scope
from graphrt.engine.door import drive, forbid_running_loop
from graphrt.engine.memos import keep, recalled, value_of
from graphrt.engine.pausing import signal_in
from graphrt.engine.scope import Scope, scope_of
from graphrt.engine.trial import live_of, live_path, part_of
from graphrt.errors import GraphError, GraphInterrupt, GraphValidationError

if TYPE_CHECKING:
    from graphrt.engine.run import Run

__all__ = ["RepeatedStepError", "take_step", "take_step_here"]

T = TypeVar("T")


class RepeatedStepError(GraphError):
    """A task has taken two steps of one key in one attempt: which is meant by the one that is kept?"""

    def __init__(self, key: str, node: str) -> None:
        super().__init__(
            f"{node!r} has taken step {key!r} twice. A key names one result of a task: in a loop, give each turn a key "
            'of its own, such as f"fetch {url}".'
        )
        self.key = key
        self.node = node


def _begin(key: str) -> Task:
    caller = cast(Task, running_task("step"))
    scope = scope_of(caller)
    if type(key) is not str or not key:
        raise GraphValidationError(f"A step's key is a text that names its result, got {key!r}.")
    if key in scope.keys:
        raise RepeatedStepError(key, caller.node.name)
    if scope.closed:
        raise asyncio.CancelledError(f"{caller.node.name!r} was cancelled, and took step {key!r}.")
    scope.keys.add(key)
    task = Task(caller.node, caller.input, caller.owner, 0, caller=caller, key=key)
    if scope.trial is not None:
        part_of(task, scope.trial)
    return task


def _known(run: Run, task: Task, function: Callable[..., Any]) -> Any:
    """What the step came to in an earlier attempt at its task; MISSING if it has to be taken."""
    if run.keeper is not None:
        memo = recalled(run, task)
        return MISSING if memo is None else value_of(run, function, memo)
    live = None if task.scope is None else live_of(task)
    return MISSING if live is None else live.get(live_path(task), MISSING)


async def take_step(
    key: str, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """What `function` returned when this task first took the step, or returns now.

    Raises:
        RepeatedStepError: the task has a step of this key already.
        OutsideRunError: no task is running here (a RuntimeError).
        SerializationError: what it returned cannot be stored.
        whatever `function` raises.
    """
    task = _begin(key)
    run: Run = task.owner
    if (known := _known(run, task, function)) is not MISSING:
        return known
    scope = scope_of(cast(Task, task.caller))
    runner = cast("asyncio.Task[Any]", asyncio.current_task())
    scope.alive.add(runner)
    token = current_task.set(task)
    try:
        output = await _outcome(task, function, args, kwargs)
        await _finish(run, task, function, output)
    except BaseException as failure:
        signal = await _unfinished(run, task, failure)
        if signal is None:
            raise
        raise signal from None
    finally:
        current_task.reset(token)
        scope.alive.discard(runner)
    return output


async def _outcome(
    task: Task, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    if is_async_callable(function):
        return await function(*args, **kwargs)
    return await in_thread(task, function, *args, **kwargs)


async def _finish(run: Run, task: Task, function: Callable[..., Any], output: Any) -> None:
    scope: Scope | None = task.scope
    if scope is not None and scope.busy:
        await settle_scope(task, None)
    if run.keeper is not None:
        await keep(run, task, function, f"Step {task.key!r} of {task.node.name!r}", output)
    elif task.scope is not None and (live := live_of(task)) is not None:
        live[live_path(task)] = output


async def _unfinished(run: Run, task: Task, failure: BaseException) -> GraphInterrupt | None:
    """The step has not come to its end; the interrupt to raise instead of its failure, if it has asked something."""
    signal = signal_in(failure)
    scope: Scope | None = task.scope
    if scope is not None and scope.busy:
        await settle_scope(task, signal or failure)
    return await paused(run, task, signal) if isinstance(signal, GraphInterrupt) else None


def take_step_here(
    key: str, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """`take_step` in a thread without a loop; `function` is called in this thread.

    Raises:
        RunningLoopError: an event loop is running in this thread.
        GraphValidationError: `function` is async.
        whatever `take_step` raises.
    """
    forbid_running_loop("step.sync")
    if is_async_callable(function):
        raise GraphValidationError(
            f"step.sync({key!r}, ...) got an async function. Make the node async and use `await step(...)`, or call "
            "something that is not async."
        )
    task = _begin(key)
    run: Run = task.owner
    if (known := _known(run, task, function)) is not MISSING:
        return known
    token = current_task.set(task)
    try:
        output = function(*args, **kwargs)
        _from_here(run, _finish(run, task, function, output))
    except BaseException as failure:
        signal = _from_here(run, _unfinished(run, task, failure))
        if signal is None:
            raise
        raise signal from None
    finally:
        current_task.reset(token)
    return output


def _from_here(run: Run, work: Coroutine[Any, Any, T]) -> T:
    """Have the run's loop do it, or, if there is none, this thread."""
    loop = home_of(run)
    if loop is None:
        return drive(work, "step.sync")
    return asyncio.run_coroutine_threadsafe(work, loop).result()
