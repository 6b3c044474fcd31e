"""What a run says of values that cannot be stored or read, and that odd values are the same on every backend."""

import threading
from dataclasses import dataclass
from typing import Annotated, Any, TypedDict

import pytest

from graphrt.errors import DeserializationError, SerializationError
from graphrt.graph import END, START, StateGraph
from graphrt.serde import MAX_DEPTH, UnknownValue

THREAD: Any = {"configurable": {"thread_id": "t"}}


def add(left: list[Any], right: list[Any]) -> list[Any]:
    return left + right


@dataclass
class Call:
    name: str
    args: Any = None


class State(TypedDict, total=False):
    log: Annotated[list[Any], add]
    call: Call
    value: Any


class StateWithoutCall(TypedDict, total=False):
    log: Annotated[list[Any], add]
    call: Any
    value: Any


def graph_of(update: dict[str, Any], saver: Any, schema: Any = State) -> Any:
    def writer(state: Any) -> dict[str, Any]:
        return update

    return (
        StateGraph(schema)
        .add_node("writer", writer)
        .add_edge(START, "writer")
        .add_edge("writer", END)
        .compile(checkpointer=saver)
    )


async def test_a_write_that_cannot_be_stored_names_node_channel_path_and_type(saver: Any) -> None:
    app = graph_of({"log": [1], "call": Call("a", {"x": [0, (threading.Lock(),)]})}, saver)
    with pytest.raises(SerializationError) as caught:
        await app.ainvoke({"log": []}, THREAD)
    for part in ("writer", "'call'", ".args['x'][1][0]", "_thread:lock"):
        assert part in str(caught.value)
    assert caught.value.path == ".args['x'][1][0]"
    assert caught.value.type_name == "_thread:lock"


async def test_an_appended_item_that_cannot_be_stored_is_named_too(saver: Any) -> None:
    app = graph_of({"log": [1, {"x": threading.Lock()}]}, saver)
    with pytest.raises(SerializationError, match=r"writer.*'log'.*\['x'\].*_thread:lock"):
        await app.ainvoke({"log": [0]}, THREAD)
    assert (await app.aget_state(THREAD)).values == {"log": [0]}


async def test_an_unknown_tag_fails_a_run_and_is_shown_in_the_history(saver: Any) -> None:
    await graph_of({"call": Call("a", (1,))}, saver).ainvoke({"log": [1]}, THREAD)
    other = graph_of({"value": 1}, saver, StateWithoutCall)
    tag = f"{__name__}:Call"
    assert (await other.aget_state(THREAD)).values["call"] == UnknownValue(
        tag, 1, {"name": "a", "args": (1,)}
    )
    with pytest.raises(DeserializationError, match=r"unknown type .*:Call.*serde\.register") as caught:
        await other.ainvoke({"log": [2]}, THREAD)
    assert caught.value.tag == tag


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [
        "\ud800 \0",
        {"\udfff\0": {"\0": None}},
        float("inf"),
        -0.0,
        2**64,
        -(2**4_000_000),
        b"\0" * 300,
        deep(MAX_DEPTH - 2),
        "x" * 200_000,
    ],
    ids=["surrogate", "keys", "inf", "minus zero", "big", "huge", "nul bytes", "deep", "long"],
)
async def test_odd_values_come_back_as_they_were(saver: Any, value: Any) -> None:
    app = graph_of({"value": value, "log": [value]}, saver)
    await app.ainvoke({"log": []}, THREAD)
    read = (await app.aget_state(THREAD)).values
    assert read == {"value": value, "log": [value]}
    assert type(read["value"]) is type(value)


async def test_a_value_that_is_too_deep_is_refused(saver: Any) -> None:
    app = graph_of({"value": deep(MAX_DEPTH + 1)}, saver)
    with pytest.raises(SerializationError, match=f"writer.*deeper than {MAX_DEPTH}"):
        await app.ainvoke({"log": []}, THREAD)
