"""What is stored of a state stands for it, and kept results for their tasks (LangGraph K7, L2, N1).

Values go through a real Serializer, as they do in a run.
"""

from dataclasses import dataclass, field
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphrt.channels import UntrackedValue
from graphrt.checkpoint import ChannelData, Checkpoint, Stored, TaskResult
from graphrt.core.commit import commit, commit_input
from graphrt.core.ids import path_text
from graphrt.core.planning import plan_step
from graphrt.core.report import select
from graphrt.core.snapshot import adopt, changed_channels, look_at, names_of, restore, result_record
from graphrt.core.state import State, Task
from graphrt.errors import DeserializationError, GraphValidationError, InvalidUpdateError, SerializationError
from graphrt.graph import START
from graphrt.serde import Serializer
from graphrt.types import Command, PregelTask, Send
from tests.unit.core_world import Cells, Log, begin, due, graph, returns, run, says, step, values

serializer = Serializer()


@dataclass
class Thread:
    """The newest checkpoint of a thread, as a checkpointer would give it back."""

    channels: dict[str, bytes] = field(default_factory=dict)
    record: Any = None
    results: list[TaskResult] = field(default_factory=list)

    def keep(self, state: State, tasks: list[Task]) -> None:
        """Store what the last commit changed."""
        blobs: dict[int, bytes] = {}
        for task in tasks:
            result_record(state.plan, task, serializer.dumps, blobs)
        for item in changed_channels(state, serializer.dumps, blobs):
            if item.data is None:
                self.channels.pop(item.channel, None)
            else:
                self.channels[item.channel] = item.data
        armed, ran = names_of(state.plan, state.armed), names_of(state.plan, state.ran)
        self.record = Checkpoint("c", None, state.version, 0, "loop", armed, ran, {})

    @property
    def stored(self) -> Stored:
        return Stored(self.record, dict(self.channels), tuple(self.results), "c")

    def restore(self, plan: Any) -> State:
        return restore(plan, self.stored, serializer.loads, running=True)


def kept(state: State) -> Thread:
    """A thread that was stored in full once, at this state."""
    thread = Thread()
    state.changed = list(range(len(state.channels)))
    state.sends_changed = True
    thread.keep(state, [])
    return thread


def seen(state: State) -> Any:
    """Everything that can be told about a state from outside; `repr` because the order of keys counts."""
    tasks = [(task.path, repr(task.input)) for task in plan_step(state, None)]
    return (
        values(state),
        tasks,
        state.version,
        names_of(state.plan, state.ran),
        [c.checkpoint() for c in state.channels],
    )


# ---- a run and its storage stay in step, whatever the nodes do

small = st.integers(0, 9)
places = st.sampled_from(["a", "b", "c", "join", "late"]) | st.builds(Send, st.sampled_from("abc"), small)
updates = st.fixed_dictionaries(
    {},
    optional={
        "last": small | st.lists(small) | st.dictionaries(st.text(max_size=2), small, max_size=2),
        "log": st.lists(small, max_size=2),
        "once": small,
        "any": st.none() | small,
        "topic": small | st.lists(small, max_size=3),
        "heap": small | st.lists(small, max_size=3),
    },
)
outputs = (
    st.none() | updates | st.builds(Command, update=st.none() | updates, goto=st.lists(places, max_size=3))
)

script: list[Any] = []
"""What the nodes of `scripted` return, one after the other."""


def scripted() -> Any:
    nodes = [
        (name, lambda state: script.pop() if script else None) for name in ("a", "b", "c", "join", "late")
    ]
    paths = ["START a", "START b", "a+b join", "a late"]
    return graph(Cells, *nodes, paths=paths, deferred=["late"]).compile().plan


@dataclass
class Round:
    """One commit: of an input, if there is one, else of a step. Then the process may end and another one go on."""

    answers: list[Any]
    given: Any
    reload: bool


rounds_of_a_thread = st.lists(
    st.builds(
        Round, st.lists(outputs, min_size=5, max_size=5), st.none() | st.none() | updates, st.booleans()
    ),
    max_size=8,
)


@given(updates, rounds_of_a_thread)
def test_restored_state_is_the_state_that_was_stored(first, rounds):
    plan = scripted()
    state = begin(plan, first)
    thread = kept(state)
    for one in rounds:
        script[:] = one.answers
        tasks = [] if one.given is not None else [run(state, task) for task in plan_step(state, None)]
        try:
            if one.given is not None:
                commit_input(state, [(plan.channel_index[START], one.given)])
            else:
                commit(state, tasks)
        except InvalidUpdateError:
            return  # two writes to `last` or `once`: this step never happened
        thread.keep(state, tasks)
        assert seen(thread.restore(plan)) == seen(state)
        if one.reload:
            state = thread.restore(plan)


@given(updates, st.lists(st.lists(outputs, min_size=5, max_size=5), max_size=5))
def test_changes_that_were_stored_add_up_to_all_channels(first, rounds):
    plan = scripted()
    state = begin(plan, first)
    thread = kept(state)
    for script[:] in rounds:
        tasks = [run(state, task) for task in plan_step(state, None)]
        try:
            commit(state, tasks)
        except InvalidUpdateError:
            return
        thread.keep(state, tasks)
        assert thread.channels == kept(state).channels


@given(updates, st.lists(outputs, min_size=5, max_size=5), st.sets(st.integers(0, 4)))
def test_step_with_adopted_results_is_the_step_itself(first, answers, finished):
    plan = scripted()
    state = begin(plan, first)
    thread = kept(state)
    script[:] = answers
    tasks = [run(state, task) for task in plan_step(state, None)]
    again = thread.restore(plan)
    repeated = plan_step(again, None)
    for number, (task, copy) in enumerate(zip(tasks, repeated, strict=True)):
        if number in finished:
            adopt(plan, copy, result_record(plan, task, serializer.dumps, {}), serializer.loads)
        else:
            script[:] = [task.output]
            run(again, copy)
    try:
        commit(state, tasks)
    except InvalidUpdateError:
        with pytest.raises(InvalidUpdateError):
            commit(again, repeated)
        return
    commit(again, repeated)
    assert seen(again) == seen(state)


# ---- one behaviour each


def test_untracked_values_are_not_stored():
    class Secretive(Log):
        secret: Annotated[str, UntrackedValue]

    plan = graph(Secretive, returns("n", {"secret": "s", "log": ["n"]}), paths=["START n"]).compile().plan
    state = begin(plan)
    thread = kept(state)
    tasks = [run(state, task) for task in plan_step(state, None)]
    commit(state, tasks)
    thread.keep(state, tasks)
    assert values(state) == {"log": ["n"], "secret": "s"}
    assert values(thread.restore(plan)) == {"log": ["n"]}


def test_what_a_step_did_not_touch_is_not_stored_again():
    plan = graph(Cells, returns("n", {"last": 1}), paths=["START n"]).compile().plan
    state = begin(plan, {"log": ["long"] * 100})
    step(state)
    assert [item.channel for item in changed_channels(state, serializer.dumps, {})] == ["last"]


def test_channel_that_a_step_emptied_is_stored_as_empty():
    plan = graph(Cells, returns("n", None), paths=["START n"]).compile().plan
    state = begin(plan, {"once": 1})
    step(state)
    assert [(item.channel, item.data) for item in changed_channels(state, serializer.dumps, {})] == [
        ("once", None)
    ]


def test_value_that_cannot_be_stored_names_node_and_channel():
    plan = graph(Cells, returns("n", {"last": {"deep": [object()]}}), paths=["START n"]).compile().plan
    state = begin(plan)
    task = run(state, plan_step(state, None)[0])
    with pytest.raises(SerializationError, match="Node 'n' wrote a value to 'last' that cannot be stored"):
        result_record(plan, task, serializer.dumps, {})


def test_argument_of_a_send_that_cannot_be_stored_names_node_and_target():
    nodes = [returns("n", Command(goto=Send("m", object()))), says("m")]
    state = begin(graph(Log, *nodes, paths=["START n"]).compile().plan)
    task = run(state, plan_step(state, None)[0])
    with pytest.raises(SerializationError, match="Node 'n' wrote a value to 'Send to m'"):
        result_record(state.plan, task, serializer.dumps, {})


def test_damaged_bytes_are_an_error():
    plan = graph(Log, says("a"), paths=["START a"]).compile().plan
    thread = kept(begin(plan))
    thread.channels["log"] = b"\xc1"
    with pytest.raises(DeserializationError):
        thread.restore(plan)


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


def look(plan: Any, thread: Thread, *, live: bool = True) -> Any:
    return look_at(
        plan, thread.stored, serializer.loads, select(plan, None, plan.stream), namespace="", live=live
    )


@pytest.fixture
def halfway() -> tuple[Any, Thread]:
    """A step of which `a` has finished, `b` has failed and `c` is not heard of; `a` leads to `d`."""
    state = begin(graph(Log, *map(says, "abcd"), paths=["START a d", "START b", "START c"]).compile().plan)
    thread = kept(state)
    a, b, _ = (run(state, task) for task in plan_step(state, None))
    thread.results = [
        result_record(state.plan, a, serializer.dumps, {}),
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
