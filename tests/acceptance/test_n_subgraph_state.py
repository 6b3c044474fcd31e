"""State methods and graphs inside: which graph is meant, what forks and edits make of it (LangGraph N3, N10, M5)."""

from typing import Any, TypedDict

import pytest

from graphrt.checkpoint.memory import InMemorySaver
from graphrt.errors import InvalidUpdateError
from graphrt.types import Command, StateUpdate, interrupt
from tests.acceptance.graphs import Log, graph, named, says, thread
from tests.acceptance.nested import asks, at, calls, chain, inside
from tests.acceptance.streams import history


class Draft(TypedDict):
    """A state that no graph around shares a key with."""

    draft: str


async def write(state: Draft) -> dict[str, Any]:
    return {"draft": "first"}


async def review(state: Draft) -> dict[str, Any]:
    return {"draft": f"{state['draft']}, {interrupt('?')}"}


async def desk(state: Log) -> dict[str, Any]:
    """A node that calls a graph of this module."""
    return {"log": [(await OFFICE.ainvoke({"draft": ""}))["draft"]]}


OFFICE = graph(Draft, write, review, paths=["START write review"]).compile()


async def paused(saver: Any, *nodes: Any) -> Any:
    """A graph whose thread "t" waits for an answer inside."""
    app = chain(*nodes, checkpointer=saver)
    await app.ainvoke({"log": []}, thread())
    return app


async def place(app: Any, *levels: int) -> Any:
    """The config of the graph inside the first task, or deeper inside."""
    found = (await app.aget_state(thread())).tasks[0].state
    for _ in levels:
        found = (await app.aget_state(found)).tasks[0].state
    return found


# ---- which graph is meant


@pytest.mark.parity("N10", "M5")
async def test_n10_a_graph_that_a_function_calls_is_read_by_its_own_keys(saver: Any) -> None:
    app = await paused(saver, desk)
    state = await app.aget_state(await place(app))
    assert (state.values, state.next) == ({"draft": "first"}, ("review",))


@pytest.mark.parity("N10", "M5")
async def test_n10_a_graph_that_a_function_calls_is_edited_by_its_own_nodes(saver: Any) -> None:
    app = await paused(saver, desk)
    where = await place(app)
    await app.aupdate_state(where, {"draft": "second"}, as_node="write")
    assert (await app.aget_state(where)).values == {"draft": "second"}
    with pytest.raises(InvalidUpdateError, match="Node desk does not exist"):
        await app.aupdate_state(where, {"draft": "third"}, as_node="desk")


@pytest.mark.parity("N10")
async def test_n10_graphs_are_reached_on_every_level(saver: Any) -> None:
    app = await paused(saver, ("one", chain(("two", chain(desk)))))
    where = await place(app, 2, 3)
    assert [part.partition(":")[0] for part in where["configurable"]["checkpoint_ns"].split("|")] == [
        "one",
        "two",
        "desk",
    ]
    await app.aupdate_state(where, {"draft": "edited"}, as_node="write")
    assert (await app.aget_state(where)).values == {"draft": "edited"}


@pytest.mark.parity("N10", "M2")
async def test_n10_a_graph_that_stores_nothing_has_no_state(saver: Any) -> None:
    app = chain(("child", chain(says("a"), checkpointer=False)), checkpointer=saver)
    await app.ainvoke({"log": []}, thread())
    assert [task.state for snapshot in await history(app, thread()) for task in snapshot.tasks] == [
        None,
        None,
    ]


@pytest.mark.parity("N10", "N5", differs="types-of-stored-values: LangGraph's message does not name the node")
async def test_n10_what_a_child_cannot_store_is_named_with_its_node(saver: Any) -> None:
    app = await paused(saver, desk)
    with pytest.raises(Exception, match="Node 'write' wrote a value to 'draft' that cannot be stored"):
        await app.aupdate_state(await place(app), {"draft": object()}, as_node="write")


# ---- edits


@pytest.mark.parity("N10", "N9")
async def test_n10_edits_of_a_child_may_come_in_bulk(saver: Any) -> None:
    app = await paused(saver, ("child", chain(says("a"), asks("?"), says("b"))))
    where = await place(app)
    made = await app.abulk_update_state(
        where, [[StateUpdate({"log": ["1"]}, "a")], [StateUpdate({"log": ["2"]}, "?")]]
    )
    assert made["configurable"]["checkpoint_ns"] == where["configurable"]["checkpoint_ns"]
    state = await app.aget_state(where)
    assert (state.values, state.next) == ({"log": ["a", "1", "2"]}, ("b",))
    assert await app.ainvoke(None, thread()) == {"log": ["a", "1", "2", "b"]}


@pytest.mark.parity("N10", "N7")
async def test_n10_a_checkpoint_of_a_child_can_be_copied(saver: Any) -> None:
    app = await paused(saver, ("child", chain(says("a"), asks("?"))))
    where = await place(app)
    before = await history(app, where)
    await app.aupdate_state(before[1].config, None, as_node="__copy__")
    copy, *rest = await history(app, where)
    assert (copy.values, copy.next, copy.metadata["source"]) == ({"log": []}, ("a",), "fork")
    assert rest == before


@pytest.mark.parity("N10", "N5", "F5")
async def test_n10_a_persistent_child_may_be_given_a_state_before_it_ever_ran(saver: Any) -> None:
    app = chain(calls("node", chain(says("a"), checkpointer=True)), checkpointer=saver)
    where = {"configurable": {"thread_id": "t", "checkpoint_ns": "node"}}
    await app.aupdate_state(where, {"log": ["given"]}, as_node="a")
    assert await app.ainvoke({"log": []}, thread()) == {"log": ["given", "a"]}


@pytest.mark.parity("N10", "N5")
async def test_n10_editing_the_parent_starts_its_children_anew(saver: Any) -> None:
    app = await paused(saver, says("x"), ("child", chain(says("a"), asks("?"))))
    await app.aupdate_state(thread(), {"log": ["edit"]}, as_node="x")
    result = await app.ainvoke(None, thread())
    assert (await inside(app, thread())).values == {"log": ["x", "edit", "a"]}
    assert len(result["__interrupt__"]) == 1
    assert await app.ainvoke(Command(resume="yes"), thread()) == {
        "log": ["x", "edit", "x", "edit", "a", "?=yes"]
    }


# ---- forks


@pytest.mark.parity("N3", "N11")
async def test_n3_a_checkpoint_shows_its_own_children_after_a_fork(saver: Any) -> None:
    app = await paused(saver, ("child", chain(says("a"), asks("?"))))
    await app.ainvoke(Command(resume="left"), thread())
    old = await at(app, thread(), "child")
    await app.ainvoke(None, old)
    await app.ainvoke(Command(resume="right"), thread())
    new = await at(app, thread(), "child")
    shown = [(await app.aget_state(config, subgraphs=True)).tasks[0].state.values for config in (old, new)]
    assert shown == [{"log": ["a", "?=left"]}, {"log": ["a", "?=right"]}]


@pytest.mark.parity("N3")
async def test_n3_a_child_that_has_not_begun_has_no_state(saver: Any) -> None:
    app = chain(says("x"), ("child", chain(says("a"))), checkpointer=saver, interrupt_before=["child"])
    await app.ainvoke({"log": []}, thread())
    state = (await app.aget_state(thread(), subgraphs=True)).tasks[0].state
    assert (state.values, state.next, state.metadata) == ({}, (), None)


@pytest.mark.parity("N3", "F5", "N5")
async def test_n3_a_persistent_child_that_is_due_shows_what_it_will_go_on_from(saver: Any) -> None:
    app = chain(says("x"), ("child", chain(says("a"), checkpointer=True)), checkpointer=saver)
    await app.ainvoke({"log": []}, thread())
    await app.ainvoke({"log": []}, thread(), interrupt_before=["child"])
    assert (await inside(app, thread())).values == {"log": ["x", "a"]}
    await app.aupdate_state(await place(app), {"log": ["edit"]}, as_node="a")
    assert (await inside(app, thread())).values == {"log": ["x", "a", "edit"]}


def test_n10_the_blocking_door_edits_inside_as_well() -> None:
    inner = chain(named("a", lambda _: {"log": ["a"]}), named("b", lambda _: None), interrupt_before=["b"])
    app = chain(("child", inner), checkpointer=InMemorySaver())
    app.invoke({"log": []}, thread())
    where = app.get_state(thread()).tasks[0].state
    app.update_state(where, {"log": ["edit"]}, as_node="a")
    assert app.get_state(where).values == {"log": ["a", "edit"]}
    assert app.invoke(None, thread()) == {"log": ["a", "edit"]}
