"""Spans of OpenTelemetry for what happens in runs: `pip install 'graphrt[otel]'`.

    graph = builder.compile(observers=[Tracing()])

A run of a graph is a span, below whatever span is current where it was called; below it are its nodes, below those
the graphs and tasks that they call. In a node its span is current, so spans of your own come below it. Where spans go
is said by the tracer provider that your program sets up; without one they go nowhere.
"""

from __future__ import annotations

from asyncio import CancelledError
from collections import OrderedDict
from time import monotonic_ns, time_ns
from typing import TYPE_CHECKING, Any, Final

try:
    from opentelemetry import context, trace
    from opentelemetry.trace import Span, SpanContext, Status, StatusCode
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
except ImportError as error:
    error.add_note("Tracing needs it. Run: pip install 'graphrt[otel]'")
    raise

from graphrt.observers import (
    Event,
    GraphEnded,
    GraphFailed,
    GraphInterrupted,
    GraphResumed,
    GraphStarted,
    StepCommitted,
    TaskEnded,
    TaskFailed,
    TaskInterrupted,
    TaskRestored,
    TaskRetried,
    TaskStarted,
)
from graphrt.version import __version__

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import TracerProvider

__all__ = ["Tracing", "link_back"]

_REMEMBERED: Final = 4096
"""Threads of which a tracing knows the span that they stopped in."""
_LINK: Final = "traceparent"


def link_back() -> dict[str, str]:
    """Metadata by which a run in another process finds the span that is current here.

    `config={"metadata": link_back()}` stores it with the run's checkpoints; the span of whoever goes on from one of
    them is linked to it. In the process where a thread has stopped this is not needed.
    """
    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return {key: value for key, value in carrier.items() if key == _LINK}


class _Run:
    """A graph's span, while it is open. `failure` is the last that a span below it has recorded."""

    __slots__ = ("failure", "offset_ns", "outer", "place", "span")

    def __init__(self, span: Span, offset_ns: int, place: tuple[str, str] | None, outer: _Run | None) -> None:
        self.span = span
        self.outer = outer
        self.offset_ns = offset_ns
        self.place = place
        self.failure: BaseException | None = None


class Tracing:
    """An observer that makes spans. One may serve any number of graphs and runs.

    Args:
        tracer_provider: where the spans go, if not to the program's own provider.
    """

    def __init__(self, tracer_provider: TracerProvider | None = None) -> None:
        self._tracer = trace.get_tracer("graphrt", __version__, tracer_provider)
        self._runs: dict[str, _Run] = {}
        self._tasks: dict[tuple[str, str], Span] = {}
        self._stopped: OrderedDict[tuple[str, str], SpanContext] = OrderedDict()

    def on_event(self, event: Event, /) -> None:
        """Begin, mark or end a span."""
        match event:
            case GraphStarted():
                self._begin_graph(event)
            case GraphResumed():
                self._link(self._runs[event.run_id], event)
            case GraphEnded():
                self._end_graph(event)
            case TaskStarted():
                self._begin_task(event)
            case TaskEnded():
                self._end_task(event)
            case TaskRetried():
                self._tasks[event.run_id, event.task_id].add_event(
                    "retry",
                    {"attempt": event.attempt, "delay_s": event.delay_s, **_exception(event.error)},
                    self._at(event),
                )
            case TaskRestored(name=name, task_id=id):
                self._mark(event, "restored", {"node": name, "task_id": id})
            case StepCommitted(checkpoint_id=str(id), step=step):
                self._mark(event, "commit", {"step": step, "checkpoint_id": id})
            case _:
                pass

    # -- graphs --------------------------------------------------------------------------------------------------

    def _begin_graph(self, event: GraphStarted) -> None:
        outer = self._runs.get(event.parent_run_id or "")
        offset_ns = time_ns() - monotonic_ns() if outer is None else outer.offset_ns
        attributes: dict[str, Any] = {
            "graphrt.graph": event.graph,
            "graphrt.run_id": event.run_id,
            "graphrt.namespace": event.namespace,
            **{f"graphrt.metadata.{key}": value for key, value in event.metadata.items() if _is_plain(value)},
        }
        if event.tags:
            attributes["graphrt.tags"] = tuple(event.tags)
        place = None
        if event.thread_id is not None:
            attributes["graphrt.thread_id"] = event.thread_id
            place = (event.thread_id, event.namespace)
        around = self._inside(event.parent_run_id, event.parent_task_id)
        span = self._tracer.start_span(
            event.name, around, attributes=attributes, start_time=event.time_ns + offset_ns
        )
        self._runs[event.run_id] = _Run(span, offset_ns, place, outer)

    def _link(self, run: _Run, event: GraphResumed) -> None:
        """Point to the span in which the thread has stopped."""
        span = None if run.place is None else self._stopped.pop(run.place, None)
        if span is None and isinstance(stored := event.checkpoint_metadata.get(_LINK), str):
            carried = TraceContextTextMapPropagator().extract({_LINK: stored})
            span = trace.get_current_span(carried).get_span_context()
        if span is not None and span.is_valid:
            run.span.add_link(span, {"graphrt.link": "resumes"})
        run.span.add_event("resume", {"checkpoint_id": event.checkpoint_id}, self._at(event))

    def _end_graph(self, event: GraphEnded) -> None:
        run = self._runs.pop(event.run_id)
        outcome = "done"
        match event:
            case GraphFailed(error=error):
                outcome = _failed(run.span, error, known=error is run.failure)
                if run.outer is not None:
                    run.outer.failure = error
            case GraphInterrupted(interrupts=interrupts, reason=reason):
                outcome = "interrupted"
                ids = tuple([interrupt.id for interrupt in interrupts])
                run.span.add_event(
                    "interrupt", {"reason": reason, "interrupt_ids": ids}, event.time_ns + run.offset_ns
                )
            case _:
                pass
        if outcome != "done" and run.place is not None:
            self._stopped[run.place] = run.span.get_span_context()
            if len(self._stopped) > _REMEMBERED:
                self._stopped.popitem(last=False)
        run.span.set_attribute("graphrt.outcome", outcome)
        run.span.end(event.time_ns + run.offset_ns)

    # -- tasks ---------------------------------------------------------------------------------------------------

    def _begin_task(self, event: TaskStarted) -> None:
        run = self._runs[event.run_id]
        around: Context | None
        if event.parent_task_id is None:
            around = trace.set_span_in_context(run.span)
        else:
            around = self._inside(event.run_id, event.parent_task_id)
        attributes: dict[str, Any] = {
            "graphrt.node": event.name,
            "graphrt.step": event.step,
            "graphrt.task_id": event.task_id,
            "graphrt.run_id": event.run_id,
        }
        if event.tags:
            attributes["graphrt.tags"] = event.tags
        span = self._tracer.start_span(
            event.name, around, attributes=attributes, start_time=event.time_ns + run.offset_ns
        )
        self._tasks[event.run_id, event.task_id] = span
        context.attach(
            trace.set_span_in_context(span)
        )  # this is the task's own context: it need not be undone

    def _end_task(self, event: TaskEnded) -> None:
        span = self._tasks.pop((event.run_id, event.task_id))
        outcome = "done"
        match event:
            case TaskFailed(error=error):
                run = self._runs[event.run_id]
                outcome = _failed(span, error, known=error is run.failure)
                run.failure = error
            case TaskInterrupted(interrupts=interrupts):
                outcome = "interrupted"
                ids = tuple([interrupt.id for interrupt in interrupts])
                span.add_event("interrupt", {"interrupt_ids": ids}, self._at(event))
            case _:
                pass
        if event.attempt > 1:
            span.set_attribute("graphrt.attempts", event.attempt)
        span.set_attribute("graphrt.outcome", outcome)
        span.end(self._at(event))

    # -- both ----------------------------------------------------------------------------------------------------

    def _inside(self, run_id: str | None, task_id: str | None) -> Context | None:
        """Below the span that is current in a task: its own, or one that its function has opened.

        Code that loses its context, such as a thread of its own, is below the task.
        """
        span = self._tasks.get((run_id or "", task_id or ""))
        if span is None:
            return None
        current = trace.get_current_span().get_span_context()
        if current.is_valid and current.trace_id == span.get_span_context().trace_id:
            return None
        return trace.set_span_in_context(span)

    def _mark(self, event: Event, name: str, attributes: dict[str, Any]) -> None:
        self._runs[event.run_id].span.add_event(name, attributes, self._at(event))

    def _at(self, event: Event) -> int:
        return event.time_ns + self._runs[event.run_id].offset_ns


def _failed(span: Span, error: BaseException, *, known: bool = False) -> str:
    """Note on a span that it ended by an error, and, unless a span below it has it, which. The outcome."""
    if isinstance(error, CancelledError):
        return "cancelled"
    if not known:
        span.record_exception(error)
    span.set_status(Status(StatusCode.ERROR, f"{type(error).__name__}: {error}"))
    return "failed"


def _exception(error: BaseException) -> dict[str, str]:
    return {"exception.type": type(error).__qualname__, "exception.message": str(error)}


def _is_plain(value: object) -> bool:
    return isinstance(value, (str, bool, int, float))
