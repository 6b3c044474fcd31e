"""Values that are never stored, and threads that are older than their graph."""

from typing import Annotated, Any, TypedDict

import pytest

from graphrt.channels import AnyValue, LastValue, UntrackedValue
from graphrt.errors import InvalidUpdateError, SerializationError
from graphrt.graph import START, StateGraph
from graphrt.pregel import NodeBuilder, Pregel
from graphrt.types import Command, Send
from tests.acceptance.graphs import thread


class State(TypedDict, total=False):
    x: int
    conn: Annotated[Any, UntrackedValue]


class Anything(TypedDict, total=False):
    any: Annotated[Any, AnyValue]


def failing(state: Any) -> Any:
    raise ConnectionError


def started(saver: Any, command: Command[Any], b: Any) -> Any:
    """A graph whose node `a` returns `command`, and with a node `b`."""
    builder = StateGraph(State).add_node("a", lambda state: command).add_node("b", b)
    return builder.add_edge(START, "a").compile(saver)


def without_b(saver: Any) -> Any:
    return StateGraph(State).add_node("a", lambda state: None).add_edge(START, "a").compile(saver)


@pytest.mark.parity("C4", "K4")
async def test_c4_an_untracked_value_need_not_be_storable(saver: Any) -> None:
    seen: list[bool] = []
    app = started(
        saver,
        Command(update={"conn": object(), "x": 1}, goto="b"),
        lambda state: seen.append("conn" in state),
    )
    await app.ainvoke({"x": 0}, thread())
    assert seen == [True]


@pytest.mark.parity("C4")
async def test_c4_untracked_keys_of_a_send_are_not_stored(saver: Any) -> None:
    seen: list[bool] = []
    app = started(
        saver, Command(goto=Send("b", {"conn": object()})), lambda state: seen.append("conn" in state)
    )
    await app.ainvoke({"x": 0}, thread())
    assert seen == [True]


async def test_an_input_that_cannot_be_stored_is_refused_before_anything_runs(saver: Any) -> None:
    with pytest.raises(SerializationError, match="The run's input"):
        await without_b(saver).ainvoke({"x": 0, "conn": object()}, thread())
    assert (await without_b(saver).aget_state(thread())).values == {}


async def test_a_thread_with_a_send_to_a_node_that_is_gone_can_be_looked_at(saver: Any) -> None:
    with pytest.raises(ConnectionError):
        await started(saver, Command(goto=Send("b", {})), failing).ainvoke({"x": 0}, thread())
    assert (await without_b(saver).aget_state(thread())).values == {"x": 0}


async def test_a_history_that_led_to_a_node_that_is_gone_can_be_looked_at(saver: Any) -> None:
    await started(saver, Command(goto="b"), lambda state: {"x": 3}).ainvoke({"x": 0}, thread())
    history = [snapshot.values async for snapshot in without_b(saver).aget_state_history(thread())]
    assert history == [{"x": 3}, {"x": 0}, {"x": 0}, {}]


async def test_a_program_does_not_rename_the_channels_it_was_given() -> None:
    shared = LastValue(int)
    app: Any = Pregel(
        nodes={"n": NodeBuilder().subscribe_only("a").write_to("a", "a")},
        channels={"a": shared, "b": shared},
        input_channels="a",
        output_channels="a",
    )
    with pytest.raises(InvalidUpdateError, match="At key 'a'"):
        await app.ainvoke(1)


async def test_reporting_a_write_does_not_change_it() -> None:
    mine = {"$writes": [1]}
    builder = StateGraph(Anything).add_node("n", lambda state: [Command(update={"any": mine}), {"any": 2}])
    async for _ in builder.add_edge(START, "n").compile().astream({}, stream_mode="tasks"):
        pass
    assert mine == {"$writes": [1]}
