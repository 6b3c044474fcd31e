"""A model's answer, token by token: one node streams from any OpenAI-compatible endpoint through the messages stream.

    python examples/tokens.py "Why is the sky blue?"

OPENAI_BASE_URL, OPENAI_MODEL and OPENAI_API_KEY say where the model is; the default is a server on this machine, as
Ollama, vLLM and llama.cpp offer it. Needs the package httpx.
"""

import argparse
import asyncio
import json
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx

from graphrt.graph import END, START, StateGraph
from graphrt.graph.message import (
    AIMessageChunk,
    HumanMessage,
    MessagesState,
    message_writer,
    openai_dicts,
)
from graphrt.runtime import Runtime


@dataclass
class Model:
    """Where the model is, and the connection to it."""

    client: httpx.AsyncClient
    name: str = field(default_factory=lambda: os.getenv("OPENAI_MODEL", "llama3.2"))


async def deltas(model: Model, messages: list[dict[str, Any]]) -> AsyncIterator[AIMessageChunk]:
    """The pieces of one answer, as the endpoint's server-sent events have them."""
    body = {"model": model.name, "messages": messages, "stream": True}
    async with model.client.stream("POST", "chat/completions", json=body) as response:
        response.raise_for_status()
        async for line in response.aiter_lines():
            data = line.removeprefix("data:").strip()
            if not line.startswith("data:") or data == "[DONE]":
                continue
            for choice in json.loads(data)["choices"]:
                delta = choice["delta"]
                if delta.get("content") or delta.get("tool_calls"):
                    yield chunk_of(delta)


def chunk_of(delta: dict[str, Any]) -> AIMessageChunk:
    """A piece in OpenAI's words as one of graphrt's."""
    pieces = [
        {
            "index": call.get("index"),
            "id": call.get("id"),
            "name": call["function"].get("name"),
            "args": call["function"].get("arguments"),
        }
        for call in delta.get("tool_calls") or ()
    ]
    return AIMessageChunk(delta.get("content") or "", tool_call_chunks=pieces)


async def answer(state: MessagesState, runtime: Runtime[Model]) -> MessagesState:
    """Ask the model; whoever reads the messages stream sees the answer come, and holds it back by reading slowly."""
    writer = message_writer()
    whole = AIMessageChunk(id=writer.id)
    async for chunk in deltas(runtime.context, openai_dicts(state["messages"])):
        await writer.asend(chunk)
        whole += chunk
    return {"messages": [whole]}


graph = (
    StateGraph(MessagesState, context_schema=Model)
    .add_node(answer)
    .add_edge(START, "answer")
    .add_edge("answer", END)
    .compile(name="tokens")
)


async def main(question: str, base_url: str) -> None:
    headers = {"Authorization": f"Bearer {os.getenv('OPENAI_API_KEY', 'none')}"}
    async with httpx.AsyncClient(base_url=base_url, headers=headers, timeout=120) as client:
        asked: MessagesState = {"messages": [HumanMessage(question)]}
        stream = graph.astream(asked, context=Model(client), stream_mode=["messages", "updates"])
        async for mode, chunk in stream:
            if mode == "messages":
                message, _ = chunk
                print(message.text, end="", flush=True)
            else:
                (said,) = chunk["answer"]["messages"]
                print(f"\n({len(said.text)} characters, message {said.id})")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("question")
    parser.add_argument("--base-url", default=os.getenv("OPENAI_BASE_URL", "http://127.0.0.1:11434/v1"))
    options = parser.parse_args()
    asyncio.run(main(options.question, options.base_url))
