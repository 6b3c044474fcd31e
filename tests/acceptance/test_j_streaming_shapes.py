"""What a chunk looks like, by mode, number of modes and version (LangGraph J1)."""

from typing import Any

import pytest

from graphrt.types import StreamWriter
from tests.acceptance.graphs import Log, graph, says, thread
from tests.acceptance.streams import chunks

EVERY_MODE = ["values", "updates", "custom", "tasks", "checkpoints", "debug"]


async def talkative(state: Log, writer: StreamWriter) -> dict[str, Any]:
    writer("working")
    return {"log": ["a"]}


def talking() -> Any:
    return graph(Log, ("a", talkative), paths=["START a"]).compile()


@pytest.mark.parity("J1")
@pytest.mark.parametrize(
    "mode, expected",
    [
        ("values", [{"log": []}, {"log": ["a"]}]),
        ("updates", [{"a": {"log": ["a"]}}]),
        ("custom", ["working"]),
    ],
)
async def test_j1_one_mode_yields_bare_payloads(mode: Any, expected: Any) -> None:
    assert await chunks(talking(), {"log": []}, stream_mode=mode) == expected


@pytest.mark.parity("J1")
async def test_j1_a_list_of_modes_yields_pairs() -> None:
    assert await chunks(talking(), {"log": []}, stream_mode=["updates", "custom"]) == [
        ("custom", "working"),
        ("updates", {"a": {"log": ["a"]}}),
    ]


@pytest.mark.parity("J1")
async def test_j1_a_list_of_one_mode_yields_pairs_too() -> None:
    assert await chunks(talking(), {"log": []}, stream_mode=["custom"]) == [("custom", "working")]


@pytest.mark.parity("J1")
@pytest.mark.parametrize("modes", ["updates", ["updates"]])
async def test_j1_v2_is_the_same_for_one_mode_and_a_list(modes: Any) -> None:
    parts = await chunks(talking(), {"log": []}, stream_mode=modes, version="v2")
    assert parts == [{"type": "updates", "ns": (), "data": {"a": {"log": ["a"]}}}]


@pytest.mark.parity("J1")
async def test_j1_v2_values_carry_interrupts() -> None:
    parts = await chunks(talking(), {"log": []}, stream_mode="values", version="v2")
    assert parts[-1] == {"type": "values", "ns": (), "data": {"log": ["a"]}, "interrupts": ()}


@pytest.mark.parity("J1")
async def test_j1_v2_names_type_namespace_and_data_in_every_mode(saver: Any) -> None:
    app = graph(Log, ("a", talkative), paths=["START a"]).compile(checkpointer=saver)
    parts = await chunks(app, {"log": []}, thread(), stream_mode=EVERY_MODE, version="v2")
    assert {part["type"] for part in parts} == set(EVERY_MODE)
    assert all({"type", "ns", "data"} <= part.keys() and part["ns"] == () for part in parts)


@pytest.mark.parity("J1")
async def test_j1_v1_and_v2_carry_the_same_payloads() -> None:
    app = graph(Log, says("a"), says("b"), paths=["START a b"]).compile()
    modes = ["values", "updates"]
    parts = await chunks(app, {"log": ["in"]}, stream_mode=modes, version="v2")
    pairs = await chunks(app, {"log": ["in"]}, stream_mode=modes)
    assert [(part["type"], part["data"]) for part in parts] == pairs


@pytest.mark.parity("J1")
async def test_j1_an_unsubscribed_mode_is_not_streamed() -> None:
    pairs = await chunks(talking(), {"log": []}, stream_mode=["values", "tasks"])
    assert {mode for mode, _ in pairs} == {"values", "tasks"}


@pytest.mark.parity("J1", "A4")
async def test_j1_a_default_mode_yields_bare_payloads() -> None:
    assert await chunks(talking(), {"log": []}) == [{"a": {"log": ["a"]}}]
