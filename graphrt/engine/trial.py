"""What is known of the attempt at a task that is under way, if its node has a policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from graphrt.core.ids import path_text
from graphrt.core.state import Task
from graphrt.engine import clock
from graphrt.engine.scope import scope_of
from graphrt.types import TimeoutPolicy

if TYPE_CHECKING:
    from graphrt.engine.run import Run
    from graphrt.errors import NodeError
    from graphrt.types import StreamWriter

__all__ = ["GuardedWriter", "Trial", "live_of", "live_path", "part_of", "trial_around", "trial_of"]


class Trial:
    """The attempts at one task.

    Attributes:
        number: which attempt this is, from 1; `first_s` when the first one began, in seconds since 1970.
        error: the failure that the task is to handle, if its node is an error handler.
        outer: the trial that this one is part of: that of a task which has called this one, or runs its graph.
        limits: how long an attempt may take, in seconds; `began_s` and `seen_s` when this one began and gave the last
            sign of life, on the monotonic clock.
        closed: the time of the attempt is over: what it still does counts for nothing.
        live: what calls, steps and graphs inside have come to, by `live_path`, where nothing is stored.
    """

    __slots__ = ("began_s", "closed", "error", "first_s", "limits", "live", "number", "outer", "seen_s")

    def __init__(self, outer: Trial | None = None, error: NodeError | None = None) -> None:
        self.number = 1
        self.first_s = clock.time()
        self.error = error
        self.outer = outer
        self.limits: TimeoutPolicy | None = None
        self.began_s = self.seen_s = 0.0
        self.closed = False
        self.live: dict[str, Any] | None = None if outer is None else outer.live

    def begin(self, limits: TimeoutPolicy | None) -> None:
        """An attempt begins."""
        self.limits = limits
        self.closed = False
        self.began_s = self.seen_s = 0.0 if limits is None else clock.monotonic()

    @property
    def over(self) -> bool:
        """Whether nothing that the attempt does counts any more."""
        return self.closed or (self.outer is not None and self.outer.over)

    def beat(self) -> None:
        """A sign of life that was meant as one."""
        self._seen(meant=True)

    def sign(self) -> None:
        """Any sign of life."""
        self._seen(meant=False)

    def _seen(self, *, meant: bool) -> None:
        limits = self.limits
        if limits is not None and (meant or limits.refresh_on == "auto"):
            self.seen_s = clock.monotonic()
        if self.outer is not None:
            self.outer._seen(meant=meant)

    def ends(self) -> tuple[float, Literal["run", "idle"]]:
        """When the attempt's time is over, on the monotonic clock, and by which limit."""
        limits = self.limits
        assert limits is not None
        ends: list[tuple[float, Literal["run", "idle"]]] = []
        if isinstance(limits.run_timeout, float):
            ends.append((self.began_s + limits.run_timeout, "run"))
        if isinstance(limits.idle_timeout, float):
            ends.append((self.seen_s + limits.idle_timeout, "idle"))
        return min(ends)


def trial_of(task: Task) -> Trial:
    """The task's trial, made if there is none: then it has no policy, and this is its only attempt."""
    if task.trial is None:
        task.trial = Trial()
    trial: Trial = task.trial
    return trial


def trial_around(task: Task) -> Trial | None:
    """The nearest trial that the task is part of, its own included."""
    trial: Trial | None = task.owner.trial if task.scope is None else task.scope.trial
    return trial


def part_of(task: Task, trial: Trial) -> None:
    """What a task calls is part of its trial, and a sign of life."""
    trial.sign()
    scope_of(task).trial = trial


def live_of(task: Task) -> dict[str, Any] | None:
    """Where results are kept for the next attempt while nothing is stored; None if there will be none."""
    trial = task.owner.trial if task.scope is None else task.scope.trial
    return None if trial is None else trial.live


def live_path(task: Task) -> str:
    """The name of a task among all that go on at once in its outermost run."""
    path = path_text(task)
    run: Run = task.owner
    while run.around is not None:
        path = f"{path_text(run.around)}|{run.number}|{run.step}|{path}"
        run = run.around.owner
    return path


class GuardedWriter:
    """A task's writer: every chunk is a sign of life, and after the task's time none gets through."""

    __slots__ = ("_number", "_trial", "_writer")

    def __init__(self, writer: StreamWriter, trial: Trial) -> None:
        self._writer = writer
        self._trial = trial
        self._number = trial.number

    def _alive(self) -> bool:
        trial = self._trial
        if trial.over or trial.number != self._number:
            return False
        trial.sign()
        return True

    def __call__(self, chunk: Any, /) -> None:
        if self._alive():
            self._writer(chunk)

    async def asend(self, chunk: Any, /) -> None:
        """Wait for room, then write; waiting for the consumer is not the node's idle time."""
        if self._alive():
            await self._writer.asend(chunk)
            self._trial.sign()
