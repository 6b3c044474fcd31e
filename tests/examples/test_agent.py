"""examples/agent.py talks to an OpenAI-compatible endpoint: a scripted one on loopback."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from examples.agent import Model, graph
from tests.examples.conftest import RunExample, Serve

QUESTION = {"role": "user", "content": "Which day is 100 days after 1 February 2024?"}


def calls(*functions: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    """A message of a model that wants tools called."""
    return {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {
                "id": f"call-{n}",
                "type": "function",
                "function": {"name": name, "arguments": json.dumps(arguments)},
            }
            for n, (name, arguments) in enumerate(functions)
        ],
    }


def says(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": text}


class Endpoint:
    """Answers with the scripted messages, one per request, and keeps what it was asked."""

    def __init__(self, *script: dict[str, Any]) -> None:
        self.script = list(script)
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.app = Starlette(routes=[Route("/v1/chat/completions", self.complete, methods=["POST"])])

    async def complete(self, request: Request) -> Response:
        self.requests.append(await request.json())
        self.keys.append(request.headers.get("authorization"))
        if not self.script:
            return JSONResponse({"error": "overloaded"}, status_code=503)
        return JSONResponse({"choices": [{"message": self.script.pop(0)}]})


async def ask(url: str, **config: Any) -> list[dict[str, Any]]:
    async with httpx.AsyncClient(base_url=f"{url}/v1") as client:
        state = await graph.ainvoke({"messages": [QUESTION]}, config, context=Model(client, "scripted"))
    return state["messages"]


async def test_the_loop_goes_on_until_the_model_has_no_more_calls(serve: Serve):
    endpoint = Endpoint(
        calls(("add_days", {"day": "2024-02-01", "days": 100})),
        calls(("weekday", {"day": "2024-05-11"})),
        says("A Saturday."),
    )
    messages = await ask(await serve(endpoint.app))
    assert [m["content"] for m in messages if m["role"] == "tool"] == ["2024-05-11", "Saturday"]
    assert messages[-1] == says("A Saturday.")
    assert endpoint.requests[-1]["messages"] == messages[:-1]


async def test_the_model_is_told_the_tools_with_their_schemas(serve: Serve):
    endpoint = Endpoint(says("Hello."))
    await ask(await serve(endpoint.app))
    told = {tool["function"]["name"]: tool["function"] for tool in endpoint.requests[0]["tools"]}
    assert told["weekday"]["description"] == "The day of the week of a date."
    assert told["weekday"]["parameters"]["properties"] == {"day": {"type": "string", "format": "date"}}
    assert told["add_days"]["parameters"]["required"] == ["day", "days"]


async def test_calls_of_one_message_are_answered_in_their_order(serve: Serve):
    days = [("weekday", {"day": f"2024-01-0{n}"}) for n in range(1, 8)]
    messages = await ask(await serve(Endpoint(calls(*days), says("Done.")).app))
    answers = [m for m in messages if m["role"] == "tool"]
    assert [a["tool_call_id"] for a in answers] == [f"call-{n}" for n in range(7)]
    assert (answers[0]["content"], answers[-1]["content"]) == ("Monday", "Sunday")


@pytest.mark.parametrize(
    "name, arguments, answer",
    [
        ("weekday", {"day": "soon"}, "ValidationError: Invalid RFC3339 encoded date"),
        ("weekday", {}, "ValidationError: Object missing required field `day`"),
        ("add_days", {"day": "9999-12-31", "days": 1}, "OverflowError: date value out of range"),
        ("launch", {}, "There is no tool 'launch': add_days, weekday."),
    ],
)
async def test_a_wrong_call_is_answered_so_that_the_model_can_try_again(
    serve: Serve, name: str, arguments: dict[str, Any], answer: str
):
    messages = await ask(await serve(Endpoint(calls((name, arguments)), says("Sorry.")).app))
    assert messages[2]["content"].startswith(answer)
    assert messages[-1] == says("Sorry.")


async def test_an_error_of_the_endpoint_is_told(serve: Serve):
    with pytest.raises(RuntimeError, match=r"server answered 503: .*overloaded"):
        await ask(await serve(Endpoint().app))


async def test_a_model_that_never_stops_asking_is_stopped(serve: Serve):
    endless = Endpoint(*(calls(("weekday", {"day": "2024-01-01"})) for _ in range(20)))
    with pytest.raises(RecursionError):
        await ask(await serve(endless.app), recursion_limit=6)
    assert len(endless.requests) == 3


async def test_the_program_prints_who_said_what(
    serve: Serve, run_example: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
):
    endpoint = Endpoint(calls(("weekday", {"day": "2024-05-11"})), says("A Saturday."))
    url = await serve(endpoint.app)
    program: RunExample = run_example
    env = {"OPENAI_BASE_URL": f"{url}/v1", "OPENAI_API_KEY": "secret", "OPENAI_MODEL": "scripted"}
    ran = await asyncio.to_thread(program, "agent.py", "Which day?", **env)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines() == [
        'ask: weekday({"day": "2024-05-11"})',
        "use_tool: Saturday",
        "ask: A Saturday.",
    ]
    assert endpoint.keys == ["Bearer secret"] * 2
