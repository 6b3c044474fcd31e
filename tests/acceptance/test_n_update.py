"""Editing a thread's state: what is written, what follows, what is kept of it (LangGraph N5)."""

import asyncio
from dataclasses import dataclass
from typing import Any, TypedDict

import pytest

from graphrt.checkpoint.memory import InMemorySaver
from graphrt.config import RunnableConfig
from graphrt.errors import InvalidUpdateError, ThreadConflict
from graphrt.types import Command, Send, interrupt
from tests.acceptance.graphs import Log, graph, named, says, thread
from tests.acceptance.streams import failed_beside, history


@dataclass
class Point:
    x: int


def app_of(saver: Any, *words: str, **options: Any) -> Any:
    """A compiled chain of nodes that say a word each."""
    return graph(Log, *map(says, words), paths=["START " + " ".join(words)]).compile(saver, **options)


async def paused(saver: Any, *words: str, before: str) -> Any:
    """A chain whose thread "t" was given `{"log": ["in"]}` and stopped before one of its nodes."""
    app = app_of(saver, *words, interrupt_before=[before])
    await app.ainvoke({"log": ["in"]}, thread())
    return app


def choosing(saver: Any, router: Any) -> Any:
    """A graph whose node `a` is followed by whatever `router` says."""
    builder = graph(Log, *map(says, "abc"), paths=["START a"])
    return builder.add_conditional_edges("a", router, ["b", "c"]).compile(checkpointer=saver)


# ---- what is written


@pytest.mark.parity("N5")
async def test_n5_values_go_through_reducers(saver: Any) -> None:
    app = await paused(saver, "a", "b", before="b")
    await app.aupdate_state(thread(), {"log": ["edit"]}, as_node="a")
    assert (await app.aget_state(thread())).values == {"log": ["in", "a", "edit"]}


@pytest.mark.parity("N5")
async def test_n5_values_replace_plain_keys_and_leave_others(saver: Any) -> None:
    class Pair(TypedDict):
        left: int
        right: int

    app = graph(Pair, named("node", lambda state: None), paths=["START node"]).compile(checkpointer=saver)
    await app.ainvoke({"left": 1, "right": 2}, thread())
    await app.aupdate_state(thread(), {"right": 3})
    assert (await app.aget_state(thread())).values == {"left": 1, "right": 3}


@pytest.mark.parity("N5")
async def test_n5_a_run_goes_on_with_the_edited_state(saver: Any) -> None:
    app = await paused(saver, "a", "b", before="b")
    await app.aupdate_state(thread(), {"log": ["edit"]}, as_node="a")
    assert await app.ainvoke(None, thread()) == {"log": ["in", "a", "edit", "b"]}


@pytest.mark.parity("N5")
async def test_n5_none_writes_nothing_and_moves_on(saver: Any) -> None:
    app = await paused(saver, "a", "b", "c", before="b")
    await app.aupdate_state(thread(), None, as_node="b")
    state = await app.aget_state(thread())
    assert (state.values, state.next) == ({"log": ["in", "a"]}, ("c",))


@pytest.mark.parity("N5", "B7")
async def test_n5_values_that_the_node_could_not_return_are_refused(saver: Any) -> None:
    app = app_of(saver, "a")
    with pytest.raises(InvalidUpdateError, match="Expected dict"):
        await app.aupdate_state(thread(), [1, 2], as_node="a")
    assert await history(app, thread()) == []


@pytest.mark.parity("N5", differs="unknown-keys: LangGraph drops them")
async def test_n5_unknown_keys_are_refused(saver: Any) -> None:
    app = app_of(saver, "a")
    with pytest.raises(InvalidUpdateError, match=r"wrote to 'lug'.*Did you mean 'log'"):
        await app.aupdate_state(thread(), {"lug": ["x"]}, as_node="a")


@pytest.mark.parity("N5", differs="types-of-stored-values: LangGraph's message does not name the node")
async def test_n5_what_cannot_be_stored_is_named_with_its_node(saver: Any) -> None:
    app = await paused(saver, "a", "b", before="b")
    before = await history(app, thread())
    for node in ("a", "b"):
        with pytest.raises(Exception, match=rf"Node '{node}' wrote a value to 'log' that cannot be stored"):
            await app.aupdate_state(thread(), {"log": [object()]}, as_node=node)
    assert await history(app, thread()) == before


# ---- what follows


@pytest.mark.parity("N5")
@pytest.mark.parametrize("node, following", [("a", ("b",)), ("b", ("c",)), ("c", ())])
async def test_n5_what_follows_the_node_is_next(node: str, following: Any, saver: Any) -> None:
    app = await paused(saver, "a", "b", "c", before="c")
    await app.aupdate_state(thread(), {"log": ["edit"]}, as_node=node)
    assert (await app.aget_state(thread())).next == following


@pytest.mark.parity("N5")
async def test_n5_a_finished_thread_can_be_sent_back(saver: Any) -> None:
    app = app_of(saver, "a", "b")
    await app.ainvoke({"log": ["in"]}, thread())
    await app.aupdate_state(thread(), {"log": ["again"]}, as_node="a")
    assert await app.ainvoke(None, thread()) == {"log": ["in", "a", "b", "again", "b"]}


@pytest.mark.parity("N5")
@pytest.mark.parametrize("as_coroutine", [False, True])
async def test_n5_routers_decide_by_the_edited_state(as_coroutine: bool, saver: Any) -> None:
    def decide(state: Log) -> str:
        return "b" if "to b" in state["log"] else "c"

    async def decide_later(state: Log) -> str:
        await asyncio.sleep(0)
        return decide(state)

    app = choosing(saver, decide_later if as_coroutine else decide)
    await app.aupdate_state(thread(), {"log": ["x"]}, as_node="a")
    assert (await app.aget_state(thread())).next == ("c",)
    await app.aupdate_state(thread(), {"log": ["to b"]}, as_node="a")
    assert (await app.aget_state(thread())).next == ("b",)


@pytest.mark.parity("N5", "G3")
async def test_n5_routers_get_the_config_of_the_call(saver: Any) -> None:
    seen: list[Any] = []

    def router(state: Log, config: RunnableConfig) -> str:
        seen.append(config["configurable"]["user"])
        return "b"

    config = thread()
    config["configurable"]["user"] = "Ada"
    await choosing(saver, router).aupdate_state(config, {"log": ["x"]}, as_node="a")
    assert seen == ["Ada"]


@pytest.mark.parity("N5")
async def test_n5_an_error_in_a_router_stores_nothing(saver: Any) -> None:
    def router(state: Log) -> str:
        raise ConnectionError("no route")

    app = choosing(saver, router)
    with pytest.raises(ConnectionError):
        await app.aupdate_state(thread(), {"log": ["x"]}, as_node="a")
    assert await history(app, thread()) == []


@pytest.mark.parity("N5", "H1")
async def test_n5_routers_may_send(saver: Any) -> None:
    app = choosing(saver, lambda state: [Send("b", state), Send("c", state)])
    await app.aupdate_state(thread(), {"log": ["x"]}, as_node="a")
    assert (await app.aget_state(thread())).next == ("b", "c")
    assert await app.ainvoke(None, thread()) == {"log": ["x", "b", "c"]}


@pytest.mark.parity("N5", "H4")
async def test_n5_a_command_updates_and_redirects(saver: Any) -> None:
    app = await paused(saver, "a", "b", "c", before="b")
    await app.aupdate_state(thread(), Command(update={"log": ["edit"]}, goto=Send("a", {})), as_node="c")
    state = await app.aget_state(thread())
    assert (state.values, state.next) == ({"log": ["in", "a", "edit"]}, ("a",))


@pytest.mark.parity(
    "N5", "H5", differs="commands-without-a-parent: LangGraph raises its internal ParentCommand"
)
async def test_n5_a_command_for_a_parent_is_refused(saver: Any) -> None:
    app = app_of(saver, "a")
    with pytest.raises(InvalidUpdateError, match="no such graph is running around"):
        await app.aupdate_state(thread(), Command(graph=Command.PARENT, goto="a"), as_node="a")


@pytest.mark.parity("N5")
async def test_n5_pending_sends_are_dropped(saver: Any) -> None:
    builder = graph(Log, *map(says, "awz"), paths=["START a", "w z"])
    builder.add_conditional_edges("a", lambda _: [Send("w", {}), Send("w", {})], ["w"])
    app = builder.compile(checkpointer=saver, interrupt_before=["w"])
    await app.ainvoke({"log": []}, thread())
    await app.aupdate_state(thread(), {"log": ["edit"]}, as_node="w")
    assert (await app.aget_state(thread())).next == ("z",)


# ---- joins and deferred nodes wait in channels


def joining(saver: Any, **options: Any) -> Any:
    return graph(Log, *map(says, "abcd"), paths=["START a", "START b", "a+b c", "c d"]).compile(
        saver, **options
    )


@pytest.mark.parity("N5", "C7")
async def test_n5_an_edit_can_complete_a_join(saver: Any) -> None:
    app = joining(saver)
    await app.aupdate_state(thread(), {"log": ["as a"]}, as_node="a")
    assert (await app.aget_state(thread())).next == ()
    await app.aupdate_state(thread(), {"log": ["as b"]}, as_node="b")
    assert (await app.aget_state(thread())).next == ("c",)


@pytest.mark.parity("N5", "C7")
@pytest.mark.parametrize("node", ["a", "d"])
async def test_n5_a_join_that_is_due_stays_due(node: str, saver: Any) -> None:
    app = joining(saver, interrupt_before=["c"])
    await app.ainvoke({"log": []}, thread())
    await app.aupdate_state(thread(), {"log": ["edit"]}, as_node=node)
    assert await app.ainvoke(None, thread()) == {"log": ["a", "b", "edit", "c", "d"]}


@pytest.mark.parity(
    "N5", differs="an-edit-uses-up-what-it-stands-for: LangGraph runs the join's node once more"
)
async def test_n5_an_edit_as_the_node_of_a_join_uses_the_join_up(saver: Any) -> None:
    app = joining(saver, interrupt_before=["c"])
    await app.ainvoke({"log": []}, thread())
    await app.aupdate_state(thread(), {"log": ["edit"]}, as_node="c")
    assert (await app.aget_state(thread())).next == ("d",)
    assert await app.ainvoke(None, thread()) == {"log": ["a", "b", "edit", "d"]}
    await app.ainvoke({"log": []}, thread())
    assert (await app.aget_state(thread())).next == ("c",)


@pytest.mark.parity("N5", "E9")
async def test_n5_an_edit_that_ends_the_rest_releases_deferred_nodes(saver: Any) -> None:
    builder = graph(Log, *map(says, "abz"), paths=["START a b", "START z"], deferred="z")
    app = builder.compile(checkpointer=saver, interrupt_before=["b"])
    await app.ainvoke({"log": []}, thread())
    await app.aupdate_state(thread(), {"log": ["edit"]}, as_node="b")
    assert (await app.aget_state(thread())).next == ("z",)


# ---- what is kept of it


@pytest.mark.parity("N5", "L6")
async def test_n5_an_edit_is_a_checkpoint_of_its_own(saver: Any) -> None:
    app = await paused(saver, "a", "b", before="b")
    before = (await app.aget_state(thread())).config
    made = await app.aupdate_state(thread(metadata={"by": "Ada"}), {"log": ["edit"]}, as_node="a")
    state = await app.aget_state(made)
    assert state.config == made == (await app.aget_state(thread())).config
    assert state.parent_config == before
    assert (state.metadata["source"], state.metadata["step"], state.metadata["by"]) == ("update", 2, "Ada")


@pytest.mark.parity("N5", "N8")
async def test_n5_history_shows_the_edit_as_the_result_of_the_task_it_stands_for(saver: Any) -> None:
    app = await paused(saver, "a", "b", before="b")
    await app.aupdate_state(thread(), {"log": ["edit"]}, as_node="b")
    (task,) = (await history(app, thread()))[1].tasks
    assert (task.name, task.result) == ("b", {"log": ["edit"]})


@pytest.mark.parity("N5", "N8")
async def test_n5_an_edit_as_another_node_is_no_result_of_the_planned_one(saver: Any) -> None:
    app = await paused(saver, "a", "b", before="b")
    await app.aupdate_state(thread(), {"log": ["edit"]}, as_node="a")
    (task,) = (await history(app, thread()))[1].tasks
    assert (task.name, task.result) == ("b", None)


@pytest.mark.parity("N5")
async def test_n5_an_older_checkpoint_can_be_edited_and_leaves_its_branch_alone(saver: Any) -> None:
    app = app_of(saver, "a", "b")
    await app.ainvoke({"log": ["in"]}, thread())
    before = await history(app, thread())
    old = next(snapshot for snapshot in before if snapshot.next == ("b",))
    made = await app.aupdate_state(old.config, {"log": ["edit"]}, as_node="a")
    state = await app.aget_state(thread())
    assert (state.values, state.next) == ({"log": ["in", "a", "edit"]}, ("b",))
    assert (state.config, state.parent_config) == (made, old.config)
    assert (await history(app, thread()))[1:] == before


@pytest.mark.parity("N5", "G8")
async def test_n5_what_siblings_finished_stays_with_the_checkpoint_before(saver: Any) -> None:
    app = await failed_beside(says("ok"), saver)
    await app.aupdate_state(thread(), {"log": ["mended"]}, as_node="flaky")
    state, before, *_ = await history(app, thread())
    assert (state.values, state.next) == ({"log": ["in", "mended"]}, ("last",))
    assert {task.name: task.result for task in before.tasks} == {
        "flaky": {"log": ["mended"]},
        "ok": {"log": ["ok"]},
    }


@pytest.mark.parity("N5")
async def test_n5_a_question_is_answered_by_an_edit_as_the_node_that_asks(saver: Any) -> None:
    app = graph(Log, named("ask", lambda _: {"log": [interrupt("?")]}), says("z"), paths=["START ask z"])
    app = app.compile(checkpointer=saver)
    await app.ainvoke({"log": []}, thread())
    await app.aupdate_state(thread(), {"log": ["by hand"]}, as_node="ask")
    assert (await app.aget_state(thread())).interrupts == ()
    assert await app.ainvoke(None, thread()) == {"log": ["by hand", "z"]}


# ---- who may edit


@pytest.mark.parity("N5", "A4")
async def test_n5_without_a_checkpointer_there_is_nothing_to_edit() -> None:
    with pytest.raises(ValueError, match="No checkpointer set"):
        await app_of(None, "a").aupdate_state(thread(), {"log": ["x"]})


@pytest.mark.parity(
    "N5", differs="threadconflict: LangGraph lets both save, and the later one hides the other"
)
async def test_n5_a_run_that_an_edit_overtakes_is_refused(saver: Any) -> None:
    async def edited_meanwhile(state: Log) -> dict[str, Any]:
        await app.aupdate_state(thread(), {"log": ["edit"]}, as_node="last")
        return {"log": ["run"]}

    app = graph(Log, named("slow", edited_meanwhile), says("last"), paths=["START slow last"]).compile(saver)
    with pytest.raises(ThreadConflict):
        await app.ainvoke({"log": []}, thread(), durability="sync")
    assert (await app.aget_state(thread())).values == {"log": ["edit"]}


@pytest.mark.parity("N5", differs="unknown-checkpoints: LangGraph starts an empty thread")
async def test_n5_a_checkpoint_that_does_not_exist_cannot_be_edited(saver: Any) -> None:
    app = app_of(saver, "a")
    await app.ainvoke({"log": []}, thread())
    nowhere = {"configurable": {"thread_id": "t", "checkpoint_id": "nothing"}}
    with pytest.raises(ValueError, match="no checkpoint 'nothing'"):
        await app.aupdate_state(nowhere, {"log": ["x"]}, as_node="a")


@pytest.mark.parity("N5", differs="what-is-read-back: LangGraph has no closed set of stored types")
async def test_n5_a_value_of_a_type_that_is_gone_can_be_replaced(saver: Any) -> None:
    class Old(TypedDict):
        value: Point
        other: int

    class New(TypedDict):
        value: int
        other: int

    old, new = (
        graph(schema, named("node", lambda _: None), paths=["START node"]).compile(saver)
        for schema in (Old, New)
    )
    await old.ainvoke({"value": Point(1), "other": 1}, thread())
    await new.aupdate_state(thread(), {"value": 2})
    assert await new.ainvoke({}, thread()) == {"value": 2, "other": 1}


def test_n5_the_blocking_door_edits_as_well() -> None:
    saver = InMemorySaver()
    app = graph(Log, named("a", lambda state: {"log": ["a"]}), paths=["START a"]).compile(saver)
    made = app.update_state(thread(), {"log": ["edit"]}, as_node="a")
    assert app.get_state(thread()).config == made
    assert app.get_state(thread()).values == {"log": ["edit"]}
