"""Tells a run's observers what happens, at the places where its stream is told (`graphrt.observers`).

Runs without observers have none of this: `Run.observed` is None, and the run loop uses what `Observed.ways` wraps as
it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import monotonic_ns
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from graphrt.engine.observed_tasks import ObservedTasks, function_of
from graphrt.engine.pausing import interrupts_of
from graphrt.engine.timed import TimedJournal
from graphrt.errors import ParentCommand
from graphrt.observers import (
    GraphEnded,
    GraphFailed,
    GraphInterrupted,
    GraphResumed,
    GraphStarted,
    StepCommitted,
    StepEnded,
    StepStarted,
    StopReason,
    TaskRestored,
)

if TYPE_CHECKING:
    from graphrt.checkpoint import Stored
    from graphrt.config import RunnableConfig
    from graphrt.core.state import Task
    from graphrt.engine.audience import Audience
    from graphrt.engine.run import Run

__all__ = ["Observed", "traced_metadata"]

_SECRETS: Final = ("key", "token", "secret", "password", "auth")


class Observed(ObservedTasks):
    """One run, as its observers see it.

    Attributes:
        around: the task in which the run was called, by whom it may be observed already.
    """

    __slots__ = ("_last", "_planned_ns", "_step", "_stored_ns", "around", "root_id")

    def __init__(self, audience: Audience, run: Run, around: Task | None, run_id: Any = None) -> None:
        super().__init__(audience, run.plan.name, str(run_id or uuid4()))
        self.around = around
        outer: Observed | None = around.owner.observed if around is not None else None
        self.root_id: str = outer.root_id if outer is not None else self.run_id
        self._step: int | None = None
        self._planned_ns = 0
        self._stored_ns = 0
        self._last: Sequence[int] = ()

    # -- the run -------------------------------------------------------------------------------------------------

    async def whole(self, run: Run, given: Any, *, checkpoint: str | None = None) -> None:
        """`Run.execute`, from its start to whatever it comes to."""
        self._begun(run, given)
        try:
            await run.execute(given, checkpoint=checkpoint)
        except BaseException as failure:
            self._over(run, failure)
            raise
        self._over(run, None)

    def _begun(self, run: Run, given: Any) -> None:
        self.namespace = run.namespace
        config = run.config
        around = function_of(self.around)
        outer: Observed | None = around.owner.observed if around is not None else None
        keeper = run.keeper
        self.audience.tell(
            GraphStarted(
                run_id=self.run_id,
                time_ns=monotonic_ns(),
                graph=self.graph,
                namespace=self.namespace,
                root_run_id=self.root_id,
                parent_run_id=outer.run_id if outer is not None else None,
                parent_task_id=around.owner.identify(around) if around is not None else None,
                name=config.get("run_name") or self.graph,
                thread_id=keeper.journal.thread_id if keeper is not None and keeper.journal else None,
                input=given,
                metadata=traced_metadata(config),
                tags=tuple(config.get("tags", ())),
            )
        )

    def resumed(self, stored: Stored) -> None:
        """The run goes on from a checkpoint."""
        checkpoint = stored.checkpoint
        self.audience.tell(
            GraphResumed(
                **self.here(), checkpoint_id=checkpoint.id, checkpoint_metadata=dict(checkpoint.metadata)
            )
        )

    def _over(self, run: Run, failure: BaseException | None) -> None:
        """The run is over: so is everything that it has begun."""
        stopped_in_step = self._step is not None
        self.close_rest()
        self._end_step(committed=False)
        stored_ns = run.journal.waited_ns if isinstance(run.journal, TimedJournal) else 0
        here = self.here()
        if run.halted:
            questions = interrupts_of(run)
            self.audience.tell(
                GraphInterrupted(
                    **here,
                    stored_ns=stored_ns,
                    interrupts=questions,
                    reason="pending" if questions or stopped_in_step or run.idle else self._breakpoint(run),
                    checkpoint_id=run.journal.current if run.journal is not None else None,
                    outermost=self.around is None,
                )
            )
        elif failure is None or isinstance(failure, ParentCommand):
            self.audience.tell(GraphEnded(**here, stored_ns=stored_ns))
        else:
            self.audience.tell(GraphFailed(**here, stored_ns=stored_ns, error=failure))

    def _breakpoint(self, run: Run) -> StopReason:
        after = run.stops.after if run.stops is not None else ()
        return "interrupt_after" if any(index in after for index in self._last) else "interrupt_before"

    # -- steps ---------------------------------------------------------------------------------------------------

    def step_planned(self) -> None:
        """The next superstep is known, and begins when whoever reads the stream is ready."""
        self._planned_ns = monotonic_ns()

    def step_started(self, step: int, tasks: Sequence[Task]) -> None:
        """A superstep begins. Those of its tasks that have a result already are not run."""
        self._step = step
        nodes = tuple([task.node.name for task in tasks if not task.node.hidden])
        here = self.here()
        waited_ns = here["time_ns"] - self._planned_ns
        self.audience.tell(StepStarted(**here, step=step, nodes=nodes, waited_ns=waited_ns))
        for task in tasks:
            if task.restored and not task.node.hidden:
                self.audience.tell(TaskRestored(**self.describe(task)))

    def committed(self, run: Run, tasks: Sequence[Task]) -> None:
        """A superstep was committed, and stored if anything is."""
        self.close_rest()
        self._last = [task.node.index for task in tasks]
        journal = run.journal
        before = self._stored_ns
        self._stored_ns = journal.waited_ns if isinstance(journal, TimedJournal) else 0
        self.audience.tell(
            StepCommitted(
                **self.here(),
                step=run.step,
                checkpoint_id=journal.current if journal is not None else None,
                stored_ns=self._stored_ns - before,
            )
        )
        self._end_step(committed=True)

    def _end_step(self, *, committed: bool) -> None:
        step, self._step = self._step, None
        if step is not None:
            self.audience.tell(StepEnded(**self.here(), step=step, committed=committed))


def traced_metadata(config: RunnableConfig) -> Mapping[str, Any]:
    """What observers are told of a run's config: no objects, nothing that looks like a secret (LangGraph Y2)."""
    shown: dict[str, Any] = {
        name: value
        for name, value in config.get("configurable", {}).items()
        if isinstance(value, (str, int, float, bool))
        and not name.startswith("__")
        and not any(word in name.lower() for word in _SECRETS)
    }
    return {**shown, **config.get("metadata", {})}
