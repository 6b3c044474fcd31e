"""Trees of what ran, from events and from spans: to be compared with each other, and with what was meant."""

from collections.abc import Sequence
from typing import Any, TypeAlias

from opentelemetry.sdk.trace import ReadableSpan

from graphrt.observers import (
    Event,
    GraphEnded,
    GraphFailed,
    GraphInterrupted,
    GraphStarted,
    TaskEnded,
    TaskFailed,
    TaskInterrupted,
    TaskStarted,
)

Tree: TypeAlias = "dict[str, Any]"
"""Names to what is inside them; a name that is not done has its outcome behind a colon."""


def outcome_of(event: Event) -> str:
    match event:
        case GraphFailed(error=error) | TaskFailed(error=error):
            return f":{type(error).__name__}"
        case GraphInterrupted() | TaskInterrupted():
            return ":interrupted"
        case _:
            return ""


def tree_of(events: Sequence[Event]) -> Tree:
    """What ran inside what, in the order in which it began."""
    outcomes: dict[Any, str] = {}
    for event in events:
        match event:
            case GraphEnded(run_id=run):
                outcomes[run] = outcome_of(event)
            case TaskEnded(run_id=run, task_id=task):
                outcomes.setdefault((run, task), outcome_of(event))
            case _:
                pass
    places: dict[Any, Tree] = {}
    tree: Tree = {}
    for event in events:
        match event:
            case GraphStarted(run_id=run, parent_run_id=outer, parent_task_id=task):
                where = tree if outer is None else places[outer, task]
                places[run] = where[_free(where, event.name + outcomes[run])] = {}
            case TaskStarted(run_id=run, task_id=task, parent_task_id=caller):
                where = places[run] if caller is None else places[run, caller]
                places[run, task] = where[_free(where, event.name + outcomes[run, task])] = {}
            case _:
                pass
    return tree


def span_tree(spans: Sequence[ReadableSpan]) -> Tree:
    """The same of spans."""
    places: dict[int, Tree] = {}
    tree: Tree = {}
    # Clocks may stand still for a moment, and a span begins before those inside it do: ids break no ties, depth does.
    waiting = sorted(spans, key=lambda span: span.start_time or 0)
    while waiting:
        for span in list(waiting):
            assert span.context is not None
            if span.parent is not None and span.parent.span_id not in places:
                continue
            waiting.remove(span)
            where = places[span.parent.span_id] if span.parent is not None else tree
            outcome = str(dict(span.attributes or {}).get("graphrt.outcome", "done"))
            error = (span.status.description or "").partition(":")[0] or "CancelledError"
            ending = {"done": "", "interrupted": ":interrupted"}.get(outcome, f":{error}")
            places[span.context.span_id] = where[_free(where, span.name + ending)] = {}
            break
        else:
            raise AssertionError(f"spans without their parents: {[span.name for span in waiting]}")
    return tree


def _free(where: Tree, name: str) -> str:
    while name in where:
        name += "'"
    return name


def assert_well_formed(events: Sequence[Event]) -> None:
    """Every start has one end, and nothing happens in a task or run before its start or after its end."""
    open_: set[Any] = set()
    for event in events:
        match event:
            case GraphStarted(run_id=run):
                open_.add(run)
            case GraphEnded(run_id=run):
                assert not [key for key in open_ if isinstance(key, tuple) and key[0] == run], (
                    "tasks outlive their run"
                )
                open_.remove(run)
            case TaskStarted(run_id=run, task_id=task):
                assert run in open_
                assert (run, task) not in open_
                open_.add((run, task))
            case TaskEnded(run_id=run, task_id=task):
                open_.remove((run, task))
            case _:
                assert event.run_id in open_
    assert not open_
    times = [event.time_ns for event in events if not isinstance(event, TaskEnded)]
    assert times == sorted(times)
