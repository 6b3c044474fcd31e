"""The cases of nesting, asking, tasks and looking back run on graphrt, and prove by their answers that they did."""

import pytest

from bench.cases import BY_NAME, Case, Door
from bench.contestants import agentcore, floor, graphrt, graphrt_memory
from bench.contestants.contract import Contestant, NotOfferedError
from bench.measure import QUICK, measure, prepare

SHAPES = {
    *("subgraph_fan_out", "nested", "ask", "pipeline", "gathering", "get_state", "history"),
    *("events", "tokens", "messages"),
}
CASES = [case for case in BY_NAME.values() if case.shape in SHAPES]
ROWS = [pytest.param(case, door, id=f"{case.name}-{door}") for case in CASES for door in case.doors]


def taken(contestant: Contestant, case: Case, door: Door) -> int | str:
    """How many samples were taken, or why none was."""
    try:
        return len(measure(contestant, case, door, QUICK).seconds)
    except NotOfferedError as reason:
        return str(reason)


@pytest.mark.parametrize("case, door", ROWS)
def test_graphrt_with_threads_takes_every_case(case: Case, door: Door) -> None:
    assert taken(graphrt_memory.contestant(), case, door) == 1


@pytest.mark.parametrize("case, door", ROWS)
def test_without_threads_what_needs_one_is_not_offered(case: Case, door: Door) -> None:
    wanted = {"ask", "get_state", "history"}
    expected: object = "there is no thread without a checkpointer" if case.shape in wanted else 1
    assert taken(graphrt.contestant(), case, door) == expected


@pytest.mark.parametrize("case, door", ROWS)
def test_the_floor_does_by_hand_what_leaves_nothing_behind(case: Case, door: Door) -> None:
    by_hand = {"subgraph_fan_out", "nested", "pipeline", "gathering", "events", "tokens"}
    assert isinstance(taken(floor.contestant(), case, door), int) is (case.shape in by_hand)


def test_a_shape_that_a_contestant_has_not_is_not_offered() -> None:
    bare: Contestant = object.__new__(agentcore.AgentCore)  # its package need not be installed
    with pytest.raises(NotOfferedError, match="not written for it"):
        prepare(bare, BY_NAME["nested_5"], "async")
