"""A cache changes nothing but what runs: same outcome, same history, whatever the program (LangGraph R2, R3)."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from graphrt.cache import InMemoryCache
from graphrt.checkpoint.memory import InMemorySaver
from graphrt.types import CachePolicy
from tests.property.model import Program
from tests.property.programs import programs, strolls
from tests.property.stage import Schedule, build
from tests.property.telling import told_snapshot
from tests.property.test_express import outcome, refuse_if_too_wide


class Counted(Schedule):
    """Counts the nodes that run."""

    def __init__(self) -> None:
        super().__init__([], seed=0)
        self.ran = 0

    async def turn(self) -> None:
        self.ran += 1
        await super().turn()


def graph_of(program: Program, strict: bool, schedule: Schedule, cache: Any) -> Any:
    builder = build(program, lambda: schedule).set_node_defaults(cache_policy=CachePolicy())
    return builder.compile(strict=strict, cache=cache)


async def history(graph: Any, program: Program, *, watched: bool) -> Any:
    """What each input comes to on a new thread, and all snapshots of that."""
    graph = graph.copy({"checkpointer": InMemorySaver()})
    outcomes = [await outcome(graph, given, program.limit, watched=watched) for given in program.inputs]
    config: Any = {"configurable": {"thread_id": "thread"}}
    return outcomes, [told_snapshot(snapshot) async for snapshot in graph.aget_state_history(config)]


@given(program=programs(turns=2) | strolls(turns=2), strict=st.booleans(), watched=st.booleans())
@settings(max_examples=80)
async def test_hits_leave_the_same_history_as_runs(program: Program, strict: bool, watched: bool) -> None:
    refuse_if_too_wide(program)
    expected = await history(graph_of(program, strict, Counted(), None), program, watched=watched)
    schedule = Counted()
    graph = graph_of(program, strict, schedule, InMemoryCache())
    assert await history(graph, program, watched=watched) == expected
    schedule.ran = 0
    assert await history(graph, program, watched=not watched) == expected
    failed = any(isinstance(end, str) for end in expected[0])
    assert failed or schedule.ran == 0
