"""The express way leads where the general way leads: same outcome, same history, whatever the program.

A run that somebody watches takes the general way, one that nobody watches the express way as far as it can.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from hypothesis import given, reject, settings
from hypothesis import strategies as st

from graphrt.checkpoint.memory import InMemorySaver
from graphrt.core import book, recording
from graphrt.engine import journal
from tests.property.model import Program
from tests.property.programs import programs, strolls
from tests.property.reference import Machine, TooWide
from tests.property.stage import Schedule, build
from tests.property.telling import told_snapshot


@given(program=programs(turns=2) | strolls(turns=2), strict=st.booleans())
@settings(max_examples=80)
async def test_watched_and_unwatched_runs_leave_the_same_history(program: Program, strict: bool) -> None:
    refuse_if_too_wide(program)
    assert await history(program, strict, watched=False) == await history(program, strict, watched=True)


@given(program=programs(turns=2) | strolls(turns=2), strict=st.booleans())
@settings(max_examples=80)
async def test_values_that_are_stored_in_parts_leave_the_same_history(program: Program, strict: bool) -> None:
    refuse_if_too_wide(program)
    with no_value_is_small():
        in_parts = await history(program, strict, watched=False)
    assert in_parts == await history(program, strict, watched=True)


@contextmanager
def no_value_is_small() -> Iterator[None]:
    """Every value is stored as large ones are."""
    with ExitStack() as stack:
        for module in (book, recording, journal):
            stack.enter_context(patch.object(module, "SMALL", 0))
        yield


@given(program=programs() | strolls(), strict=st.booleans())
@settings(max_examples=60)
async def test_storage_does_not_change_what_a_run_comes_to(program: Program, strict: bool) -> None:
    refuse_if_too_wide(program)
    stored = await history(program, strict, watched=False, turns=1)
    plain = await outcome(graph_of(program, strict, None), program.inputs[0], program.limit, watched=False)
    assert plain == stored[0][0]


def refuse_if_too_wide(program: Program) -> None:
    """Sends that lead to Sends may come to more tasks than anybody wants to wait for."""
    machine = Machine(program)
    try:
        for given in program.inputs:
            machine.run(given)
    except TooWide:
        reject()


async def history(program: Program, strict: bool, *, watched: bool, turns: int | None = None) -> Any:
    """What each input came to, and all snapshots of the thread."""
    graph = graph_of(program, strict, InMemorySaver())
    outcomes = [
        await outcome(graph, given, program.limit, watched=watched) for given in program.inputs[:turns]
    ]
    config: Any = {"configurable": {"thread_id": "thread"}}
    return outcomes, [told_snapshot(snapshot) async for snapshot in graph.aget_state_history(config)]


def graph_of(program: Program, strict: bool, saver: Any) -> Any:
    return build(program, lambda: Schedule([], seed=0)).compile(checkpointer=saver, strict=strict)


async def outcome(graph: Any, given: Any, limit: int, *, watched: bool) -> Any:
    config: Any = {"configurable": {"thread_id": "thread"}, "recursion_limit": limit}
    try:
        if not watched:
            return await graph.ainvoke(given, config)
        async for _ in graph.astream(given, config, stream_mode="tasks"):
            pass
        return (await graph.aget_state(config)).values
    except Exception as error:
        return type(error).__name__
