"""Names of checkpoints and tasks: ordered, unique, the same whenever they are worked out (LangGraph F1-F4, F7)."""

import re
from itertools import pairwise
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphrt.core.ids import (
    CheckpointIds,
    lasting,
    path_text,
    task_id,
    task_namespace,
    task_triggers,
    tick_of,
)
from graphrt.core.planning import plan_step
from graphrt.types import Command, Send
from tests.unit.core_world import Log, begin, graph, returns, says, step

nodes = st.integers(0, 2**48 - 1)
# From 1970 to 2500; a clock may stand still and go back.
clocks = st.lists(st.integers(0, 16_700_000_000_000_000_000), min_size=1, max_size=30)
slow_clocks = st.lists(
    st.integers(1_700_000_000_000_000_000, 1_700_000_000_000_100_000), min_size=2, max_size=30
)


# ---- checkpoint ids


@given(nodes, clocks | slow_clocks)
def test_checkpoint_ids_sort_as_they_were_made_and_never_repeat(node, times):
    ids = CheckpointIds(node)
    made = [ids.next(now) for now in times]
    assert all(a < b for a, b in pairwise(made))


@given(nodes, nodes, clocks, st.integers(0, 16_700_000_000_000_000_000))
def test_checkpoint_ids_of_the_next_run_sort_after_those_of_the_last(node, other, times, now):
    last = [CheckpointIds(node).next(time) for time in times][-1]
    assert CheckpointIds(other, last).next(now) > last


@given(
    nodes, st.lists(st.integers(0, 16_700_000_000_000_000_000 // 100), unique=True, min_size=2, max_size=20)
)
def test_checkpoint_ids_of_different_times_sort_by_time(node, ticks):
    made = {CheckpointIds(node).next(tick * 100): tick for tick in ticks if tick}
    assert [made[identity] for identity in sorted(made)] == sorted(tick for tick in ticks if tick)


@given(nodes, st.integers(1, 16_700_000_000_000_000_000 // 100))
def test_checkpoint_id_tells_the_time_it_was_made_at(node, tick):
    assert tick_of(CheckpointIds(node).next(tick * 100 + 99)) == tick


@given(nodes, clocks)
def test_checkpoint_ids_are_uuids_of_version_6(node, times):
    ids = CheckpointIds(node)
    for now in times:
        identity = UUID(made := ids.next(now))
        assert (identity.version, identity.variant, str(identity)) == (6, RFC_4122, made)
        assert identity.node == node


@given(st.sets(nodes, min_size=2, max_size=10), st.integers(0, 16_700_000_000_000_000_000))
def test_runs_that_begin_at_the_same_moment_make_different_ids(several, now):
    assert len({CheckpointIds(node).next(now) for node in several}) == len(several)


# ---- tasks


@pytest.fixture
def tasks():
    """Two Sends to the same node, and two triggered nodes."""
    router = returns("router", Command(goto=[Send("b", 1), Send("b", 2)]))
    state = begin(graph(Log, router, *map(says, "ab"), paths=["START router a", "router b"]).compile().plan)
    step(state)
    return plan_step(state, None)


def names(tasks, checkpoint="c", namespace="", step=1):
    return [task_id(task, checkpoint=checkpoint, namespace=namespace, step=step) for task in tasks]


def test_task_ids_are_the_same_whenever_they_are_worked_out(tasks):
    assert names(tasks) == names(tasks)


def test_tasks_of_one_step_have_different_ids(tasks):
    assert len(set(names(tasks))) == len(tasks) == 4


@pytest.mark.parametrize("other", [{"checkpoint": "d"}, {"namespace": "n"}, {"step": 2}])
def test_task_ids_depend_on_checkpoint_namespace_and_step(tasks, other):
    assert set(names(tasks)).isdisjoint(names(tasks, **other))


def test_task_ids_have_the_form_of_uuids(tasks):
    assert all(str(UUID(name)) == name for name in names(tasks))


def test_task_namespaces_name_every_level(tasks):
    assert re.fullmatch("a:[0-9a-f-]{36}", task_namespace(tasks[2], namespace="", step=1))
    assert re.fullmatch(r"outer:1\|a:[0-9a-f-]{36}", task_namespace(tasks[2], namespace="outer:1", step=1))


def test_task_namespaces_differ_by_place_and_step(tasks):
    found = {task_namespace(task, namespace="", step=step) for task in tasks for step in (1, 2)}
    assert len(found) == 2 * len(tasks)


def test_lasting_namespaces_have_no_places():
    assert lasting("a:1|b:2|3|c:4") == "a|b|3|c"


def test_triggers_of_a_task_are_what_can_start_its_kind(tasks):
    assert task_triggers(tasks[0]) == ("__pregel_push",)
    assert task_triggers(tasks[2]) == ("branch:to:a",)


node_names = st.text(
    st.characters(blacklist_characters="|:", blacklist_categories=["Cs"]), min_size=1, max_size=5
).filter(lambda name: not name.startswith("__"))


@given(st.sets(node_names, min_size=1, max_size=6), st.integers(0, 12))
def test_paths_sort_as_tasks_do(nodes, sends):
    """LangGraph E1, F3: triggered nodes by name, then Sends in order."""
    target = min(nodes)
    router = returns("router", Command(goto=[Send(target, n) for n in range(sends)] + sorted(nodes)))
    state = begin(
        graph(Log, router, *map(says, sorted(nodes - {"router"})), paths=["START router"]).compile().plan
    )
    step(state)
    paths = {path_text(task): task for task in plan_step(state, None)}
    ordered = [paths[path] for path in sorted(paths)]
    assert [task.node.name for task in ordered if task.index < 0] == sorted(nodes)
    assert [task.input for task in ordered[len(nodes) :]] == list(range(sends))
