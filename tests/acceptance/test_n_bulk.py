"""Several edits together, and one after the other (LangGraph N8, N9)."""

from itertools import pairwise
from typing import Any, TypedDict

import pytest

from graphrt.checkpoint.memory import InMemorySaver
from graphrt.constants import END
from graphrt.errors import InvalidUpdateError
from graphrt.types import Send, StateUpdate
from tests.acceptance.graphs import Log, graph, named, says, thread
from tests.acceptance.streams import failed_beside, history
from tests.acceptance.test_n_update import app_of, paused


def word(text: str, node: str | None = None, task_id: str | None = None) -> StateUpdate:
    """The update `{"log": [text]}` as a node."""
    return StateUpdate({"log": [text]}, node, task_id)


async def results(app: Any, number: int) -> dict[str, Any]:
    """The results that the tasks of the checkpoint show that so many others came after."""
    return {task.name: task.result for task in (await history(app, thread()))[number].tasks}


# ---- in one superstep


@pytest.mark.parity("N8")
async def test_n8_updates_of_a_superstep_are_one_checkpoint_in_their_order(saver: Any) -> None:
    app = await failed_beside(says("ok"), saver)
    await app.abulk_update_state(thread(), [[word("2", "ok"), word("1", "flaky"), word("3", "last")]])
    state, before, *_ = await history(app, thread())
    assert (state.values, state.next) == ({"log": ["in", "2", "1", "3"]}, ("last",))
    assert state.parent_config == before.config


@pytest.mark.parity("N8", "E12")
async def test_n8_a_plain_key_takes_one_write_of_a_superstep(saver: Any) -> None:
    class Plain(TypedDict):
        value: int

    nodes = [named(name, lambda _: None) for name in "ab"]
    app = graph(Plain, *nodes, paths=["START a", "START b"]).compile(checkpointer=saver)
    both = [StateUpdate({"value": 1}, "a"), StateUpdate({"value": 2}, "b")]
    with pytest.raises(InvalidUpdateError):
        await app.abulk_update_state(thread(), [both])
    assert await history(app, thread()) == []
    await app.abulk_update_state(thread(), [both[:1], both[1:]])
    assert (await app.aget_state(thread())).values == {"value": 2}


@pytest.mark.parity("N8")
async def test_n8_what_follows_all_of_them_is_next(saver: Any) -> None:
    builder = graph(Log, *map(says, "abcd"), paths=["START a c", "START b d"])
    app = builder.compile(checkpointer=saver)
    await app.abulk_update_state(thread(), [[word("x", "a"), word("y", "b")]])
    assert (await app.aget_state(thread())).next == ("c", "d")


@pytest.mark.parity("N8", "G6")
async def test_n8_a_router_sees_its_own_update_only(saver: Any) -> None:
    seen: list[Any] = []

    def router(state: Log) -> str:
        seen.append(state["log"])
        return END

    builder = graph(Log, *map(says, "ab"), paths=["START a", "START b"])
    app = builder.add_conditional_edges("b", router, [END]).compile(checkpointer=saver)
    await app.abulk_update_state(thread(), [[word("x", "a"), word("y", "b")]])
    assert seen == [["y"]]


@pytest.mark.parity("N8")
async def test_n8_updates_are_the_results_of_the_planned_tasks_of_their_nodes(saver: Any) -> None:
    app = await failed_beside(says("ok"), saver)
    await app.aupdate_state(thread(), None, as_node="__copy__")
    await app.abulk_update_state(thread(), [[word("1", "flaky"), word("2", "ok"), word("3", "ok")]])
    assert await results(app, 1) == {"flaky": {"log": ["1"]}, "ok": {"log": ["2"]}}


def sending(saver: Any) -> Any:
    builder = graph(Log, *map(says, "aw"), paths=["START a"])
    builder.add_conditional_edges("a", lambda _: [Send("w", {})] * 2, ["w"])
    return builder.compile(checkpointer=saver, interrupt_before=["w"])


@pytest.mark.parity("N8")
async def test_n8_updates_as_one_node_take_its_tasks_in_turn(saver: Any) -> None:
    app = sending(saver)
    await app.ainvoke({"log": []}, thread())
    await app.abulk_update_state(thread(), [[word("1", "w"), word("2", "w"), word("3", "w")]])
    state, before, *_ = await history(app, thread())
    assert state.values == {"log": ["a", "1", "2", "3"]}
    assert [task.result for task in before.tasks] == [{"log": ["1"]}, {"log": ["2"]}]


@pytest.mark.parity("N8")
async def test_n8_an_update_may_name_its_task(saver: Any) -> None:
    app = sending(saver)
    await app.ainvoke({"log": []}, thread())
    second = (await app.aget_state(thread())).tasks[1].id
    await app.aupdate_state(thread(), {"log": ["second"]}, "w", second)
    assert [task.result for task in (await history(app, thread()))[1].tasks] == [None, {"log": ["second"]}]


@pytest.mark.parity("N8")
async def test_n8_an_update_for_another_task_is_no_result_of_the_planned_one(saver: Any) -> None:
    app = await paused(saver, "a", "b", before="b")
    await app.aupdate_state(thread(), {"log": ["x"]}, "b", "11111111-1111-1111-1111-111111111111")
    state, before, *_ = await history(app, thread())
    assert state.values == {"log": ["in", "a", "x"]}
    assert [task.result for task in before.tasks] == [None]


# ---- one superstep after the other


@pytest.mark.parity("N9")
async def test_n9_every_superstep_starts_from_the_one_before(saver: Any) -> None:
    app = app_of(saver, "a", "b")
    made = await app.abulk_update_state(
        thread(),
        [[word("in", "__input__")], [word("1", "__start__")], [word("2", "a")], [StateUpdate(None, "b")]],
    )
    shown = await history(app, thread())
    assert shown[0].config == made
    assert [(s.metadata["source"], s.metadata["step"], s.values["log"], s.next) for s in reversed(shown)] == [
        ("input", -1, [], ("__start__",)),
        ("update", 0, ["1"], ("a",)),
        ("update", 1, ["1", "2"], ("b",)),
        ("update", 2, ["1", "2"], ()),
    ]
    for newer, older in pairwise(shown):
        assert newer.parent_config == older.config


@pytest.mark.parity("N9")
async def test_n9_a_history_that_is_written_by_hand_is_that_of_a_run(saver: Any) -> None:
    app = app_of(saver, "a", "b")
    await app.ainvoke({"log": ["in"]}, thread("run"))
    await app.abulk_update_state(
        thread("hand"),
        [[word("in", "__input__")], [word("in", "__start__")], [word("a", "a")], [word("b", "b")]],
    )
    by_run, by_hand = [
        [(s.values, s.next, [(t.name, t.path, t.result) for t in s.tasks], s.metadata["step"]) for s in shown]
        for shown in [await history(app, thread(name)) for name in ("run", "hand")]
    ]
    assert by_run == by_hand


@pytest.mark.parity("N9", "N7")
async def test_n9_a_superstep_may_copy_and_the_next_goes_on_from_the_copy(saver: Any) -> None:
    app = await failed_beside(says("ok"), saver)
    await app.abulk_update_state(thread(), [[StateUpdate(None, "__copy__")], [word("x", "flaky")]])
    state, copy, origin, *_ = await history(app, thread())
    assert state.parent_config == copy.config
    assert (copy.parent_config, copy.values) == (origin.parent_config, origin.values)
    assert state.values == {"log": ["in", "x"]}


@pytest.mark.parity("N9")
async def test_n9_what_was_done_before_an_error_stays(saver: Any) -> None:
    app = app_of(saver, "a", "b")
    with pytest.raises(InvalidUpdateError, match="Node nobody does not exist"):
        await app.abulk_update_state(thread(), [[word("1", "a")], [word("2", "nobody")]])
    assert [s.values["log"] for s in await history(app, thread())] == [["1"]]


@pytest.mark.parity("N9")
async def test_n9_an_older_checkpoint_may_be_where_it_begins(saver: Any) -> None:
    app = app_of(saver, "a", "b")
    await app.ainvoke({"log": ["in"]}, thread())
    old = next(s for s in await history(app, thread()) if s.next == ("a",))
    await app.abulk_update_state(old.config, [[word("1", "a")], [word("2", "b")]])
    assert (await app.aget_state(thread())).values == {"log": ["in", "1", "2"]}


@pytest.mark.parity("N9")
@pytest.mark.parametrize(
    "supersteps, complaint",
    [
        ([], "No supersteps provided"),
        ([[]], "No updates provided"),
        ([[word("x", "a")], []], "No updates provided"),
    ],
)
async def test_n9_nothing_to_do_is_an_error(supersteps: Any, complaint: str, saver: Any) -> None:
    app = app_of(saver, "a")
    with pytest.raises(ValueError, match=complaint):
        await app.abulk_update_state(thread(), supersteps)
    assert await history(app, thread()) == []


@pytest.mark.parity("N8", "N9")
@pytest.mark.parametrize(
    "updates, complaint",
    [
        ([word("x", "a"), word("y")], "as_node is required when applying multiple updates"),
        ([word("x", "a"), word("y", "nobody")], "Node nobody does not exist"),
        ([word("x", "a"), StateUpdate(None, END)], "Node __end__ does not exist"),
        ([StateUpdate(None, END), word("x", "a")], "Cannot apply multiple updates when clearing state"),
        ([word("x", "__input__"), word("x", "a")], "Cannot apply multiple updates when updating as input"),
        ([StateUpdate(None, "__copy__"), word("x", "a")], "Cannot copy checkpoint with multiple updates"),
    ],
)
async def test_n9_updates_that_do_not_go_together_are_refused(
    updates: Any, complaint: str, saver: Any
) -> None:
    app = app_of(saver, "a")
    with pytest.raises(InvalidUpdateError, match=complaint):
        await app.abulk_update_state(thread(), [updates])
    assert await history(app, thread()) == []


@pytest.mark.parity("N9", differs="one-tree-of-errors: LangGraph raises an error of Python's tuples")
async def test_n9_what_is_no_update_is_refused(saver: Any) -> None:
    app: Any = app_of(saver, "a")
    with pytest.raises(InvalidUpdateError, match=r"Invalid update item: .*StateUpdate\(values, as_node\)"):
        await app.abulk_update_state(thread(), [[{"log": ["x"]}]])


def test_n9_the_blocking_door_edits_in_bulk_as_well() -> None:
    app = graph(Log, named("a", lambda _: None), paths=["START a"]).compile(InMemorySaver())
    made = app.bulk_update_state(thread(), [[word("1", "a")], [word("2", "a")]])
    assert (app.get_state(thread()).config, app.get_state(thread()).values) == (made, {"log": ["1", "2"]})
