"""What one attempt at a task has asked, called and remembered: made when its function first does any of it.

Everything here is counted, so that an attempt that runs again finds its earlier questions, calls and memos by their
numbers (LangGraph I5, M6, Q4).
"""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct, field

from graphrt.core.state import Task

if TYPE_CHECKING:
    from graphrt.checkpoint import ChannelData
    from graphrt.core.interrupts import Question
    from graphrt.engine.remote import SideLoop
    from graphrt.engine.trial import Trial

__all__ = ["MAKING", "Inside", "Scope", "scope_of"]

MAKING: Final = Lock()
"""Held while something is made that a task has one of: a sync function may use threads of its own."""


class Scope(Struct, eq=False):
    """One task's dealings with the engine. A Struct for the reason that a Task is one.

    Attributes:
        questions: how many times its function has called `interrupt()` in this attempt.
        asked: its own open questions; `passed_on` those of graphs and tasks that it called.
        graphs: how many graphs it has started; `calls` numbers the tasks that it calls (`graphrt.func.task`).
        waits_for: all that it waits for, if it has paused.
        before: its questions of an earlier attempt, as they are stored.
        ends: where the graphs stand that it has called and that keep their state, by namespace.
        keys: of the steps (`graphrt.func.step`) that it has taken.
        alive: futures of what it called and that has not ended.
        side_loop: the loop that its tasks run in, if the function is not async and no other loop runs.
        closed: it has failed or was cancelled, and may call nothing any more.
        pushed: what it has written to the state besides what it returns, as (channel index, value).
        trial: the nearest trial that it is part of (`engine.trial`).
    """

    trial: Trial | None = None
    questions: int = 0
    asked: list[Question] = []
    passed_on: list[Question] = []
    pushed: list[tuple[int, Any]] = []
    waits_for: Sequence[Question] = ()
    before: ChannelData | None = None
    ends: Mapping[str, str] = {}
    graphs: int = 0
    calls: Iterator[int] = field(default_factory=count)
    keys: set[str] = set()
    alive: set[asyncio.Future[Any] | concurrent.futures.Future[Any]] = set()
    side_loop: SideLoop | None = None
    closed: bool = False

    @property
    def busy(self) -> bool:
        """Whether something has to be done when the function has ended (`engine.calls.settle_scope`)."""
        return bool(self.alive or self.passed_on or self.side_loop or self.pushed)


class Inside(asyncio.Future[None]):
    """Done when a graph that a node's function has called has ended; cancelling it cancels who waits for that graph."""

    caller: asyncio.Task[Any] | None = None

    def cancel(self, msg: Any = None) -> bool:
        """Ask the asyncio task that the graph runs in to stop."""
        return self.caller is not None and self.caller.cancel(msg)


def scope_of(task: Task) -> Scope:
    """The task's scope, made if there is none."""
    if task.scope is None:
        with MAKING:
            if task.scope is None:
                task.scope = Scope(task.owner.trial)
    scope: Scope = task.scope
    return scope
