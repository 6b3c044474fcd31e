"""The chunks of `version="v2"` are what `graphrt.types` says of them (LangGraph J1, 1.3)."""

from typing import Any

import pytest

from graphrt import types
from graphrt.config import get_stream_writer
from graphrt.graph.message import push_message
from graphrt.types import interrupt
from tests.acceptance.graphs import Log, graph, thread

PARTS: dict[str, Any] = {
    "values": types.ValuesStreamPart,
    "updates": types.UpdatesStreamPart,
    "messages": types.MessagesStreamPart,
    "custom": types.CustomStreamPart,
    "checkpoints": types.CheckpointStreamPart,
    "tasks": types.TasksStreamPart,
    "debug": types.DebugStreamPart,
}


async def talk(state: Log) -> dict[str, Any]:
    get_stream_writer()("a word")
    push_message({"role": "assistant", "content": "hello", "id": "1"}, state_key=None)
    return {"log": ["talked"]}


async def ask(state: Log) -> dict[str, Any]:
    return {"log": [interrupt("what?")]}


async def parts_of(saver: Any) -> list[Any]:
    app = graph(Log, talk, ask, paths=["START talk ask"]).compile(checkpointer=saver)
    return [part async for part in app.astream({"log": []}, thread(), stream_mode=[*PARTS], version="v2")]


@pytest.mark.parametrize("mode", PARTS)
async def test_j1_parts_have_the_keys_that_their_types_say(saver: Any, mode: str) -> None:
    found = [part for part in await parts_of(saver) if part["type"] == mode]
    assert found
    for part in found:
        assert set(part) == set(PARTS[mode].__annotations__)


async def test_j6_payloads_of_tasks_have_the_keys_that_their_types_say(saver: Any) -> None:
    for part in await parts_of(saver):
        if part["type"] == "tasks":
            kind = types.TaskResultPayload if "result" in part["data"] else types.TaskPayload
            assert kind.__required_keys__ <= set(part["data"]) <= set(kind.__annotations__)


async def test_j7_payloads_of_checkpoints_have_the_keys_that_their_types_say(saver: Any) -> None:
    for part in await parts_of(saver):
        if part["type"] == "checkpoints":
            assert set(part["data"]) == set(types.CheckpointPayload.__annotations__)
            for task in part["data"]["tasks"]:
                assert (
                    types.CheckpointTask.__required_keys__
                    <= set(task)
                    <= set(types.CheckpointTask.__annotations__)
                )
