"""examples/tokens.py streams from an OpenAI-compatible endpoint: a scripted one on loopback."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from examples.tokens import Model, graph
from graphrt.graph.message import AIMessage, HumanMessage, SystemMessage
from tests.examples.conftest import RunExample, Serve

WORDS = ["The ", "sky ", "scatters ", "blue."]


class Endpoint:
    """Says words as server-sent events; it keeps what it was asked."""

    def __init__(self, *deltas: dict[str, Any]) -> None:
        self.deltas = deltas or tuple({"content": word} for word in WORDS)
        self.asked: list[Any] = []
        self.app = Starlette(routes=[Route("/v1/chat/completions", self.answer, methods=["POST"])])

    async def answer(self, request: Request) -> Response:
        self.asked.append(await request.json())
        return StreamingResponse(self.events(), media_type="text/event-stream")

    async def events(self) -> AsyncIterator[str]:
        yield ": a comment, as some servers send to keep the line open\n\n"
        yield self.event({"role": "assistant", "content": ""})
        for delta in self.deltas:
            yield self.event(delta)
        yield self.event({})
        yield "data: [DONE]\n\n"

    @staticmethod
    def event(delta: dict[str, Any]) -> str:
        return f"data: {json.dumps({'choices': [{'index': 0, 'delta': delta}]})}\n\n"


async def streamed(url: str, given: Any, mode: Any = "messages") -> list[Any]:
    async with httpx.AsyncClient(base_url=f"{url}/v1") as client:
        stream = graph.astream({"messages": given}, context=Model(client, "m"), stream_mode=mode)
        return [chunk async for chunk in stream]


async def test_tokens_come_one_by_one_and_not_again_as_a_whole(serve: Serve):
    chunks = await streamed(await serve(Endpoint().app), [HumanMessage("Why?")])
    assert [message.content for message, _ in chunks] == WORDS
    assert len({message.id for message, _ in chunks}) == 1
    assert {metadata["langgraph_node"] for _, metadata in chunks} == {"answer"}


async def test_the_state_has_the_whole_message_under_the_same_id(serve: Serve):
    chunks = await streamed(await serve(Endpoint().app), [HumanMessage("Why?")], ["messages", "values"])
    (said,) = [payload["messages"][-1] for mode, payload in chunks if mode == "values"][1:]
    assert said == AIMessage("".join(WORDS), id=chunks[1][1][0].id)


async def test_the_conversation_is_sent_in_openais_form(serve: Serve):
    endpoint = Endpoint()
    await streamed(await serve(endpoint.app), [SystemMessage("Be brief."), HumanMessage("Why?")])
    (asked,) = endpoint.asked
    assert asked["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Why?"},
    ]


async def test_pieces_of_a_tool_call_are_put_together(serve: Serve):
    first = {"index": 0, "id": "c", "function": {"name": "look", "arguments": '{"wh'}}
    second = {"index": 0, "function": {"arguments": 'ere": "up"}'}}
    endpoint = Endpoint({"tool_calls": [first]}, {"tool_calls": [second]})
    chunks = await streamed(await serve(endpoint.app), [HumanMessage("Why?")], "values")
    call = {"name": "look", "args": {"where": "up"}, "id": "c", "type": "tool_call"}
    assert chunks[-1]["messages"][-1].tool_calls == [call]


async def test_an_endpoint_that_refuses_fails_the_run(serve: Serve):
    with pytest.raises(httpx.HTTPStatusError):
        await streamed(await serve(Starlette()), [HumanMessage("Why?")])


async def test_the_program_prints_the_answer_as_it_comes(serve: Serve, run_example: RunExample):
    url = await serve(Endpoint().app)
    ended = await asyncio.to_thread(run_example, "tokens.py", "Why?", "--base-url", f"{url}/v1")
    assert ended.stderr == ""
    assert ended.stdout.startswith("".join(WORDS) + "\n(")
