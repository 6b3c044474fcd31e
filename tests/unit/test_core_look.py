"""Reading a thread without running it, also with a graph that has changed since (LangGraph N1, N3)."""

from typing import Any

import pytest

from graphrt.checkpoint import ChannelData, TaskResult
from graphrt.core.ids import path_text
from graphrt.core.looking import Onlooker
from graphrt.core.planning import plan_step
from graphrt.core.recording import result_record
from graphrt.core.sight import Sight
from graphrt.errors import GraphValidationError
from graphrt.types import PregelTask
from tests.unit.core_world import (
    Cells,
    Log,
    Thread,
    begin,
    due,
    graph,
    kept,
    returns,
    run,
    says,
    serializer,
    step,
    values,
)


def look(plan: Any, thread: Thread, *, live: bool = True) -> Any:
    read = serializer.rereader().read
    onlooker = Onlooker(
        Sight.of(plan), read, serializer.loads_grown_raw, serializer.loads_raw, thread="t", namespace=""
    )
    return onlooker.look(thread.stored, live=live)


# ---- a graph that has changed since


def before_the_change() -> Thread:
    """A thread that waits for node `b` and holds a value for `log`."""
    state = begin(graph(Log, *map(says, "ab"), paths=["START a b"]).compile().plan)
    step(state)
    return kept(state)


def test_thread_that_waits_for_a_node_that_is_gone_cannot_be_run():
    plan = graph(Log, *map(says, ["a", "bb"]), paths=["START a bb"]).compile().plan
    with pytest.raises(GraphValidationError, match=r"waits for node 'b', .*Did you mean 'bb'\?"):
        before_the_change().restore(plan)


def test_thread_that_waits_for_a_node_that_is_gone_can_be_run_when_lenient():
    plan = graph(Log, says("a"), paths=["START a"]).compile(strict=False).plan
    assert due(before_the_change().restore(plan)) == []


def test_thread_that_waits_for_a_node_that_is_gone_can_be_looked_at():
    plan = graph(Log, says("a"), paths=["START a"]).compile().plan
    assert look(plan, before_the_change()).values == {"log": ["a"]}


def test_channels_that_are_gone_are_left_alone_and_new_ones_begin_empty():
    plan = graph(Cells, *(returns(name, None) for name in "ab"), paths=["START a b"]).compile().plan
    assert values(before_the_change().restore(plan)) == {"log": ["a"]}


# ---- looking at a thread


@pytest.fixture
def halfway() -> tuple[Any, Thread]:
    """A step of which `a` has finished, `b` has failed and `c` is not heard of; `a` leads to `d`."""
    state = begin(graph(Log, *map(says, "abcd"), paths=["START a d", "START b", "START c"]).compile().plan)
    thread = kept(state)
    a, b, _ = (run(state, task) for task in plan_step(state, None))
    thread.results = [
        result_record(state.plan, a, serializer.dumps),
        TaskResult(path_text(b), "b", error="ValueError('no')"),
    ]
    return state.plan, thread


def test_live_look_shows_what_finished_tasks_have_written(halfway):
    shown = look(*halfway)
    assert (shown.values, shown.next) == ({"log": ["a"]}, ("b", "c"))


def test_record_shows_the_step_as_it_began(halfway):
    shown = look(*halfway, live=False)
    assert (shown.values, shown.next) == ({"log": []}, ("a", "b", "c"))


@pytest.mark.parametrize("live", [True, False])
def test_look_shows_results_and_errors_of_tasks(halfway, live):
    a, b, c = look(*halfway, live=live).tasks
    assert isinstance(a, PregelTask)
    assert [(task.name, task.result, task.error) for task in (a, b, c)] == [
        ("a", {"log": ["a"]}, None),
        ("b", None, "ValueError('no')"),
        ("c", None, None),
    ]
    assert a.path == ("__pregel_pull", "a")
    assert len({a.id, b.id, c.id}) == 3


def test_looking_shows_the_same_ids_every_time(halfway):
    assert [task.id for task in look(*halfway).tasks] == [task.id for task in look(*halfway).tasks]


@pytest.mark.parametrize("live", [True, False])
def test_look_applies_a_command_that_was_given_as_input(live):
    state = begin(graph(Log, *map(says, "ab"), paths=["START a"]).compile().plan)
    thread = kept(state)
    thread.results = [TaskResult("", "", (ChannelData("log", serializer.dumps(["by hand"])),))]
    shown = look(state.plan, thread, live=live)
    assert (shown.values, shown.next) == ({"log": ["by hand"]}, ("a",))
