"""Random graphs do on the engine what they do on the reference interpreter, whatever order their nodes finish in.

Compared: the tasks of every superstep with their order, kind and input; the state after it; the checkpoints in the
stream and in the history; every chunk; and the end, be it values or an error.
"""

from collections.abc import Awaitable
from typing import Any

from hypothesis import Phase, given, reject, settings
from hypothesis import strategies as st

from graphrt.checkpoint.memory import InMemorySaver
from tests.property.model import START, Program
from tests.property.programs import programs
from tests.property.reference import Machine, Run, TooWide
from tests.property.stage import Schedule, build
from tests.property.telling import MODES, expected, expected_snapshot, told, told_snapshot

SEEDS = st.integers(0, 1000)
thoroughly = settings(
    max_examples=max(150, settings().max_examples),  # `--hypothesis-profile=explore` asks for many more
    phases=set(Phase) - {Phase.explain},  # which takes as long as all the rest, to say little about a program
)


@given(program=programs(turns=3), seed=SEEDS)
@thoroughly
async def test_a_thread_is_told_as_the_reference_tells_it(program: Program, seed: int) -> None:
    await check_on_a_thread(program, seed)


@given(program=programs(strict=True), seed=SEEDS)
@thoroughly
async def test_a_strict_graph_refuses_what_the_reference_refuses(program: Program, seed: int) -> None:
    await check_on_a_thread(program, seed)


@given(program=programs(), seed=SEEDS)
@thoroughly
async def test_a_run_without_a_saver_returns_what_the_reference_returns(program: Program, seed: int) -> None:
    await check_without_a_saver(program, seed)


async def check_on_a_thread(program: Program, seed: int) -> None:
    """Every chunk of every run, then the history."""
    machine = Machine(program)
    runs = runs_of(program, machine)
    schedules = [Schedule(widths(run), seed=seed) for run in runs]
    turn = 0
    graph = build(program, lambda: schedules[turn]).compile(
        checkpointer=InMemorySaver(), strict=program.strict
    )
    config: Any = {"configurable": {"thread_id": "thread"}, "recursion_limit": program.limit}
    for turn, run in enumerate(runs):
        chunks = graph.astream(program.inputs[turn], config, stream_mode=[*MODES])
        actual = await told(chunks, reported=sum(step.reported for step in run.supersteps))
        assert actual.error in run.endings
        assert actual == expected(run, actual.error)
    history = [snapshot async for snapshot in graph.aget_state_history(config)]
    assert [told_snapshot(snapshot) for snapshot in reversed(history)] == [
        expected_snapshot(checkpoint) for checkpoint in machine.history
    ]


async def check_without_a_saver(program: Program, seed: int) -> None:
    """What the first run returns or raises."""
    run = runs_of(program, Machine(program))[0]
    schedule = Schedule(widths(run), seed=seed)
    graph = build(program, lambda: schedule).compile(strict=program.strict)
    config: Any = {"recursion_limit": program.limit}
    output, error = await outcome(graph.ainvoke(program.inputs[0], config))
    assert error in run.endings
    assert output == (None if run.errors else run.supersteps[-1].checkpoint.values)


def runs_of(program: Program, machine: Machine) -> list[Run]:
    """What the reference makes of the program's inputs."""
    runs: list[Run] = []
    for turn in program.inputs:
        if turn is None and runs[-1].errors - {"GraphRecursionError"}:
            break  # which siblings of a failed node have to run again depends on who had finished
        try:
            runs.append(machine.run(turn))
        except TooWide:
            reject()
    return runs


def widths(run: Run) -> list[int]:
    """How many nodes each superstep runs: the start is none of them."""
    return [len(step.tasks) for step in run.supersteps if step.tasks and step.tasks[0].name != START]


async def outcome(run: Awaitable[Any]) -> tuple[Any, str | None]:
    try:
        return await run, None
    except Exception as error:
        return None, type(error).__name__
