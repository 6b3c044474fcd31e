"""States and updates as they are streamed (LangGraph J2, J3)."""

import asyncio
from typing import Annotated, Any, TypedDict

import pytest

from graphrt.types import Command, Send
from tests.acceptance.graphs import Log, graph, named, says, thread
from tests.acceptance.streams import chunks, failed_beside


class Pair(TypedDict):
    """Two keys that are written apart."""

    left: int
    right: int


def writes(name: str, *updates: Any) -> Any:
    """A node that returns `updates`: one as it is, several as a list of Commands."""

    async def node(state: Any) -> Any:
        return updates[0] if len(updates) == 1 else [Command(update=update) for update in updates]

    return named(name, node)


@pytest.mark.parity("J2")
async def test_j2_values_come_after_the_input_and_after_every_step() -> None:
    app = graph(Log, says("a"), says("b"), paths=["START a b"]).compile()
    states = await chunks(app, {"log": ["in"]}, stream_mode="values")
    assert states == [{"log": ["in"]}, {"log": ["in", "a"]}, {"log": ["in", "a", "b"]}]


@pytest.mark.parity("J2")
async def test_j2_a_step_of_several_nodes_yields_one_state() -> None:
    app = graph(Log, says("a"), says("b"), paths=["START a", "START b"]).compile()
    states = await chunks(app, {"log": []}, stream_mode="values")
    assert states == [{"log": []}, {"log": ["a", "b"]}]


@pytest.mark.parity("J2")
async def test_j2_a_step_that_changes_nothing_yields_no_state() -> None:
    app = graph(Pair, writes("a", None), writes("b", {"right": 2}), paths=["START a b"]).compile()
    states = await chunks(app, {"left": 1}, stream_mode="values")
    assert states == [{"left": 1}, {"left": 1, "right": 2}]


@pytest.mark.parity("J2")
async def test_j2_an_input_that_sets_nothing_yields_no_state() -> None:
    app = graph(Log, says("a"), paths=["START a"]).compile()
    assert await chunks(app, {}, stream_mode="values") == [{"log": ["a"]}]


@pytest.mark.parity("J2")
async def test_j2_writing_an_equal_value_counts_as_a_change() -> None:
    app = graph(Pair, writes("a", {"left": 1}), paths=["START a"]).compile()
    assert await chunks(app, {"left": 1}, stream_mode="values") == [{"left": 1}, {"left": 1}]


@pytest.mark.parity("J2")
async def test_j2_a_step_that_changes_other_keys_yields_no_state() -> None:
    app = graph(Pair, writes("a", {"right": 2}), writes("b", {"left": 3}), paths=["START a b"]).compile()
    states = await chunks(app, {"left": 1}, stream_mode="values", output_keys=["left"])
    assert states == [{"left": 1}, {"left": 3}]


@pytest.mark.parity("J2")
async def test_j2_one_output_key_yields_bare_values() -> None:
    app = graph(Pair, writes("a", {"left": 2}), paths=["START a"]).compile()
    assert await chunks(app, {"left": 1, "right": 9}, stream_mode="values", output_keys="left") == [1, 2]


@pytest.mark.parity("J2")
async def test_j2_keys_without_a_value_are_left_out() -> None:
    app = graph(Pair, writes("a", {"right": 2}), paths=["START a"]).compile()
    states = await chunks(app, {"left": 1}, stream_mode="values")
    assert states[0] == {"left": 1}


@pytest.mark.parity("J2")
async def test_j2_a_state_is_not_changed_by_later_steps() -> None:
    app = graph(Log, says("a"), says("b"), paths=["START a b"]).compile()
    states = []
    async for state in app.astream({"log": []}, stream_mode="values"):
        states.append((state, list(state["log"])))
    assert all(state["log"] == then for state, then in states)


@pytest.mark.parity("J2", "A10")
async def test_j2_resuming_yields_the_state_at_once(saver: Any) -> None:
    app = await failed_beside(says("ok"), saver)
    states = await chunks(app, None, thread(), stream_mode="values")
    assert states[0] == {"log": ["in"]}


@pytest.mark.parity("J3")
async def test_j3_a_finished_task_yields_its_update_under_its_name() -> None:
    app = graph(Pair, writes("a", {"left": 2, "right": 3}), paths=["START a"]).compile()
    assert await chunks(app, {}, stream_mode="updates") == [{"a": {"left": 2, "right": 3}}]


@pytest.mark.parity("J3")
async def test_j3_every_task_of_a_step_yields_a_chunk() -> None:
    app = graph(Log, says("a"), says("b"), paths=["START a", "START b"]).compile()
    updates = await chunks(app, {}, stream_mode="updates")
    assert sorted(next(iter(update)) for update in updates) == ["a", "b"]


@pytest.mark.parity("J3")
async def test_j3_updates_come_in_the_order_tasks_finish() -> None:
    first_done = asyncio.Event()

    async def slow(state: Log) -> dict[str, Any]:
        await first_done.wait()
        return {"log": ["slow"]}

    async def swift(state: Log) -> dict[str, Any]:
        first_done.set()
        return {"log": ["swift"]}

    app = graph(Log, slow, swift, paths=["START slow", "START swift"]).compile()
    updates = await chunks(app, {}, stream_mode="updates")
    assert updates == [{"swift": {"log": ["swift"]}}, {"slow": {"log": ["slow"]}}]


@pytest.mark.parity("J3")
@pytest.mark.parametrize("nothing", [None, {}])
async def test_j3_a_task_that_wrote_nothing_yields_none(nothing: Any) -> None:
    app = graph(Pair, writes("a", nothing), paths=["START a"]).compile()
    assert await chunks(app, {"left": 1}, stream_mode="updates") == [{"a": None}]


@pytest.mark.parity("J3")
async def test_j3_keys_written_more_than_once_yield_a_list() -> None:
    app = graph(Log, writes("a", {"log": ["x"]}, {"log": ["y"]}), paths=["START a"]).compile()
    assert await chunks(app, {}, stream_mode="updates") == [{"a": [{"log": ["x"]}, {"log": ["y"]}]}]


@pytest.mark.parity("J3")
async def test_j3_only_output_keys_are_in_an_update() -> None:
    app = graph(Pair, writes("a", {"left": 2, "right": 3}), paths=["START a"]).compile()
    updates = await chunks(app, {}, stream_mode="updates", output_keys=["right"])
    assert updates == [{"a": {"right": 3}}]


@pytest.mark.parity("J3")
async def test_j3_an_update_without_output_keys_is_none() -> None:
    app = graph(Pair, writes("a", {"left": 2}), paths=["START a"]).compile()
    assert await chunks(app, {}, stream_mode="updates", output_keys=["right"]) == [{"a": None}]


@pytest.mark.parity("J3")
async def test_j3_one_output_key_yields_the_bare_written_value() -> None:
    app = graph(Pair, writes("a", {"left": 2, "right": 3}), paths=["START a"]).compile()
    assert await chunks(app, {}, stream_mode="updates", output_keys="right") == [{"a": 3}]


@pytest.mark.parity("J3")
async def test_j3_an_update_is_what_was_written_not_what_was_reduced() -> None:
    app = graph(Log, says("a"), paths=["START a"]).compile()
    assert await chunks(app, {"log": ["in"]}, stream_mode="updates") == [{"a": {"log": ["a"]}}]


@pytest.mark.parity("J3")
async def test_j3_commands_yield_their_update_only() -> None:
    app = graph(
        Log, writes("a", Command(update={"log": ["a"]}, goto="b")), says("b"), paths=["START a"]
    ).compile()
    assert (await chunks(app, {}, stream_mode="updates"))[0] == {"a": {"log": ["a"]}}


@pytest.mark.parity("J3")
async def test_j3_every_send_yields_a_chunk() -> None:
    async def double(number: int) -> dict[str, Any]:
        return {"log": [str(number * 2)]}

    builder = graph(Log, double, paths=[])
    app = builder.add_conditional_edges(
        "__start__", lambda _: [Send("double", 1), Send("double", 2)]
    ).compile()
    updates = await chunks(app, {}, stream_mode="updates")
    assert sorted(update["double"]["log"] for update in updates) == [["2"], ["4"]]


@pytest.mark.parity("J3")
async def test_j3_a_failed_task_yields_nothing() -> None:
    async def fails(state: Log) -> None:
        raise KeyError("lost")

    app = graph(Log, says("a"), fails, paths=["START a fails"]).compile()
    updates: list[Any] = []
    with pytest.raises(KeyError):
        async for update in app.astream({}, stream_mode="updates"):
            updates.append(update)
    assert updates == [{"a": {"log": ["a"]}}]


@pytest.mark.parity("J3", "K7")
async def test_j3_a_restored_task_is_marked_as_cached(saver: Any) -> None:
    app = await failed_beside(says("ok"), saver)
    updates = await chunks(app, None, thread(), stream_mode="updates")
    assert updates == [
        {"ok": {"log": ["ok"]}, "__metadata__": {"cached": True}},
        {"flaky": {"log": ["flaky"]}},
        {"last": {"log": ["last"]}},
    ]


@pytest.mark.parity("J2", "J3")
async def test_j3_a_root_state_is_streamed_as_it_is() -> None:
    async def add(state: list[str]) -> list[str]:
        return ["a"]

    app = graph(Annotated[list[str], lambda left, right: left + right], add, paths=["START add"]).compile()
    assert await chunks(app, ["in"], stream_mode=["values", "updates"]) == [
        ("values", ["in"]),
        ("updates", {"add": ["a"]}),
        ("values", ["in", "a"]),
    ]
