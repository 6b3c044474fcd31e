"""What an edit means: as which node it acts, what it makes of the state, what a copy stores (LangGraph N5-N8)."""

from typing import Any

import pytest

from graphrt.checkpoint import ChannelData, Checkpoint, Stored, TaskResult
from graphrt.core.editing import acting_node, apply_edit, edit_tasks, finish_step, parts_beyond
from graphrt.core.ids import path_text, task_id
from graphrt.core.state import State, Task
from graphrt.errors import InvalidUpdateError, UnknownTargetError
from graphrt.types import Send
from tests.unit.core_world import (
    Log,
    begin,
    changed,
    due,
    give,
    graph,
    returns,
    run,
    says,
    serializer,
    step,
    values,
)


class Owner:
    """Knows the ids of tasks, and nothing else."""

    def identify(self, task: Task) -> str:
        return task_id(task, checkpoint="c", namespace="", step=1)


def fork() -> State:
    """`a` and `b` have run, their join `c` is due, `z` waits until nothing else is left."""
    builder = graph(Log, *map(says, "abcz"), paths=["START a", "START b", "a+b c", "START z"], deferred="z")
    state = begin(builder.compile().plan)
    step(state)
    return state


def edit(state: State, *updates: tuple[str, Any]) -> list[Task]:
    """Edits applied to the state, as their tasks."""
    owner: Any = Owner()
    tasks = edit_tasks(state, [(acting_node(state, name), output, None) for name, output in updates], owner)
    for task in tasks:
        task.node.write(state.plan, task, task.output)
        task.writes += task.node.static_writes
    apply_edit(state, tasks)
    return tasks


def known(task: Task, **writes: Any) -> TaskResult:
    """The stored result of a finished task."""
    data = [ChannelData(key, serializer.dumps(value)) for key, value in writes.items()]
    return TaskResult(path_text(task), task.node.name, tuple(data))


# ---- as which node


def test_nobody_has_run_so_it_is_the_input_node():
    state = State.empty(graph(Log, says("a"), paths=["START a"]).compile().plan)
    assert acting_node(state, None).name == "__start__"


def test_it_is_the_node_that_ran_last_and_an_edit_is_no_run():
    state = begin(graph(Log, *map(says, "ab"), paths=["START a b"]).compile().plan)
    step(state)
    edit(state, ("b", {"log": ["x"]}))
    assert acting_node(state, None).name == "a"


def test_of_several_that_ran_together_it_cannot_be_told():
    with pytest.raises(InvalidUpdateError, match="Ambiguous update, specify as_node: 'a', 'b' ran last"):
        acting_node(fork(), None)


def test_a_name_that_does_not_exist_is_refused_with_the_closest_one():
    with pytest.raises(UnknownTargetError, match=r"Node planer does not exist.*Did you mean 'planner'"):
        acting_node(begin(graph(Log, says("planner"), paths=["START planner"]).compile().plan), "planer")


# ---- for which tasks


def sent() -> State:
    state = begin(
        graph(Log, says("w"), returns("a", [Send("w", 1), Send("w", 2)]), paths=["START a"]).compile().plan
    )
    state.sends = [Send("w", 1), Send("w", 2)]
    state.armed = [state.plan.node_index["a"]]
    return state


def test_edits_take_the_planned_tasks_of_their_node_in_turn():
    state = sent()
    w = acting_node(state, "w")
    owner: Any = Owner()
    tasks = edit_tasks(state, [(w, "x", None), (w, "y", None), (w, "z", None)], owner)
    assert [(task.index, task.output, task.kept) for task in tasks] == [
        (0, "x", False),
        (1, "y", False),
        (-1, "z", True),
    ]


def test_an_edit_may_choose_a_task_by_its_id():
    state = sent()
    owner: Any = Owner()
    second = owner.identify(Task(acting_node(state, "w"), None, None, 1))
    (task,) = edit_tasks(state, [(acting_node(state, "w"), "x", second)], owner)
    assert task.index == 1


def test_inputs_of_planned_tasks_are_not_built():
    state = fork()
    state.views = []  # whoever reads them fails
    owner: Any = Owner()
    (task,) = edit_tasks(state, [(acting_node(state, "c"), None, None)], owner)
    assert (task.index, task.kept) == (-1, False)


# ---- what becomes of the state


def test_writes_are_applied_in_the_order_of_the_edits():
    state = fork()
    edit(state, ("b", {"log": ["1"]}), ("a", {"log": ["2"]}))
    assert values(state) == {"log": ["a", "b", "1", "2"]}


def test_what_waits_at_a_join_stays_planned():
    state = fork()
    edit(state, ("a", {"log": ["x"]}))
    assert due(state) == ["c"]


def test_the_node_of_a_join_uses_it_up():
    state = fork()
    edit(state, ("c", {"log": ["x"]}))
    assert due(state) == ["z"]
    give(state, {})
    step(state)
    assert "c" in due(state)


def test_what_edges_had_planned_is_dropped():
    state = begin(graph(Log, *map(says, "abc"), paths=["START a", "START b", "c b"]).compile().plan)
    edit(state, ("c", None))
    assert due(state) == ["b"]


def test_an_input_that_was_not_handed_out_is_dropped():
    state = State.empty(graph(Log, *map(says, "ab"), paths=["START a b"]).compile().plan)
    state.channels[state.plan.channel_index["__start__"]].update(({"log": ["in"]},))
    state.show_all()
    state.armed = [state.plan.node_index["__start__"]]
    edit(state, ("a", {"log": ["x"]}))
    assert (due(state), values(state)) == (["b"], {"log": ["x"]})


# ---- ending a step


def test_the_finished_take_effect_and_the_others_are_dropped():
    state = begin(graph(Log, *map(says, "abc"), paths=["START a c", "START b"]).compile().plan)
    a = Task(acting_node(state, "a"), None, None, -1)
    results = [known(a, log=["stored"], **{"branch:to:c": None})]
    assert finish_step(state, results, serializer.loads_grown) != []
    assert (due(state), values(state), changed(state)) == (["c"], {"log": ["stored"]}, {"log"})
    assert [state.plan.nodes[i].name for i in state.ran] == ["a", "b"]


def test_results_that_a_commit_brought_are_history():
    state = begin(graph(Log, says("a"), paths=["START a"]).compile().plan)
    brought = TaskResult(
        "~__pregel_pull, a", "a", (ChannelData("log", serializer.dumps(["x"])),), child="later"
    )
    assert finish_step(state, [brought], serializer.loads_grown) == []
    assert (due(state), values(state)) == ([], {"log": []})


def test_updates_of_commands_take_effect_first_and_both_are_stored():
    builder = graph(Log, says("a"), paths=["START a"])
    state = begin(builder.compile().plan)
    command = TaskResult("1f0", "", (ChannelData("log", serializer.dumps(["command"])),))
    a = run(state, Task(acting_node(state, "a"), {}, None, -1))
    finish_step(state, [known(a, log=["task"]), command], serializer.loads_grown)
    assert (values(state), changed(state)) == ({"log": ["command", "task"]}, {"log"})


def test_without_a_step_nothing_changes():
    state = State.empty(graph(Log, says("a"), paths=["START a"]).compile().plan)
    assert finish_step(state, (), serializer.loads_grown) == []
    assert (due(state), changed(state), state.version) == ([], set(), 1)


# ---- copies


def stored(channels: dict[str, bytes], **appends: tuple[bytes, ...]) -> Stored:
    return Stored(Checkpoint("c", None, 1, 0, "loop", (), (), {}), channels, (), "c", appends)


def test_a_copy_stores_what_its_parent_has_not():
    parent = stored({"same": b"1", "gone": b"1", "other": b"1", "grown": b"1"}, grown=(b"2",))
    origin = stored(
        {"same": b"1", "other": b"2", "grown": b"1", "new": b"3"}, grown=(b"2", b"3"), new=(b"4",)
    )
    whole, parts = parts_beyond(origin, parent)
    assert set(whole) == {ChannelData("gone", None), ChannelData("other", b"2"), ChannelData("new", b"3")}
    assert parts == (ChannelData("grown", b"3"), ChannelData("new", b"4"))


def test_a_value_that_grew_otherwise_is_copied_whole():
    parent = stored({"grown": b"1"}, grown=(b"2", b"3"))
    origin = stored({"grown": b"1"}, grown=(b"2", b"4"))
    assert parts_beyond(origin, parent) == (
        (ChannelData("grown", b"1"),),
        (ChannelData("grown", b"2"), ChannelData("grown", b"4")),
    )


def test_without_a_parent_everything_is_copied():
    origin = stored({"a": b"1"}, a=(b"2",))
    assert parts_beyond(origin, None) == ((ChannelData("a", b"1"),), (ChannelData("a", b"2"),))
