"""What runs tell those who watch them: typed events, and the `Observer` that gets them.

An observer is given to `compile(observers=[...])`, or to one call in `config={"callbacks": [...]}`. Graphs inside the
graph tell it too. Its rules:

- `on_event` is called inline, in the order in which things happen: be quick, and do not block.
- It may be called from several threads: a graph that a sync node calls runs in that node's thread.
- Whatever it raises is logged once per run, and the run goes on.
- A task's `TaskStarted` is told in the task's own context: context variables that are set there are seen by its
  function, and by nobody else.

Each `...Started` is followed by exactly one of `...Ended`, `...Failed`, `...Interrupted` of the same graph, step or
task; a step ends by `StepEnded` in any case. `Failed` has the exception, for what was cancelled a `CancelledError`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

from msgspec import Struct

from graphrt.types import Interrupt

__all__ = [
    "Event",
    "GraphEnded",
    "GraphEvent",
    "GraphFailed",
    "GraphInterrupted",
    "GraphResumed",
    "GraphStarted",
    "Observer",
    "Recorder",
    "StepCommitted",
    "StepEnded",
    "StepEvent",
    "StepStarted",
    "StopReason",
    "TaskEnded",
    "TaskEvent",
    "TaskFailed",
    "TaskInterrupted",
    "TaskRestored",
    "TaskRetried",
    "TaskStarted",
]

StopReason: TypeAlias = Literal["pending", "interrupt_before", "interrupt_after"]
"""Why a run has stopped on the way: a question is open, or a breakpoint was reached."""


class Event(Struct, frozen=True, kw_only=True):
    """Something that happened in a run of a graph.

    Attributes:
        run_id: which run; a graph inside another one has runs of its own.
        time_ns: monotonic nanoseconds, as of `time.monotonic_ns`.
        graph: the graph's name.
        namespace: where in its thread the run takes place, "" for the outermost one (LangGraph F4).
    """

    run_id: str
    time_ns: int
    graph: str
    namespace: str


# ---- graphs


class GraphEvent(Event, frozen=True, kw_only=True):
    """A run of a graph."""


class GraphStarted(GraphEvent, frozen=True, kw_only=True):
    """A run begins.

    Attributes:
        root_run_id: the outermost run that it is part of, perhaps itself.
        parent_run_id: the run that it is directly part of; None for the outermost one.
        parent_task_id: the task of that run in which it was called.
        name: the config's `run_name`, or the graph's name.
        thread_id: its thread, if it has one.
        input: what it was given; None for a run that only goes on.
        metadata: the config's, and the plain values of `configurable`, except what looks like a secret (LangGraph Y2).
        tags: the config's.
    """

    root_run_id: str
    parent_run_id: str | None
    parent_task_id: str | None
    name: str
    thread_id: str | None
    input: Any
    metadata: Mapping[str, Any]
    tags: Sequence[str]


class GraphResumed(GraphEvent, frozen=True, kw_only=True):
    """The run does not begin at the start, but goes on from a checkpoint of its thread.

    Attributes:
        checkpoint_id: that checkpoint; `checkpoint_metadata` what is stored with it.
    """

    checkpoint_id: str
    checkpoint_metadata: Mapping[str, Any]


class GraphEnded(GraphEvent, frozen=True, kw_only=True):
    """The run came to its end, or went on in a graph around it by `Command(graph=...)`.

    Attributes:
        stored_ns: how long the run waited for its storage, from beginning to end.
    """

    stored_ns: int = 0


class GraphFailed(GraphEnded, frozen=True, kw_only=True):
    """The run ended by an exception."""

    error: BaseException


class GraphInterrupted(GraphEnded, frozen=True, kw_only=True):
    """The run has stopped on the way; its thread goes on when it is told to.

    Attributes:
        interrupts: the open questions; none at a breakpoint.
        checkpoint_id: where the thread stands, if it is stored.
    """

    interrupts: tuple[Interrupt[Any], ...]
    reason: StopReason
    checkpoint_id: str | None
    outermost: bool


# ---- steps


class StepEvent(Event, frozen=True, kw_only=True):
    """A superstep of a run."""

    step: int


class StepStarted(StepEvent, frozen=True, kw_only=True):
    """A superstep begins.

    Attributes:
        nodes: a name for each of its tasks.
        waited_ns: how long the run waited until the consumer of its stream asked for more.
    """

    nodes: tuple[str, ...]
    waited_ns: int


class StepCommitted(StepEvent, frozen=True, kw_only=True):
    """What the step's tasks wrote is in the state, and as durable as was asked for.

    Attributes:
        checkpoint_id: the checkpoint that it made, if the run has storage.
        stored_ns: how long the run waited for its storage since the last `StepCommitted`.
    """

    checkpoint_id: str | None
    stored_ns: int


class StepEnded(StepEvent, frozen=True, kw_only=True):
    """The step is over; `committed` is false if it failed or stopped on the way."""

    committed: bool


# ---- tasks


class TaskEvent(Event, frozen=True, kw_only=True):
    """A task: one execution of a node, or of a function that one calls by `@task`.

    Attributes:
        task_id: the same whenever this task of this checkpoint is run; within a run it is unique.
        parent_task_id: the task whose function called this one; None for nodes.
        name: of the node or function.
    """

    step: int
    task_id: str
    parent_task_id: str | None
    name: str


class TaskStarted(TaskEvent, frozen=True, kw_only=True):
    """A task's function is about to be called.

    Attributes:
        input: what the node is given; the bound arguments `(args, kwargs)` for a call.
        triggers: what made the node run.
        metadata: the node's own; `tags` too.
    """

    input: Any
    triggers: tuple[str, ...]
    metadata: Mapping[str, Any]
    tags: tuple[str, ...]


class TaskRestored(TaskEvent, frozen=True, kw_only=True):
    """A task is not run, as an earlier run of the thread did, or as its result is cached."""


class TaskRetried(TaskEvent, frozen=True, kw_only=True):
    """An attempt failed, and another one follows.

    Attributes:
        attempt: which one failed, counted from 1.
        delay_s: how long the run waits before it tries again.
    """

    attempt: int
    error: BaseException
    delay_s: float


class TaskEnded(TaskEvent, frozen=True, kw_only=True):
    """A task is over.

    Attributes:
        started_ns: the `time_ns` of its start.
        output: what its function returned.
        attempt: which attempt this was the end of, counted from 1.
    """

    started_ns: int
    output: Any = None
    attempt: int = 1


class TaskFailed(TaskEnded, frozen=True, kw_only=True):
    """The last attempt at a task ended by an exception, or the task was cancelled."""

    error: BaseException


class TaskInterrupted(TaskEnded, frozen=True, kw_only=True):
    """A task waits for answers, and its function is run again when they come."""

    interrupts: tuple[Interrupt[Any], ...]


# ---- who is told


@runtime_checkable
class Observer(Protocol):
    """Is told what happens in runs."""

    def on_event(self, event: Event, /) -> None:
        """Something happened. Called inline: whatever takes long belongs elsewhere."""
        ...


class Recorder:
    """Keeps what it is told, in order: for tests, and for looking at a run afterwards."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def on_event(self, event: Event, /) -> None:
        """Keep it."""
        self.events.append(event)
