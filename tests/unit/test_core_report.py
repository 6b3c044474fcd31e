"""What streams and snapshots say about tasks and states (LangGraph J2, J3, J6, N3)."""

from typing import Any

import pytest

from graphrt.core.commit import commit
from graphrt.core.planning import plan_step
from graphrt.core.report import (
    has_written,
    result_of,
    select,
    task_finished,
    task_started,
    update_of,
    values_of,
)
from graphrt.errors import GraphValidationError
from graphrt.graph import END
from graphrt.types import Command
from tests.unit.core_world import Cells, Log, begin, graph, returns, run, says, step


def finished(output: Any, keys: Any = None) -> tuple[Any, Any]:
    """A task that returned `output`, and the selection of `keys`."""
    plan = graph(Cells, returns("n", output), paths=["START n"]).compile().plan
    state = begin(plan)
    (task,) = plan_step(state, None)
    return run(state, task), select(plan, keys, plan.stream)


# ---- values


@pytest.mark.parametrize(
    "keys, shown",
    [(None, {"last": 1, "log": []}), (["log"], {"log": []}), ("last", 1), ("once", None), (["once"], {})],
)
def test_values_are_those_that_are_available(keys, shown):
    plan = graph(Cells, returns("n", {"last": 1}), paths=["START n"]).compile().plan
    state = begin(plan)
    step(state)
    assert values_of(state, select(plan, keys, plan.stream)) == shown


def test_key_that_does_not_exist_is_an_error_that_guesses_what_was_meant():
    plan = graph(Cells, returns("n", None), paths=["START n"]).compile().plan
    with pytest.raises(
        GraphValidationError, match=r"'lost', which graph 'graphrt' does not have. Did you mean 'last'\?"
    ):
        select(plan, ["lost"], plan.stream)


@pytest.mark.parametrize("keys, written", [(None, True), ("last", True), (["log", "any"], False)])
def test_values_are_news_when_a_task_wrote_one_of_them(keys, written):
    plan = graph(Cells, returns("n", {"last": 1}), paths=["START n"]).compile().plan
    state = begin(plan)
    tasks = [run(state, task) for task in plan_step(state, None)]
    commit(state, tasks)
    assert has_written(state, tasks, select(plan, keys, plan.stream)) is written


# ---- updates


@pytest.mark.parametrize(
    "output, keys, update",
    [
        ({"last": 1, "log": [2]}, None, {"last": 1, "log": [2]}),
        ({"last": 1, "log": [2]}, ["log"], {"log": [2]}),
        ({"last": 1}, "last", 1),
        ({"last": 1}, "log", None),
        (None, None, None),
        ({}, None, None),
        ([Command(update={"log": [1]}), {"log": [2]}], None, [{"log": [1]}, {"log": [2]}]),
        ([Command(update={"log": [1]}), {"log": [2]}], "log", [[1], [2]]),
        (Command(update={"last": 1}, goto=END), None, {"last": 1}),
    ],
)
def test_update_is_what_a_task_wrote(output, keys, update):
    assert update_of(*finished(output, keys)) == update


def test_update_shows_no_control_writes():
    plan = graph(Log, *map(says, "abj"), paths=["START a", "START b", "a+b j"]).compile().plan
    state = begin(plan)
    task = run(state, plan_step(state, None)[0])
    assert update_of(task, select(plan, None, plan.stream)) == {"log": ["a"]}


# ---- tasks


def test_task_that_starts_shows_its_input_and_triggers():
    plan = graph(Log, says("n"), paths=["START n"]).compile().plan
    (task,) = plan_step(begin(plan, {"log": ["in"]}), None)
    assert task_started(task, "id") == {
        "id": "id",
        "name": "n",
        "input": {"log": ["in"]},
        "triggers": ("branch:to:n",),
    }


def test_task_that_starts_shows_its_nodes_metadata():
    builder = graph(Log, paths=["START n"]).add_node("n", lambda state: None, metadata={"team": "a"})
    (task,) = plan_step(begin(builder.compile().plan), None)
    assert task_started(task, "id")["metadata"] == {"team": "a"}


def test_task_that_ended_shows_its_result():
    task, selection = finished({"last": 1})
    assert task_finished(task, "id", selection, None) == {
        "id": "id",
        "name": "n",
        "error": None,
        "result": {"last": 1},
        "interrupts": [],
    }


def test_task_that_failed_shows_its_error():
    task, selection = finished(None)
    error = ValueError("no")
    assert task_finished(task, "id", selection, error)["error"] is error


@pytest.mark.parametrize(
    "output, result",
    [
        (None, {}),
        ([Command(update={"log": [n]}) for n in range(3)], {"log": {"$writes": [[0], [1], [2]]}}),
        ({"last": {"$writes": [1]}}, {"last": {"$writes": [1]}}),
    ],
)
def test_result_shows_repeated_writes_as_such(output, result):
    assert result_of(*finished(output)) == result
