"""What is stored of a state stands for it, and kept results for their tasks (LangGraph K7, L2, N1).

Values go through a real Serializer, as they do in a run.
"""

from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphrt.channels import UntrackedValue
from graphrt.core.book import Book
from graphrt.core.commit import commit, commit_input
from graphrt.core.planning import plan_step
from graphrt.core.recording import names_of, record_step, result_record
from graphrt.core.snapshot import adopt
from graphrt.core.state import State
from graphrt.errors import DeserializationError, InvalidUpdateError, SerializationError
from graphrt.graph import START
from graphrt.types import Command, Send
from tests.unit.core_world import Cells, Log, begin, graph, kept, returns, run, says, serializer, step, values


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
        assert thread.contents() == kept(state).contents()


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
            adopt(plan, copy, result_record(plan, task, serializer.dumps), serializer.loads_grown)
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
    assert [item.channel for item in record_step(state, [], Book(), serializer.dumps).channels] == ["last"]


def test_channel_that_a_step_emptied_is_stored_as_empty():
    plan = graph(Cells, returns("n", None), paths=["START n"]).compile().plan
    state = begin(plan, {"once": 1})
    step(state)
    recorded = record_step(state, [], Book(), serializer.dumps)
    assert [(item.channel, item.data) for item in recorded.channels] == [("once", None)]


def test_value_that_cannot_be_stored_names_node_and_channel():
    plan = graph(Cells, returns("n", {"last": {"deep": [object()]}}), paths=["START n"]).compile().plan
    state = begin(plan)
    task = run(state, plan_step(state, None)[0])
    with pytest.raises(SerializationError, match="Node 'n' wrote a value to 'last' that cannot be stored"):
        result_record(plan, task, serializer.dumps)


def test_argument_of_a_send_that_cannot_be_stored_names_node_and_target():
    nodes = [returns("n", Command(goto=Send("m", object()))), says("m")]
    state = begin(graph(Log, *nodes, paths=["START n"]).compile().plan)
    task = run(state, plan_step(state, None)[0])
    with pytest.raises(SerializationError, match="Node 'n' wrote a value to 'Send to m'"):
        result_record(state.plan, task, serializer.dumps)


def test_damaged_bytes_are_an_error():
    plan = graph(Log, says("a"), paths=["START a"]).compile().plan
    thread = kept(begin(plan))
    thread.channels["log"] = b"\xc1"
    with pytest.raises(DeserializationError):
        thread.restore(plan)
