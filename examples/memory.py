"""A chat that remembers people: what it learns in one thread it knows in all others, and finds it by meaning.

    python examples/memory.py

The embedding counts pieces of words, so the example needs no model. With `embed` that asks one, and `SqliteStore` in
place of `InMemoryStore`, nothing else changes.
"""

import asyncio
import math
from collections.abc import Sequence
from typing import TypedDict
from uuid import NAMESPACE_URL, uuid5
from zlib import crc32

from graphrt import START, StateGraph
from graphrt.checkpoint.memory import InMemorySaver
from graphrt.config import RunnableConfig
from graphrt.runtime import Runtime
from graphrt.store.memory import InMemoryStore

DIMS = 1024
TELLS = ("i ", "my ", "we ", "our ")


def embed(texts: Sequence[str]) -> list[list[float]]:
    """Texts are near that share pieces of words: `cycling` and `bicycle` have `cycl` in common."""
    return [direction(text.lower()) for text in texts]


def direction(text: str) -> list[float]:
    counts = [0.0] * DIMS
    for word in text.split():
        word = word.strip(".,?!")
        for at in range(len(word) - 3):
            counts[crc32(word[at : at + 4].encode()) % DIMS] += 1
    length = math.hypot(*counts) or 1.0
    return [count / length for count in counts]


class User(TypedDict):
    """Who is talking: the context of a run, not part of a thread's state."""

    user: str


class Said(TypedDict):
    """What a run is given."""

    said: str


class Chat(Said):
    """One thread."""

    remembered: list[str]
    answer: str


async def recall(state: Said, runtime: Runtime[User]) -> dict[str, list[str]]:
    """What is known of this user that is near to what was said."""
    found = await runtime.store.asearch(("people", runtime.context["user"]), query=state["said"], limit=2)
    return {"remembered": [item.value["text"] for item in found if item.score and item.score > 0.1]}


async def reply(state: Chat) -> dict[str, str]:
    """Where a real chat asks a model, with what it remembers in the prompt."""
    facts = state["remembered"]
    return {"answer": f"You told me: {' '.join(facts)}" if facts else "I know nothing about that yet."}


async def learn(state: Chat, runtime: Runtime[User]) -> None:
    """Keep what the user says about themselves; the same said twice is one memory."""
    said = state["said"]
    if said.lower().startswith(TELLS) and not said.endswith("?"):
        await runtime.store.aput(
            ("people", runtime.context["user"]), str(uuid5(NAMESPACE_URL, said)), {"text": said}
        )


builder = StateGraph(Chat, context_schema=User, input_schema=Said)
builder.add_sequence([recall, reply, learn])
builder.add_edge(START, "recall")
store = InMemoryStore(index={"dims": DIMS, "embed": embed, "fields": ["text"]})
graph = builder.compile(checkpointer=InMemorySaver(), store=store)


async def main() -> None:
    talks = [
        ("monday", "ada", "I love cycling in the rain."),
        ("monday", "ada", "My sister lives in Lisbon."),
        ("friday", "ada", "Which bicycle should I buy?"),
        ("friday", "ada", "Where does my sister live?"),
        ("friday", "bob", "Which bicycle should I buy?"),
    ]
    for thread, user, said in talks:
        config: RunnableConfig = {"configurable": {"thread_id": f"{user} on {thread}"}}
        end = await graph.ainvoke({"said": said}, config, context={"user": user})
        print(f"{thread}, {user}: {said}\n    {end['answer']}")


if __name__ == "__main__":
    asyncio.run(main())
