"""Random graphs do on the engine what they do on the reference interpreter, whatever order their nodes finish in.

Compared: the tasks of every superstep with their order, kind and input; the state after it; the checkpoints in the
stream and in the history; every chunk; and the end, be it values or an error.
"""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from hypothesis import event, given, reject, settings
from hypothesis import strategies as st

from graphrt.checkpoint.memory import InMemorySaver
from graphrt.types import StateSnapshot
from tests.property.model import KEYS, START, Program
from tests.property.programs import programs
from tests.property.reference import Checkpoint, Machine, Run, Superstep, Task
from tests.property.stage import Schedule, build, wrapped

MAX_TASKS = 50
"""Of one superstep: Sends that lead to Sends multiply quickly."""
SEEDS = st.integers(0, 1000)


@dataclass
class Step:
    """What the stream says about one superstep. Nodes may report in any order, so reports are sorted."""

    checkpoint: Any
    starts: list[Any] = field(default_factory=list)
    updates: list[Any] = field(default_factory=list)
    results: list[Any] = field(default_factory=list)
    values: Any = None


@dataclass
class Told:
    """A run as its stream tells it: `opening` is what comes before the first checkpoint."""

    opening: Any = None
    steps: list[Step] = field(default_factory=list)
    error: str | None = None


# ---- as the reference tells it


def expected_runs(program: Program, machine: Machine) -> list[Run]:
    runs: list[Run] = []
    for given in program.inputs:
        if given is None and runs[-1].errors - {"GraphRecursionError"}:
            break  # which siblings of a failed node have to run again depends on who had finished
        runs.append(machine.run(given))
        if any(len(step.tasks) > MAX_TASKS for step in runs[-1].supersteps):
            reject()
    return runs


def expected(run: Run, error: str | None) -> Told:
    return Told(run.opening, [expected_step(superstep) for superstep in run.supersteps], error)


def expected_step(superstep: Superstep) -> Step:
    tasks = [task for task in superstep.tasks if task.name != START]
    step = Step(told_checkpoint(superstep.checkpoint), [(t.name, kind(t), t.input) for t in tasks])
    if superstep.committed:
        step.updates = ordered({task.name: update(writes_of(task))} for task in tasks)
        step.results = ordered((task.name, result(writes_of(task))) for task in tasks)
        step.values = superstep.chunk
    return step


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


def told_checkpoint(checkpoint: Checkpoint) -> Any:
    return checkpoint.source, checkpoint.step, checkpoint.values, [task.name for task in checkpoint.tasks]


def kind(task: Task) -> str:
    return "PULL" if task.index is None else "PUSH"


def ordered(reports: Any) -> list[Any]:
    return sorted(reports, key=repr)


# ---- as the engine tells it


async def told(chunks: AsyncIterator[tuple[str, Any]], *, committed: int) -> Told:
    """The run that `chunks` report; what nodes report of a superstep that is not committed varies and is left out."""
    run = Told()
    try:
        async for mode, payload in chunks:
            take(run, mode, payload)
    except Exception as error:
        run.error = type(error).__name__
    for step in run.steps[committed:]:
        step.updates, step.results = [], []
    for step in run.steps:
        step.updates, step.results = ordered(step.updates), ordered(step.results)
    return run


def take(run: Told, mode: str, payload: Any) -> None:
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
            push = list(payload["triggers"]) == ["__pregel_push"]
            step.starts.append((payload["name"], "PUSH" if push else "PULL", payload["input"]))
        case _:
            step.results.append((payload["name"], payload["result"]))


def told_snapshot(snapshot: StateSnapshot) -> Any:
    """A snapshot of the history. It may list tasks in another order than the run had: LangGraph does."""
    assert snapshot.metadata is not None
    meta, paths = snapshot.metadata, sorted(task.path[:2] for task in snapshot.tasks)
    return meta["source"], meta["step"], snapshot.values, sorted(snapshot.next), paths


def expected_snapshot(checkpoint: Checkpoint) -> Any:
    source, step, values, names = told_checkpoint(checkpoint)
    paths = sorted(
        ("__pregel_pull", task.name) if task.index is None else ("__pregel_push", task.index)
        for task in checkpoint.tasks
    )
    return source, step, values, sorted(names), paths


# ---- the properties


async def check_on_a_thread(program: Program, seed: int) -> None:
    """Every chunk of every run, then the history."""
    machine = Machine(program)
    runs = expected_runs(program, machine)
    schedules = [Schedule(widths(run), seed=seed) for run in runs]
    current = iter(schedules)
    schedule = schedules[0]
    graph = build(program, lambda: schedule).compile(checkpointer=InMemorySaver(), strict=program.strict)
    config: Any = {"configurable": {"thread_id": "thread"}, "recursion_limit": program.limit}
    for run, given in zip(runs, program.inputs, strict=False):
        schedule = next(current)
        chunks = graph.astream(given, config, stream_mode=["tasks", "values", "updates", "checkpoints"])
        actual = await told(chunks, committed=sum(step.committed for step in run.supersteps))
        assert actual.error in (run.errors or {None})
        assert actual == expected(run, actual.error)
    history = [snapshot async for snapshot in graph.aget_state_history(config)]
    assert [told_snapshot(snapshot) for snapshot in reversed(history)] == [
        expected_snapshot(checkpoint) for checkpoint in machine.history
    ]


async def check_without_a_saver(program: Program, seed: int) -> None:
    """What the first run returns or raises."""
    run = expected_runs(program, Machine(program))[0]
    schedule = Schedule(widths(run), seed=seed)
    graph = build(program, lambda: schedule).compile(strict=program.strict)
    try:
        output = await graph.ainvoke(program.inputs[0], {"recursion_limit": program.limit})
    except Exception as error:
        assert type(error).__name__ in run.errors
    else:
        assert not run.errors
        assert output == run.output


def widths(run: Run) -> list[int]:
    """How many nodes each superstep runs: the start is none of them."""
    return [len(step.tasks) for step in run.supersteps if step.tasks and step.tasks[0].name != START]


@given(program=programs(turns=3), seed=SEEDS)
@settings(max_examples=300)
async def test_a_thread_is_told_as_the_reference_tells_it(program: Program, seed: int) -> None:
    await check_on_a_thread(program, seed)


@given(program=programs(), seed=SEEDS)
@settings(max_examples=200)
async def test_a_run_without_a_saver_returns_what_the_reference_returns(program: Program, seed: int) -> None:
    await check_without_a_saver(program, seed)


@given(program=programs(strict=True), seed=SEEDS)
@settings(max_examples=200)
async def test_a_strict_graph_refuses_what_the_reference_refuses(program: Program, seed: int) -> None:
    await check_on_a_thread(program, seed)
