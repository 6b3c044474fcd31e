"""Joins that a run left waiting."""

import pytest

from graphrt.core.joins import check_joins
from graphrt.errors import IncompleteJoinError
from graphrt.types import Command
from tests.unit.core_world import Log, begin, graph, returns, says, steps


def ended(*, goto: list[str], deferred: str = "", strict: bool = True):
    """The state of a run that ended: `r` chose which of a, b and c ran, and j joins them."""
    builder = graph(
        Log,
        returns("r", Command(goto=goto)),
        *map(says, "abcj"),
        paths=["START r", "a+b+c j"],
        deferred=deferred,
    )
    state = begin(builder.compile(strict=strict).plan)
    steps(state)
    return state


@pytest.mark.parametrize("deferred", ["", "j"])
def test_join_that_has_some_of_its_starts_only_is_an_error(deferred):
    with pytest.raises(
        IncompleteJoinError, match="node 'j' waited for b: only a, c of its join ran"
    ) as caught:
        check_joins(ended(goto=["a", "c"], deferred=deferred))
    assert (caught.value.join, caught.value.arrived, caught.value.missing) == ("j", ("a", "c"), ("b",))


@pytest.mark.parametrize("goto", [["a", "b", "c"], []], ids=["complete", "not begun"])
@pytest.mark.parametrize("deferred", ["", "j"])
def test_join_that_ran_or_was_not_begun_is_fine(goto, deferred):
    check_joins(ended(goto=goto, deferred=deferred))


def test_join_may_wait_for_another_run_when_lenient():
    check_joins(ended(goto=["a"], strict=False))
