"""A run told the same way by both sides: by the engine's stream and history, by the reference's records."""

from collections import Counter
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import Any

from graphrt.types import StateSnapshot, StreamMode
from tests.property.model import KEYS, START
from tests.property.reference import Checkpoint, Run, Superstep, Task
from tests.property.stage import wrapped

MODES: tuple[StreamMode, ...] = ("tasks", "values", "updates", "checkpoints")


@dataclass
class Step:
    """What the stream says about one superstep. Nodes may report in any order, so their reports are sorted."""

    checkpoint: Any
    starts: list[Any] = field(default_factory=list[Any])
    updates: list[Any] = field(default_factory=list[Any])
    results: list[Any] = field(default_factory=list[Any])
    values: Any = None


@dataclass
class Told:
    """A run as its stream tells it: `opening` is the chunk before the first checkpoint."""

    opening: Any = None
    steps: list[Step] = field(default_factory=list[Step])
    error: str | None = None


# ---- by the reference


def expected(run: Run, error: str | None) -> Told:
    """`run` as the stream should tell it if it ends with `error`, one of those that it may end with."""
    return Told(run.opening, [expected_step(superstep) for superstep in run.supersteps], error)


def expected_step(superstep: Superstep) -> Step:
    tasks = [task for task in superstep.tasks if task.name != START]
    starts = [(task.name, "PULL" if task.index is None else "PUSH", task.input) for task in tasks]
    step = Step(expected_checkpoint(superstep.checkpoint), starts)
    if superstep.reported:
        step.updates = ordered({task.name: update(writes_of(task))} for task in tasks)
        step.results = ordered((task.name, result(writes_of(task))) for task in tasks)
        step.values = superstep.chunk
    return step


def expected_checkpoint(checkpoint: Checkpoint) -> Any:
    return checkpoint.source, checkpoint.step, checkpoint.values, [task.name for task in checkpoint.tasks]


def expected_snapshot(checkpoint: Checkpoint) -> Any:
    *_, names = start = expected_checkpoint(checkpoint)
    paths = sorted(
        ("__pregel_pull", task.name) if task.index is None else ("__pregel_push", task.index)
        for task in checkpoint.tasks
    )
    return *start[:3], sorted(names), paths


def writes_of(task: Task) -> list[tuple[str, Any]]:
    return [(key, wrapped(value)) for key, value in task.writes if key in KEYS]


def update(writes: list[tuple[str, Any]]) -> Any:
    """LangGraph J3."""
    if len(dict(writes)) < len(writes):
        return [{key: value} for key, value in writes]
    return dict(writes) or None


def result(writes: list[tuple[str, Any]]) -> dict[str, Any]:
    """LangGraph J6."""
    repeated = {key for key, times in Counter(key for key, _ in writes).items() if times > 1}
    gathered = {key: {"$writes": [value for name, value in writes if name == key]} for key in repeated}
    return {**dict(writes), **gathered}


def ordered(reports: Iterable[Any]) -> list[Any]:
    return sorted(reports, key=repr)


# ---- by the engine


async def told(chunks: AsyncIterator[Any], *, reported: int) -> Told:
    """The run that `chunks` report. What nodes report beside a failure varies, and is left out."""
    run = Told()
    try:
        async for mode, payload in chunks:
            take(run, mode, payload)
    except AssertionError:
        raise
    except Exception as error:
        run.error = type(error).__name__
    for step in run.steps[reported:]:
        step.updates, step.results = [], []
    for step in run.steps:
        step.updates, step.results = ordered(step.updates), ordered(step.results)
    return run


def take(run: Told, mode: str, payload: Any) -> None:
    """Add a chunk to what is told, which also checks the order of chunks in a superstep (LangGraph J10)."""
    if mode == "checkpoints":
        meta = payload["metadata"]
        run.steps.append(Step((meta["source"], meta["step"], payload["values"], list(payload["next"]))))
        return
    if not run.steps:
        assert mode == "values" and run.opening is None, f"{mode} before the first checkpoint"
        run.opening = payload
        return
    step = run.steps[-1]
    assert step.values is None, f"{mode} after the values of the superstep"
    match mode:
        case "values":
            step.values = payload
        case "updates":
            step.updates.append(payload)
        case "tasks" if "input" in payload:
            assert not step.updates and not step.results, "a task started after another one had finished"
            pushed = list(payload["triggers"]) == ["__pregel_push"]
            step.starts.append((payload["name"], "PUSH" if pushed else "PULL", payload["input"]))
        case _:
            step.results.append((payload["name"], payload["result"]))


def told_snapshot(snapshot: StateSnapshot) -> Any:
    """A snapshot of the history. Its tasks are sorted: LangGraph lists them in the order of definition there."""
    assert snapshot.metadata is not None
    meta, paths = snapshot.metadata, sorted(task.path[:2] for task in snapshot.tasks)
    return meta["source"], meta["step"], snapshot.values, sorted(snapshot.next), paths
