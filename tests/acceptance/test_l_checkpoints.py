"""What a checkpoint shows of itself: metadata, ids, parents, values (LangGraph L, F7)."""

from datetime import datetime, timedelta
from typing import Any, TypedDict

import pytest

from graphrt.errors import SerializationError
from tests.acceptance.graphs import Log, graph, says, thread
from tests.acceptance.streams import history


def app_of(saver: Any, *words: str) -> Any:
    return graph(Log, *map(says, words), paths=["START " + " ".join(words)]).compile(checkpointer=saver)


def checkpoint_id(snapshot: Any) -> str:
    found: str = snapshot.config["configurable"]["checkpoint_id"]
    return found


@pytest.mark.parity("L1")
async def test_l1_a_checkpoint_knows_when_it_was_made(saver: Any) -> None:
    app = app_of(saver, "a", "b")
    await app.ainvoke({}, thread())
    times = [datetime.fromisoformat(s.created_at) for s in await history(app, thread())]
    assert all(time.utcoffset() == timedelta(0) for time in times)
    assert times == sorted(times, reverse=True)


@pytest.mark.parity("L1")
async def test_l1_it_was_made_now(saver: Any) -> None:
    app = app_of(saver, "a")
    await app.ainvoke({}, thread())
    made = datetime.fromisoformat((await app.aget_state(thread())).created_at)
    assert abs(datetime.now(made.tzinfo) - made) < timedelta(hours=1)


@pytest.mark.parity("F7", "L1")
async def test_l1_ids_are_unique_and_sort_by_time(saver: Any) -> None:
    app = app_of(saver, "a", "b")
    for _ in range(3):
        await app.ainvoke({}, thread())
    ids = [checkpoint_id(s) for s in await history(app, thread())]
    assert len(set(ids)) == 12
    assert ids == sorted(ids, reverse=True)


@pytest.mark.parity("L2")
async def test_l2_keys_without_a_value_are_not_in_a_checkpoint(saver: Any) -> None:
    class Pair(TypedDict):
        left: int
        right: int

    async def node(state: Pair) -> dict[str, Any]:
        return {"right": 2}

    app = graph(Pair, node, paths=["START node"]).compile(checkpointer=saver)
    await app.ainvoke({"left": 1}, thread())
    assert [s.values for s in await history(app, thread())] == [{"left": 1, "right": 2}, {"left": 1}, {}]


@pytest.mark.parity("L4")
async def test_l4_metadata_names_source_step_and_parents(saver: Any) -> None:
    app = app_of(saver, "a")
    await app.ainvoke({}, thread())
    assert [s.metadata for s in await history(app, thread())] == [
        {"source": "loop", "step": 1, "parents": {}},
        {"source": "loop", "step": 0, "parents": {}},
        {"source": "input", "step": -1, "parents": {}},
    ]


@pytest.mark.parity("L4")
async def test_l4_scalars_of_metadata_and_configurable_are_stored(saver: Any) -> None:
    app = app_of(saver, "a")
    configurable = {"thread_id": "t", "user": "u1", "level": 2, "ratio": 1.5, "beta": True}
    await app.ainvoke({}, {"configurable": configurable, "metadata": {"team": "red"}})
    metadata = (await app.aget_state(thread())).metadata
    kept = {key: metadata[key] for key in ("user", "level", "ratio", "beta", "team")}
    assert kept == {"user": "u1", "level": 2, "ratio": 1.5, "beta": True, "team": "red"}


@pytest.mark.parity("L4")
@pytest.mark.parametrize("value", [[1], {"a": 1}, None, object()])
async def test_l4_other_values_are_not_stored(saver: Any, value: Any) -> None:
    app = app_of(saver, "a")
    await app.ainvoke({}, {"configurable": {"thread_id": "t"}, "metadata": {"odd": value}})
    assert "odd" not in (await app.aget_state(thread())).metadata


@pytest.mark.parity("L4")
@pytest.mark.parametrize("key", ["thread_id", "checkpoint_ns", "__private"])
async def test_l4_addresses_and_private_keys_are_not_stored(saver: Any, key: str) -> None:
    app = app_of(saver, "a")
    configurable = {"__private": "x", "checkpoint_ns": "", "thread_id": "t"}
    await app.ainvoke({}, {"configurable": configurable})
    assert key not in (await app.aget_state(thread())).metadata


@pytest.mark.parity("L4")
async def test_l4_metadata_belongs_to_the_run_that_made_the_checkpoint(saver: Any) -> None:
    app = app_of(saver, "a")
    for turn in (1, 2):
        await app.ainvoke({}, thread(metadata={"turn": turn}))
    assert [s.metadata["turn"] for s in await history(app, thread())] == [2, 2, 2, 1, 1, 1]


@pytest.mark.parity("L6")
async def test_l6_the_parent_is_the_checkpoint_before(saver: Any) -> None:
    app = app_of(saver, "a", "b")
    for _ in range(2):
        await app.ainvoke({}, thread())
    shown = await history(app, thread())
    assert [s.parent_config for s in shown] == [*(s.config for s in shown[1:]), None]


@pytest.mark.parity("L7")
@pytest.mark.parametrize("steps", [1, 2, 5])
async def test_l7_a_run_of_n_steps_leaves_n_plus_two_checkpoints(saver: Any, steps: int) -> None:
    app = app_of(saver, *"abcde"[:steps])
    await app.ainvoke({}, thread())
    assert len(await history(app, thread())) == steps + 2


@pytest.mark.parity("L8")
async def test_l8_a_stored_value_does_not_follow_later_changes_of_the_object(saver: Any) -> None:
    class Box(TypedDict):
        items: list[str]

    async def put(state: Box) -> dict[str, Any]:
        return {"items": ["a"]}

    async def tamper(state: Box) -> None:
        state["items"].append("tampered")

    app = graph(Box, put, tamper, paths=["START put tamper"]).compile(checkpointer=saver)
    await app.ainvoke({}, thread(), durability="sync")
    after_put = (await history(app, thread()))[1]
    assert after_put.values == {"items": ["a"]}


@pytest.mark.parity("L8")
async def test_l8_what_is_read_back_is_the_readers_own(saver: Any) -> None:
    app = app_of(saver, "a")
    await app.ainvoke({}, thread())
    (await app.aget_state(thread())).values["log"].append("tampered")
    assert (await app.aget_state(thread())).values == {"log": ["a"]}


class Lock:
    """Something that no checkpoint can hold."""


async def test_an_input_that_cannot_be_stored_is_called_so_also_when_the_run_is_watched(
    saver: Any,
) -> None:
    app = graph(Log, says("a"), paths=["START a"]).compile(checkpointer=saver)
    given: Any = {"log": [Lock()]}
    for run in (app.ainvoke(given, thread()), collected(app.astream(given, thread("other")))):
        with pytest.raises(SerializationError, match=r"^The run's input holds a value that cannot be stored"):
            await run


async def collected(stream: Any) -> list[Any]:
    return [chunk async for chunk in stream]
