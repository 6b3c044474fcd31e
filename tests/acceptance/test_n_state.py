"""Reading a thread: the state as it is, checkpoints as they were, history; turns (LangGraph N1-N4)."""

from typing import Any

import pytest

from graphrt.types import Command, StateSnapshot
from tests.acceptance.graphs import Log, graph, says, thread
from tests.acceptance.streams import failed_beside, history


def app_of(saver: Any, *words: str) -> Any:
    return graph(Log, *map(says, words), paths=["START " + " ".join(words)]).compile(checkpointer=saver)


def steps(snapshots: list[Any]) -> list[int]:
    return [snapshot.metadata["step"] for snapshot in snapshots]


# ---- the state as it is


@pytest.mark.parity("N1")
async def test_n1_the_state_of_a_finished_thread(saver: Any) -> None:
    app = app_of(saver, "a")
    await app.ainvoke({"log": ["in"]}, thread())
    state = await app.aget_state(thread())
    assert isinstance(state, StateSnapshot)
    assert (state.values, state.next, state.tasks, state.interrupts) == ({"log": ["in", "a"]}, (), (), ())


@pytest.mark.parity("N1")
async def test_n1_the_live_state_has_the_writes_of_finished_tasks(saver: Any) -> None:
    app = await failed_beside(says("ok"), saver)
    state = await app.aget_state(thread())
    assert (state.values, state.next) == ({"log": ["in", "ok"]}, ("flaky",))


@pytest.mark.parity("N1")
async def test_n1_an_addressed_checkpoint_is_shown_as_its_step_found_it(saver: Any) -> None:
    app = await failed_beside(says("ok"), saver)
    head = (await app.aget_state(thread())).config
    record = await app.aget_state(head)
    assert (record.values, set(record.next)) == ({"log": ["in"]}, {"flaky", "ok"})


@pytest.mark.parity("N1")
async def test_n1_any_checkpoint_of_the_thread_can_be_addressed(saver: Any) -> None:
    app = app_of(saver, "a", "b")
    await app.ainvoke({"log": ["in"]}, thread())
    for shown in await history(app, thread()):
        assert await app.aget_state(shown.config) == shown


@pytest.mark.parity("N1")
async def test_n1_reading_does_not_change_the_thread(saver: Any) -> None:
    app = await failed_beside(says("ok"), saver)
    assert await app.aget_state(thread()) == await app.aget_state(thread())
    assert await app.ainvoke(None, thread()) == {"log": ["in", "flaky", "ok", "last"]}


@pytest.mark.parity("N1", "H8")
async def test_n1_the_update_of_a_command_is_part_of_the_live_state(saver: Any) -> None:
    async def fails(state: Log) -> None:
        raise ConnectionError("no route")

    app = graph(Log, fails, paths=["START fails"]).compile(checkpointer=saver)
    given: list[Any] = [{"log": ["in"]}, Command(update={"log": ["note"]})]
    for input in given:
        with pytest.raises(ConnectionError):
            await app.ainvoke(input, thread())
    assert (await app.aget_state(thread())).values == {"log": ["in", "note"]}


@pytest.mark.parity("N2")
async def test_n2_an_unknown_thread_has_an_empty_state(saver: Any) -> None:
    state = await app_of(saver, "a").aget_state(thread("nobody"))
    assert (state.values, state.next, state.tasks, state.interrupts) == ({}, (), (), ())
    assert (state.metadata, state.created_at, state.parent_config) == (None, None, None)
    assert state.config == thread("nobody")


@pytest.mark.parity("N2")
async def test_n2_an_unknown_checkpoint_has_an_empty_state(saver: Any) -> None:
    app = app_of(saver, "a")
    await app.ainvoke({}, thread())
    state = await app.aget_state({"configurable": {"thread_id": "t", "checkpoint_id": "nothing"}})
    assert (state.values, state.next, state.metadata) == ({}, (), None)


@pytest.mark.parity("N2")
async def test_n2_without_a_checkpointer_there_is_no_state() -> None:
    with pytest.raises(ValueError, match="No checkpointer set"):
        await app_of(None, "a").aget_state(thread())


@pytest.mark.parity("N2")
async def test_n2_without_a_checkpointer_there_is_no_history() -> None:
    with pytest.raises(ValueError, match="No checkpointer set"):
        await history(app_of(None, "a"), thread())


# ---- what a snapshot says


@pytest.mark.parity("N3")
async def test_n3_the_config_addresses_the_checkpoint(saver: Any) -> None:
    app = app_of(saver, "a")
    await app.ainvoke({}, thread())
    configurable = (await app.aget_state(thread())).config["configurable"]
    assert configurable.keys() == {"thread_id", "checkpoint_ns", "checkpoint_id"}
    assert (configurable["thread_id"], configurable["checkpoint_ns"]) == ("t", "")


@pytest.mark.parity("N3")
async def test_n3_tasks_carry_name_path_and_result(saver: Any) -> None:
    app = app_of(saver, "a", "b")
    await app.ainvoke({"log": ["in"]}, thread())
    (task,) = (await history(app, thread()))[1].tasks
    assert (task.name, tuple(task.path)) == ("b", ("__pregel_pull", "b"))
    assert (task.error, task.interrupts, task.state, task.result) == (None, (), None, {"log": ["b"]})


@pytest.mark.parity("N3")
async def test_n3_the_input_step_is_a_task_of_start(saver: Any) -> None:
    app = app_of(saver, "a")
    await app.ainvoke({"log": ["in"]}, thread())
    first = (await history(app, thread()))[-1]
    assert first.next == ("__start__",)
    assert [(task.name, task.result) for task in first.tasks] == [("__start__", {"log": ["in"]})]


@pytest.mark.parity("N3")
async def test_n3_results_tell_unfinished_from_empty(saver: Any) -> None:
    async def silent(state: Log) -> None:
        return None

    app = await failed_beside(silent, saver)
    tasks = (await app.aget_state(thread())).tasks
    assert {task.name: task.result for task in tasks} == {"flaky": None, "silent": {}}


@pytest.mark.parity("N3")
async def test_n3_repeated_writes_are_marked_as_such(saver: Any) -> None:
    async def twice(state: Log) -> Any:
        return [Command(update={"log": ["x"]}), Command(update={"log": ["y"]})]

    app = graph(Log, twice, paths=["START twice"]).compile(checkpointer=saver)
    await app.ainvoke({}, thread())
    (task,) = (await history(app, thread()))[1].tasks
    assert task.result == {"log": {"$writes": [["x"], ["y"]]}}


@pytest.mark.parity("N3", "D9")
async def test_n3_task_ids_are_the_same_at_every_look(saver: Any) -> None:
    app = await failed_beside(says("ok"), saver)
    first, second = [[task.id for task in (await app.aget_state(thread())).tasks] for _ in range(2)]
    assert first == second
    assert len(set(first)) == 2


@pytest.mark.parity("N3", "A14")
async def test_n3_values_have_keys_that_are_not_output(saver: Any) -> None:
    class Whole(Log):
        hidden: int

    async def node(state: Whole) -> dict[str, Any]:
        return {"hidden": 7}

    app = graph(Whole, node, paths=["START node"], output_schema=Log).compile(checkpointer=saver)
    assert await app.ainvoke({"log": ["in"]}, thread()) == {"log": ["in"]}
    assert (await app.aget_state(thread())).values == {"log": ["in"], "hidden": 7}


# ---- history


@pytest.mark.parity("N4")
async def test_n4_history_is_newest_first(saver: Any) -> None:
    app = app_of(saver, "a", "b")
    await app.ainvoke({"log": ["in"]}, thread())
    shown = [(s.metadata["step"], s.values["log"], s.next) for s in await history(app, thread())]
    assert shown == [
        (2, ["in", "a", "b"], ()),
        (1, ["in", "a"], ("b",)),
        (0, ["in"], ("a",)),
        (-1, [], ("__start__",)),
    ]


@pytest.mark.parity("N4")
@pytest.mark.parametrize(
    "filter, expected",
    [
        ({"source": "input"}, [3, -1]),
        ({"step": 1}, [1]),
        ({"source": "input", "step": 1}, []),
        ({"turn": 2}, [5, 4, 3]),
        ({"source": "loop", "turn": 1}, [2, 1, 0]),
    ],
)
async def test_n4_history_is_filtered_by_metadata(saver: Any, filter: Any, expected: Any) -> None:
    app = app_of(saver, "a", "b")
    await app.ainvoke({}, thread(metadata={"turn": 1}))
    await app_of(saver, "a").ainvoke({}, thread(metadata={"turn": 2}))
    assert steps(await history(app, thread(), filter=filter)) == expected


@pytest.mark.parity("N4")
@pytest.mark.parametrize("limit, expected", [(0, []), (1, [2]), (3, [2, 1, 0]), (99, [2, 1, 0, -1])])
async def test_n4_history_has_a_limit(saver: Any, limit: int, expected: Any) -> None:
    app = app_of(saver, "a", "b")
    await app.ainvoke({}, thread())
    assert steps(await history(app, thread(), limit=limit)) == expected


@pytest.mark.parity("N4")
async def test_n4_history_goes_back_from_a_checkpoint(saver: Any) -> None:
    app = app_of(saver, "a", "b")
    await app.ainvoke({}, thread())
    shown = await history(app, thread())
    assert await history(app, thread(), before=shown[1].config) == shown[2:]


@pytest.mark.parity("N4")
async def test_n4_filter_and_limit_and_before_work_together(saver: Any) -> None:
    app = app_of(saver, "a")
    for _ in range(3):
        await app.ainvoke({}, thread())
    head = (await history(app, thread()))[0].config
    found = await history(app, thread(), filter={"source": "input"}, before=head, limit=2)
    assert steps(found) == [5, 2]


@pytest.mark.parity("N4")
async def test_n4_an_unknown_thread_has_no_history(saver: Any) -> None:
    assert await history(app_of(saver, "a"), thread("nobody")) == []


@pytest.mark.parity("N4")
async def test_n4_history_shows_results_of_every_step(saver: Any) -> None:
    app = app_of(saver, "a", "b")
    await app.ainvoke({"log": ["in"]}, thread())
    results = [task.result for s in await history(app, thread()) for task in s.tasks]
    assert results == [{"log": ["b"]}, {"log": ["a"]}, {"log": ["in"]}]


@pytest.mark.parity("N4", "N1")
async def test_n4_history_shows_unfinished_steps_as_records(saver: Any) -> None:
    app = await failed_beside(says("ok"), saver)
    newest = (await history(app, thread()))[0]
    assert (newest.values, set(newest.next)) == ({"log": ["in"]}, {"flaky", "ok"})


@pytest.mark.parity("N4")
async def test_n4_the_thread_may_move_on_while_its_history_is_read(saver: Any) -> None:
    app = app_of(saver, "a")
    await app.ainvoke({"log": ["one"]}, thread())
    read: list[Any] = []
    async for snapshot in app.aget_state_history(thread()):
        read.append(snapshot)
        await app.ainvoke({"log": ["more"]}, thread())
    assert steps(read) == [1, 0, -1]
