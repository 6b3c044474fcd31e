"""A tool-calling agent on any OpenAI-compatible endpoint: the model asks, tools answer, until it needs no more.

    python examples/agent.py "Which day of the week is 100 days after 1 February 2024?"

OPENAI_BASE_URL, OPENAI_MODEL and OPENAI_API_KEY (or --base-url, --model) say where the model is; the default is a
server on this machine, as Ollama, vLLM and llama.cpp offer it. Needs the package httpx.
"""

import argparse
import asyncio
import datetime
import inspect
import operator
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypedDict

import httpx
import msgspec

from graphrt.graph import END, START, StateGraph
from graphrt.runtime import Runtime
from graphrt.types import Send

Message = dict[str, Any]  # as the endpoint's documentation has it: {"role": "user", "content": "..."}


# ---- tools: plain functions; their signature is all that the model and the validation need


def add_days(day: datetime.date, days: int) -> str:
    """The date so many days after (or, negative, before) a date."""
    return (day + datetime.timedelta(days=days)).isoformat()


def weekday(day: datetime.date) -> str:
    """The day of the week of a date."""
    return day.strftime("%A")


@dataclass(frozen=True)
class Tool:
    """A function that a model can call: what the model is told about it, and how its arguments are read."""

    function: Callable[..., object]
    arguments: type[msgspec.Struct]

    @classmethod
    def of(cls, function: Callable[..., object]) -> "Tool":
        parameters = inspect.signature(function, eval_str=True).parameters.values()
        fields = [
            (p.name, p.annotation) if p.default is p.empty else (p.name, p.annotation, p.default)
            for p in parameters
        ]
        return cls(function, msgspec.defstruct(function.__name__, fields, forbid_unknown_fields=True))

    def description(self) -> Message:
        _, schemas = msgspec.json.schema_components([self.arguments])
        function = {"name": self.function.__name__, "description": inspect.getdoc(self.function)}
        return {"type": "function", "function": {**function, "parameters": schemas[self.function.__name__]}}

    def call(self, arguments: str) -> str:
        given = msgspec.json.decode(arguments or "{}", type=self.arguments)
        return str(self.function(**msgspec.structs.asdict(given)))


FUNCTIONS: list[Callable[..., object]] = [add_days, weekday]
TOOLS = {function.__name__: Tool.of(function) for function in FUNCTIONS}


# ---- the graph: ask -> use_tool, once per call -> ask -> ... -> END


class State(TypedDict):
    """The conversation; nodes add to it."""

    messages: Annotated[list[Message], operator.add]


@dataclass(frozen=True)
class Model:
    """What a run needs besides its state; it is handed over with `context=`."""

    client: httpx.AsyncClient
    name: str


async def ask(state: State, runtime: Runtime[Model]) -> State:
    request = {
        "model": runtime.context.name,
        "messages": state["messages"],
        "tools": [tool.description() for tool in TOOLS.values()],
    }
    response = await runtime.context.client.post("chat/completions", json=request)
    if response.is_error:
        raise RuntimeError(f"The model's server answered {response.status_code}: {response.text[:500]}")
    return {"messages": [response.json()["choices"][0]["message"]]}


def tools_or_done(state: State) -> list[Send] | str:
    return [Send("use_tool", call) for call in state["messages"][-1].get("tool_calls") or ()] or END


def use_tool(call: Message) -> State:
    """Gets one call. All calls of a message run at the same time; their answers keep the order of the calls."""
    name, arguments = call["function"]["name"], call["function"]["arguments"]
    try:
        answer = (
            TOOLS[name].call(arguments)
            if name in TOOLS
            else f"There is no tool {name!r}: {', '.join(TOOLS)}."
        )
    except Exception as error:  # whatever it is, the model can try again
        answer = f"{type(error).__name__}: {error}"
    return {"messages": [{"role": "tool", "tool_call_id": call["id"], "content": answer}]}


builder = StateGraph(State, context_schema=Model)
builder.add_node(ask)
builder.add_node(use_tool)
builder.add_edge(START, "ask")
builder.add_conditional_edges("ask", tools_or_done, ["use_tool", END])
builder.add_edge("use_tool", "ask")
graph = builder.compile(name="agent")


# ---- the program


async def main(question: str, base_url: str, model: str, key: str) -> None:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with httpx.AsyncClient(base_url=base_url, headers=headers, timeout=120) as client:
        updates = graph.astream(
            {"messages": [{"role": "user", "content": question}]},
            {"recursion_limit": 20},  # a model that never stops asking is stopped
            context=Model(client, model),
            stream_mode="updates",
        )
        async for update in updates:
            for node, change in update.items():
                for message in change["messages"]:
                    print(f"{node}: {in_one_line(message)}")


def in_one_line(message: Message) -> str:
    calls = [call["function"] for call in message.get("tool_calls") or ()]
    return ", ".join(f"{f['name']}({f['arguments']})" for f in calls) or str(message.get("content"))


if __name__ == "__main__":
    env = os.environ.get
    parser = argparse.ArgumentParser(description="Ask a model that can calculate with dates.")
    parser.add_argument("question")
    parser.add_argument("--base-url", default=env("OPENAI_BASE_URL", "http://localhost:11434/v1"))
    parser.add_argument("--model", default=env("OPENAI_MODEL", "qwen3"))
    given = parser.parse_args()
    asyncio.run(main(given.question, given.base_url, given.model, env("OPENAI_API_KEY", "")))
