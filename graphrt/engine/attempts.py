"""Tasks whose node has a policy: attempts at them, one after the other, each in time (LangGraph O1, O4)."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING

from graphrt.core.handled import clear
from graphrt.core.retrying import Policy, delay_of, speaks_for
from graphrt.core.state import Task
from graphrt.engine import clock
from graphrt.engine.attempt import call_node, start, start_inline
from graphrt.engine.calls import settle_scope
from graphrt.engine.deadlines import in_time
from graphrt.engine.door import running_loop
from graphrt.engine.scope import Scope, scope_of
from graphrt.engine.trial import Trial, trial_around

if TYPE_CHECKING:
    from graphrt.engine.run import Run

__all__ = ["keep_trying", "try_node"]

log = logging.getLogger("graphrt")


async def try_node(run: Run, task: Task) -> None:
    """Run a step's task under its node's policy, if it has one.

    Raises:
        NodeTimeoutError: the last attempt took too long.
        whatever the last attempt raises.
    """
    once = partial(_once, run, task)
    if task.node.policy is None:
        await once()
    else:
        await keep_trying(run, task, task.node.policy, once)


async def _once(run: Run, task: Task) -> None:
    node = task.node
    begin, work, begin_here = (start, call_node, start_inline) if run.observed is None else run.observed.ways
    if node.is_async and not node.is_graph:
        await run.enter_loop()
    if node.is_async:
        rest = begin(run.state, task)
    elif node.call is not None and running_loop() is not None:
        rest = work(run.state, task)
    else:
        rest = begin_here(run.state, task)
    if rest is not None:
        await rest


async def keep_trying(run: Run, task: Task, policy: Policy, once: Callable[[], Awaitable[None]]) -> None:
    """Make attempts by `once` until one succeeds, or the policies have had enough.

    Raises:
        whatever the last attempt raises.
    """
    trial = _trial(task, policy)
    if policy.timeout is not None:
        await run.enter_loop()
    while True:
        scope_of(task).trial = trial
        trial.begin(policy.timeout)
        try:
            if policy.timeout is None:
                await once()
            else:
                await in_time(task.node.name, trial, once)
            return
        except Exception as failure:
            delay = _delay(policy, trial, failure)
            if delay is None:
                raise
            if task.scope.busy:
                await settle_scope(task, failure)
            if run.observed is not None:
                run.observed.retried(task, trial.number, failure, delay)
            log.info(
                "Task %r failed in attempt %d and is tried again in %.2f s: %r",
                task.node.name, trial.number, delay, failure,
            )  # fmt: skip
        await _pause(delay)
        _forget(task)
        trial.number += 1


def _trial(task: Task, policy: Policy) -> Trial:
    error = None if task.trial is None else task.trial.error
    trial = task.trial = Trial(trial_around(task), error)
    if policy.retry and trial.live is None:
        trial.live = {}
    return trial


def _delay(policy: Policy, trial: Trial, failure: Exception) -> float | None:
    """How long to wait before another attempt; None if there is none."""
    speaking = speaks_for(policy.retry, failure)
    if speaking is None:
        return None
    return delay_of(speaking, trial.number, clock.jitter() if speaking.jitter else 0.0)


async def _pause(delay: float) -> None:
    if running_loop() is not None:
        await clock.sleep(delay)
    else:  # the run has this thread for itself
        clock.block(delay)


def _forget(task: Task) -> None:
    """Leave nothing of an attempt but what it has remembered; its questions are counted anew."""
    before = task.scope.before
    clear(task)
    task.scope = Scope()
    task.scope.before = before
