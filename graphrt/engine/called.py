"""Run what a task's function calls: a task of its own each, in the same superstep (LangGraph Q3-Q6, Q8).

In async code a call is an asyncio task; in sync code its future belongs to another thread, where the loop is. What a
call comes to is durable before anybody is told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from inspect import iscoroutine
from typing import TYPE_CHECKING, Any, cast

from graphrt.channels.base import MISSING
from graphrt.config import current_task, running_task
from graphrt.core.ids import path_text
from graphrt.core.interrupts import paused_record
from graphrt.core.plan import Node
from graphrt.core.retrying import combined
from graphrt.core.state import Task
from graphrt.engine.asking import asked_by, passed_on
from graphrt.engine.attempt import own_doing
from graphrt.engine.attempts import keep_trying
from graphrt.engine.calls import cancel_calls, settle_scope
from graphrt.engine.door import HOME, running_loop
from graphrt.engine.memos import keep, recalled, value_of
from graphrt.engine.pausing import signal_in
from graphrt.engine.remote import RemoteFuture, SideLoop
from graphrt.engine.scope import MAKING, Scope, scope_of
from graphrt.engine.slots import Slots
from graphrt.engine.trial import live_of, live_path, part_of
from graphrt.engine.workers import in_worker_thread
from graphrt.errors import GraphDrained, GraphInterrupt, InvalidResumeError

if TYPE_CHECKING:
    from graphrt.engine.run import Run

__all__ = ["call_task", "home_of", "in_thread", "paused"]


def call_task(node: Node, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Begin a call in the running task. An `asyncio.Task` in async code, else a `RemoteFuture`.

    Raises:
        OutsideRunError: no task is running here (a RuntimeError).
        CancelledError: the calling function was cancelled, or has failed.
    """
    caller = cast(Task, running_task(node.name))
    scope = scope_of(caller)
    if scope.closed:
        raise asyncio.CancelledError(
            f"Task {node.name!r} was called by {caller.node.name!r}, which was cancelled."
        )
    task = Task(node, (args, kwargs), caller.owner, next(scope.calls), caller=caller)
    trial = scope.trial
    if trial is not None:
        part_of(task, trial)
    loop = running_loop()
    if loop is None:
        return _call_elsewhere(task, scope)
    handle = loop.create_task(_work(task))
    if not handle.done():
        scope.alive.add(handle)
    return handle


def _call_elsewhere(task: Task, scope: Scope) -> RemoteFuture:
    """The same from a thread without a loop of its own."""
    context = copy_context()
    loop = home_of(task.owner)
    if loop is None:
        with MAKING:
            if scope.side_loop is None:
                scope.side_loop = SideLoop()
        loop = scope.side_loop.loop
        context.run(HOME.set, loop)
    future = RemoteFuture(loop)
    scope.alive.add(future)
    future.begin(partial(_work, task), context, scope.alive.discard)
    return future


def home_of(run: Run) -> asyncio.AbstractEventLoop | None:
    """The loop that a run works in, as seen from other threads; None if it has needed none so far."""
    if run.loop is not None:
        return run.loop
    home = HOME.get(None)
    while home is None and run.around is not None:
        run = run.around.owner
        home = run.loop
    return home


async def _work(task: Task) -> Any:
    """What the asyncio task of a call does."""
    run: Run = task.owner
    assert task.caller is not None
    current_task.set(task)
    try:
        output = await _attend(run, task, task.caller)
    except GraphInterrupt:
        raise  # it stays among what is alive: whoever settles that takes the exception, if nobody awaits the task
    except BaseException:
        _no_more_alive(task.caller)
        raise
    _no_more_alive(task.caller)
    return output


async def _attend(run: Run, task: Task, caller: Task) -> Any:  # noqa: C901 - a function more costs each call
    """A call from its announcement to its report."""
    slots = _slots_of(run)
    if slots is not None:
        slots.give(_holder(caller))
    publisher = run.publisher
    if publisher is not None and publisher.wants.tasks:
        publisher.started(task, run.identify(task), run.step)
    keeper = run.keeper
    if keeper is not None and (memo := recalled(run, task)) is not None:
        return value_of(run, task.node.call, memo)
    live = None if keeper is not None or task.scope is None else live_of(task)
    if live is not None and (known := live.get(live_path(task), MISSING)) is not MISSING:
        return known
    if slots is not None:
        await slots.take(task)
    try:
        if run.observed is not None:
            run.observed.entered(task)
        policy = task.node.policy or run.plan.calls
        if policy is not None:
            await keep_trying(run, task, combined(policy, run.plan.calls), partial(_perform, task))
            output = task.output
        else:
            args, kwargs = task.input
            function: Any = task.node.call
            if task.node.is_async:
                output = await function(*args, **kwargs)
            else:
                output = await in_thread(task, function, *args, **kwargs)
            task.output = output
            if task.scope is not None and task.scope.busy:
                await settle_scope(task, None)
        if run.observed is not None:
            run.observed.left(task)
        if keeper is not None:
            await keep(run, task, task.node.call, f"Task {task.node.name!r}", output)
        elif live is not None:
            live[live_path(task)] = output
    except BaseException as failure:
        blamed = await _lost(run, task, failure)
        try:
            raise blamed
        finally:
            del failure, blamed  # their traceback holds this frame
    finally:
        if slots is not None:
            slots.give(task)
    task.finished = True
    if publisher is not None:
        publisher.finished(task, run.identify(task), run.step)
    return output


async def _perform(task: Task) -> None:
    """One attempt at a call whose task has a policy; what `_attend` does for others without a further coroutine."""
    args, kwargs = task.input
    function: Any = task.node.call
    if task.node.is_async:
        task.output = await function(*args, **kwargs)
    else:
        task.output = await in_thread(task, function, *args, **kwargs)
    if task.scope is not None and task.scope.busy:
        await settle_scope(task, None)


def _no_more_alive(caller: Task) -> None:
    alive: set[Any] = scope_of(caller).alive
    alive.discard(asyncio.current_task())


def _slots_of(run: Run) -> Slots | None:
    if run.slots is None and run.max_concurrency is not None:
        run.slots = Slots(run.max_concurrency)
    return run.slots


def _holder(task: Task) -> Task:
    """Whose place a task takes: steps have that of the call they are part of."""
    while task.key is not None and task.caller is not None:
        task = task.caller
    return task


async def in_thread(task: Task, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call a sync function of `task` in a worker thread. It may turn out to return a coroutine, as lambdas can."""
    work = partial(function, *args, **kwargs)
    output: Any = await in_worker_thread(copy_context(), work, on_cancel=partial(cancel_calls, task))
    return await output if iscoroutine(output) else output


async def _lost(run: Run, task: Task, failure: BaseException) -> BaseException:
    """A call has not come to its end: so does what it called, and it is recorded. What its caller is to be told."""
    blamed = own_doing(task, failure)
    signal = signal_in(blamed)
    if task.scope is not None and task.scope.busy:
        await settle_scope(task, signal or blamed)
    if isinstance(signal, GraphInterrupt):
        return await paused(run, task, signal)
    if not isinstance(blamed, (InvalidResumeError, GraphDrained)):
        await run.failed(task, blamed)
    if run.observed is not None:
        run.observed.failed(task, blamed)  # if it is none of these, or was cancelled
    return blamed


async def paused(run: Run, task: Task, interrupt: GraphInterrupt) -> GraphInterrupt:
    """A call waits for answers: keep its questions, and let its caller wait too (LangGraph I18)."""
    questions = asked_by(run, task, interrupt)
    if run.observed is not None:
        run.observed.paused(task, tuple([question.shown(run.decode_any) for question in questions]))
    assert task.caller is not None
    passed_on(questions, task.caller)
    if run.keeper is not None:
        await run.remember(paused_record(path_text(task), task.node.name, questions, run.encode))
    return GraphInterrupt([question.shown(run.decode_any) for question in questions])
