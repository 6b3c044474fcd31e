"""Looking into graphs in graphs, and editing what they hold (LangGraph M4, N1, N3, N10)."""

from typing import Any

import pytest

from graphrt.checkpoint.memory import InMemorySaver
from graphrt.types import Command, Send, StateSnapshot
from tests.acceptance.graphs import Log, graph, says, thread
from tests.acceptance.nested import answered, asks, at, calls, chain, inside, visited
from tests.acceptance.streams import history

child = chain(says("a"), asks("name"), says("b"))


async def paused(saver: Any, *nodes: Any) -> Any:
    """A graph whose thread "t" waits for an answer inside."""
    app = chain(*(nodes or [("child", child), says("z")]), checkpointer=saver)
    await app.ainvoke({"log": []}, thread())
    return app


async def place(app: Any) -> Any:
    """The config of the graph inside the first task."""
    return (await app.aget_state(thread())).tasks[0].state


# ---- looking


@pytest.mark.parity("N3", "M4")
async def test_n3_a_task_says_where_the_state_of_its_graph_is(saver: Any) -> None:
    app = await paused(saver)
    (task,) = (await app.aget_state(thread())).tasks
    assert task.state["configurable"].keys() == {"thread_id", "checkpoint_ns"}
    assert task.state["configurable"]["thread_id"] == "t"
    assert task.state["configurable"]["checkpoint_ns"].startswith("child:")


@pytest.mark.parity("N3", "M5")
async def test_n3_only_tasks_that_are_or_call_graphs_say_so(saver: Any) -> None:
    app = await paused(saver, says("x"), ("child", child), says("z"))
    states = {task.name: task.state for snapshot in await history(app, thread()) for task in snapshot.tasks}
    assert [name for name, state in states.items() if state is not None] == ["child"]


@pytest.mark.parity("N1", "M4", "N10")
async def test_n10_the_state_of_a_child_is_found_by_its_namespace(saver: Any) -> None:
    app = await paused(saver)
    state = await app.aget_state(await place(app))
    assert (state.values, state.next) == ({"log": ["a"]}, ("name",))
    assert [interrupt.value for interrupt in state.interrupts] == ["name"]


@pytest.mark.parity("N10")
async def test_n10_any_checkpoint_of_a_child_can_be_addressed(saver: Any) -> None:
    app = await paused(saver)
    shown = await history(app, await place(app))
    assert [snapshot.next for snapshot in shown] == [("name",), ("a",), ("__start__",)]
    for snapshot in shown:
        found = await app.aget_state(snapshot.config)
        assert found._replace(config=None) == snapshot._replace(config=None)  # type: ignore[arg-type]


@pytest.mark.parity("N10", "N4")
async def test_n10_history_of_a_child_is_its_own_and_stays(saver: Any) -> None:
    app = await paused(saver)
    where = await place(app)
    await answered(app, thread(), "Ann")
    shown = await history(app, where)
    assert [snapshot.values["log"] for snapshot in shown[:2]] == [["a", "name=Ann", "b"], ["a", "name=Ann"]]
    assert [snapshot.metadata["step"] for snapshot in shown] == [3, 2, 1, 0, -1]


@pytest.mark.parity("M4", "L4")
async def test_m4_checkpoints_of_children_name_the_checkpoints_of_their_ancestors(saver: Any) -> None:
    app = await paused(saver, ("outer", chain(("inner", child))))
    root = await app.aget_state(thread(), subgraphs=True)
    outer = root.tasks[0].state
    inner = outer.tasks[0].state
    ids = [state.config["configurable"]["checkpoint_id"] for state in (root, outer)]
    assert root.metadata["parents"] == {}
    assert outer.metadata["parents"] == {"": ids[0]}
    above = outer.config["configurable"]["checkpoint_ns"]
    assert inner.metadata["parents"] == {"": ids[0], above: ids[1]}


@pytest.mark.parity("N1", "N3")
async def test_n1_subgraphs_are_shown_on_request_all_the_way_down(saver: Any) -> None:
    app = await paused(saver, ("one", chain(("two", chain(("three", child))))))
    state = await app.aget_state(thread(), subgraphs=True)
    for name in ("one", "two", "three"):
        assert state.next == (name,)
        assert [interrupt.value for interrupt in state.interrupts] == ["name"]
        state = state.tasks[0].state
        assert isinstance(state, StateSnapshot)
    assert (state.values, state.next) == ({"log": ["a"]}, ("name",))


@pytest.mark.parity("N1", "I15")
async def test_n1_a_question_has_one_id_on_every_level(saver: Any) -> None:
    app = await paused(saver, ("outer", chain(calls("inner", child))))
    root = await app.aget_state(thread(), subgraphs=True)
    levels = [root, root.tasks[0].state, root.tasks[0].state.tasks[0].state]
    assert len({interrupt.id for level in levels for interrupt in level.interrupts}) == 1
    assert root.tasks[0].interrupts == root.interrupts


@pytest.mark.parity("N3")
async def test_n3_every_task_of_a_fan_out_has_a_state_of_its_own(saver: Any) -> None:
    builder = graph(Log, ("child", chain(asks("name"))), paths=[])
    builder.add_conditional_edges("__start__", lambda _: [Send("child", {"log": [str(n)]}) for n in range(3)])
    app = builder.compile(checkpointer=saver)
    await app.ainvoke({"log": []}, thread())
    tasks = (await app.aget_state(thread(), subgraphs=True)).tasks
    assert [task.state.values["log"] for task in tasks] == [["0"], ["1"], ["2"]]


@pytest.mark.parity("N3", "F5")
async def test_n3_a_persistent_child_is_shown_where_it_stores(saver: Any) -> None:
    app = await paused(saver, ("child", visited(True, [], asking=True)))
    state = await inside(app, thread())
    assert (state.values["visits"], state.next) == (1, ("ask",))
    assert state.config["configurable"]["checkpoint_ns"] == "child"


@pytest.mark.parity("N3")
async def test_n3_a_child_at_a_breakpoint_is_shown_without_a_question(saver: Any) -> None:
    app = await paused(saver, ("child", chain(says("a"), says("b"), interrupt_before=["b"])))
    state = await app.aget_state(thread(), subgraphs=True)
    assert (state.next, state.interrupts, state.tasks[0].state.next) == (("child",), (), ("b",))


@pytest.mark.parity("N3", "N4")
async def test_n3_children_of_the_past_are_shown_as_they_ended(saver: Any) -> None:
    app = await paused(saver)
    await answered(app, thread(), "Ann")
    state = await app.aget_state(await at(app, thread(), "child"), subgraphs=True)
    assert state.tasks[0].state.values == {"log": ["a", "name=Ann", "b"]}


@pytest.mark.parity("N10")
async def test_n10_looking_for_a_child_that_does_not_exist_finds_nothing(saver: Any) -> None:
    app = await paused(saver)
    state = await app.aget_state({"configurable": {"thread_id": "t", "checkpoint_ns": "nobody"}})
    assert (state.values, state.next, state.metadata) == ({}, (), None)


@pytest.mark.parity("N10")
def test_n10_the_blocking_door_looks_inside_as_well() -> None:
    inner = chain(("a", lambda state: {"log": ["a"]}), ("b", lambda state: None), interrupt_before=["b"])
    app = chain(("child", inner), checkpointer=InMemorySaver())
    app.invoke({"log": []}, thread())
    assert app.get_state(thread(), subgraphs=True).tasks[0].state.values == {"log": ["a"]}
    where = app.get_state(thread()).tasks[0].state
    assert app.get_state(where).values == {"log": ["a"]}
    assert [snapshot.next for snapshot in app.get_state_history(where)] == [("b",), ("a",), ("__start__",)]


# ---- editing


@pytest.mark.parity("N10", "N5")
async def test_n10_the_state_of_a_paused_child_can_be_edited(saver: Any) -> None:
    app = await paused(saver)
    await app.aupdate_state(await place(app), {"log": ["edited"]})
    assert (await inside(app, thread())).values == {"log": ["a", "edited"]}
    assert await answered(app, thread(), "Ann") == {"log": ["a", "edited", "name=Ann", "b", "z"]}


@pytest.mark.parity("N10", "N5")
async def test_n10_an_edit_addresses_the_checkpoint_it_made(saver: Any) -> None:
    app = await paused(saver)
    where = await place(app)
    made = await app.aupdate_state(where, {"log": ["edited"]})
    state = await app.aget_state(made)
    assert (state.values, state.metadata["source"]) == ({"log": ["a", "edited"]}, "update")
    assert made["configurable"]["checkpoint_ns"] == where["configurable"]["checkpoint_ns"]


@pytest.mark.parity("N10", "N5")
async def test_n10_an_edit_may_stand_for_the_node_that_asks(saver: Any) -> None:
    app = await paused(saver)
    await app.aupdate_state(await place(app), {"log": ["by hand"]}, as_node="name")
    assert (await inside(app, thread())).next == ("b",)
    assert await app.ainvoke(None, thread()) == {"log": ["a", "by hand", "b", "z"]}


@pytest.mark.parity("N10")
async def test_n10_editing_a_child_leaves_its_parent_as_it_is(saver: Any) -> None:
    app = await paused(saver)
    before = await history(app, thread())
    await app.aupdate_state(await place(app), {"log": ["edited"]})
    assert await history(app, thread()) == before


@pytest.mark.parity("N10", "F5")
async def test_n10_the_memory_of_a_persistent_child_can_be_edited_between_turns(saver: Any) -> None:
    memory = visited(True, [])

    async def child(state: Log) -> None:
        await memory.ainvoke({"visits": 0})

    app = chain(child, checkpointer=saver)
    await app.ainvoke({"log": []}, thread())
    where = {"configurable": {"thread_id": "t", "checkpoint_ns": "child"}}
    await app.aupdate_state(where, {"visits": 10}, as_node="ask")
    await app.ainvoke({"log": []}, thread())
    assert (await app.aget_state(where)).values["visits"] == 12


@pytest.mark.parity("N10")
async def test_n10_a_child_that_does_not_exist_cannot_be_edited(saver: Any) -> None:
    app = await paused(saver)
    with pytest.raises(ValueError, match="Subgraph nobody not found"):
        await app.aupdate_state(
            {"configurable": {"thread_id": "t", "checkpoint_ns": "nobody"}}, {"log": ["lost"]}
        )


@pytest.mark.parity("N10")
async def test_n10_a_run_in_the_namespace_of_a_child_is_one_of_the_whole_thread(saver: Any) -> None:
    app = await paused(saver)
    where = await place(app)
    assert await app.ainvoke(Command(resume="Ann"), where) == {"log": ["a", "name=Ann", "b", "z"]}
