"""`graphrt run --profile`: where the time went."""

from collections.abc import Callable
from pathlib import Path

import pytest

from graphrt.cli.profile import Profile
from graphrt.cli.tables import profile_summary, profile_table
from graphrt.observers import GraphEnded, GraphStarted, StepCommitted, StepStarted, TaskEnded, TaskStarted
from tests.cli.conftest import Graphrt

Program = Callable[..., Path]


def test_the_report_is_the_line_before_the_result(program: Program, graphrt_cli: Graphrt):
    program()
    ended = graphrt_cli("run", "graphs.py:graph", "--input", '{"n": 1}', "--profile")
    assert [line["type"] for line in ended.lines] == ["updates", "profile", "result"]
    report = ended.lines[1]["data"]
    assert (report["steps"], report["commits"]) == (2, 0)
    assert [(node["node"], node["count"], node["failed"]) for node in report["nodes"]] == [("node", 1, 0)]


def test_without_the_option_there_is_none(program: Program, graphrt_cli: Graphrt):
    program()
    ended = graphrt_cli("run", "graphs.py:graph", "--input", '{"n": 1}')
    assert [line["type"] for line in ended.lines] == ["updates", "result"]


def test_with_storage_it_says_what_that_took(program: Program, graphrt_cli: Graphrt):
    program()
    ended = graphrt_cli("run", "graphs.py:remembering", "--input", '{"n": 1}', "--thread", "t", "--profile")
    report = ended.lines[-2]["data"]
    assert report["commits"] == 2
    assert 0 < report["storage_s"] < report["total_s"]


def test_a_run_that_fails_has_a_report_too(program: Program, graphrt_cli: Graphrt):
    program()
    ended = graphrt_cli("run", "graphs.py:failing", "--input", '{"n": 1}', "--profile")
    assert ended.code == 1
    assert [line["type"] for line in ended.lines] == ["profile", "error"]
    assert [node["failed"] for node in ended.lines[0]["data"]["nodes"]] == [1]


# ---- adding up


@pytest.fixture
def profile() -> Profile:
    """A run of 100 ns: two tasks of `a` that overlap, and between them and the end a wait for storage and stream."""
    profile = Profile()
    here = {"run_id": "r", "graph": "g", "namespace": ""}
    task = {**here, "step": 1, "parent_task_id": None, "name": "a"}
    more = {"input": None, "triggers": (), "metadata": {}, "tags": ()}
    graph = {
        "root_run_id": "r",
        "parent_run_id": None,
        "parent_task_id": None,
        "name": "g",
        "thread_id": None,
    }
    for event in [
        GraphStarted(**here, **graph, time_ns=0, input=None, metadata={}, tags=()),
        StepStarted(**here, time_ns=10, step=1, nodes=("a", "a"), waited_ns=5),
        TaskStarted(**task, **more, time_ns=10, task_id="1"),
        TaskStarted(**task, **more, time_ns=20, task_id="2"),
        TaskEnded(**task, time_ns=40, task_id="1", started_ns=10),
        TaskEnded(**task, time_ns=50, task_id="2", started_ns=20),
        StepCommitted(**here, time_ns=70, step=1, checkpoint_id="c", stored_ns=20),
        GraphEnded(**here, time_ns=100, stored_ns=30),
    ]:
        profile.on_event(event)
    return profile


def test_time_in_which_several_nodes_run_counts_once(profile: Profile):
    assert (profile.total_ns, profile.nodes_ns, profile.storage_ns, profile.stream_ns) == (100, 40, 30, 5)
    assert profile.engine_ns == 100 - 40 - 30 - 5


def test_a_nodes_time_is_that_of_all_its_tasks(profile: Profile):
    (node,) = profile.report()["nodes"]
    assert node == {"node": "a", "count": 2, "total_s": 60e-9, "max_s": 30e-9, "failed": 0, "retries": 0}


def test_nodes_of_graphs_inside_are_named_by_the_way_to_them(program: Program, graphrt_cli: Graphrt):
    program("""
        inner = one(add_one).compile()
        graph = StateGraph(State).add_node("child", inner).add_edge(START, "child")
    """)
    ended = graphrt_cli("run", "graphs.py:graph", "--input", '{"n": 1}', "--profile")
    names = {node["node"] for node in ended.lines[-2]["data"]["nodes"]}
    assert names == {"child", "child/node"}


def test_for_people_it_is_a_table_and_a_line(profile: Profile):
    report = profile.report()
    table = profile_table(report)
    assert [[str(cell) for cell in column.cells] for column in table.columns][:2] == [["a"], ["2"]]
    assert "in 1 steps" in profile_summary(report).plain
    assert "in 1 commits" in profile_summary(report).plain
