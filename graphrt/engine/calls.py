"""What a task's function has called ends before the task does (LangGraph Q9, G10)."""

from __future__ import annotations

import asyncio
import concurrent.futures
from typing import TYPE_CHECKING, Any

from graphrt.core.state import Task
from graphrt.engine.door import enter_loop, running_loop
from graphrt.engine.patience import wait_out
from graphrt.engine.scope import Scope, scope_of
from graphrt.errors import GraphInterrupt

if TYPE_CHECKING:
    from graphrt.engine.run import Run

__all__ = ["cancel_calls", "settle_scope"]


async def settle_scope(task: Task, failure: BaseException | None) -> None:
    """The task's function has ended, by `failure` or well: so does what it called.

    What a task called that has returned, or that waits for an answer, runs to its end; if the task failed or was
    cancelled, it is cancelled. Either way nothing of it is alive afterwards.

    Raises:
        GraphInterrupt: the function returned, but something it called has asked a question.
        CancelledError: the waiter was cancelled meanwhile.
    """
    scope = scope_of(task)
    await enter_loop()
    if failure is not None and not isinstance(failure, GraphInterrupt):
        cancel_calls(task)
    try:
        await _all_ended(task, scope)
    finally:
        side_loop, scope.side_loop = scope.side_loop, None
        if side_loop is not None:
            side_loop.close()
    if failure is None and scope.passed_on:
        run: Run = task.owner
        raise GraphInterrupt([question.shown(run.decode_any) for question in scope.passed_on])
    if failure is None and scope.pushed:
        task.writes += scope.pushed
        scope.pushed = []


def cancel_calls(task: Task) -> None:
    """Ask everything that the task's function has called to stop; from any thread."""
    if task.scope is None:
        return
    scope: Scope = task.scope
    scope.closed = True
    current = asyncio.current_task() if running_loop() is not None else None
    for future in list(scope.alive):
        if future is not current:
            future.cancel()


async def _all_ended(task: Task, scope: Scope) -> None:
    """Wait for it all; if the waiter is cancelled, what it waits for is cancelled too."""
    current = asyncio.current_task()
    ended = set(scope.alive)
    while alive := [future for future in list(scope.alive) if future is not current and not future.done()]:
        ended.update(alive)
        waiting = [_local(future) for future in alive]
        try:
            await asyncio.wait(waiting)
        except asyncio.CancelledError:
            cancel_calls(task)
            await wait_out(waiting)
            raise
    # What asked a question is still among what is alive, and the question is not lost. If the task itself has failed,
    # that is what matters. In both cases asyncio need not complain that nobody has looked at an exception.
    for future in ended if scope.closed else scope.alive:
        if isinstance(future, asyncio.Future) and future.done() and not future.cancelled():
            future.exception()
    scope.alive.clear()


def _local(future: asyncio.Future[Any] | concurrent.futures.Future[Any]) -> asyncio.Future[Any]:
    """The future, or, if it belongs to another thread, one in this loop that is done when it is."""
    if isinstance(future, asyncio.Future):
        return future
    loop = asyncio.get_running_loop()
    waiter: asyncio.Future[Any] = loop.create_future()

    def wake() -> None:
        if not waiter.done():
            waiter.set_result(None)

    future.add_done_callback(lambda _: loop.call_soon_threadsafe(wake))
    return waiter
