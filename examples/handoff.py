"""A help desk of three agents, each a graph of its own: one that cannot answer hands the ticket to another.

    python examples/handoff.py ["Where is my refund?"]

What the agents know stands in tables, where a real desk has models and tools.
"""

import asyncio
import operator
import sys
from typing import Annotated, Any, TypedDict

from graphrt.graph import END, START, CompiledStateGraph, StateGraph
from graphrt.types import Command

KNOWN: dict[str, dict[str, str]] = {
    "reception": {"open": "We are open from 9 to 5.", "hello": "Hello! What can we do for you?"},
    "billing": {"invoice": "The invoice is in your account.", "refund": "The refund is on its way."},
    "shipping": {"parcel": "The parcel is at the depot.", "address": "The new address is noted."},
}
COLLEAGUES: dict[str, list[str]] = {
    "reception": ["billing", "shipping"],
    "billing": ["shipping"],
    "shipping": ["billing"],
}


class Question(TypedDict):
    """What a run is given."""

    text: str


class Ticket(Question):
    """The desk's state: what all agents share."""

    trail: Annotated[list[str], operator.add]  # who had it
    answer: str


class Desk(Question):
    """One agent's state. It reads `text` of the ticket and returns an `Answer`; the rest is its own."""

    facts: list[str]


class Answer(TypedDict):
    """What an agent that could help gives back."""

    answer: str


def agent(name: str) -> CompiledStateGraph[Desk, None, Desk, Answer]:
    """Two nodes: look things up, then answer or hand over."""

    async def look_up(state: Desk) -> dict[str, list[str]]:
        words = state["text"].lower()
        return {"facts": [fact for word, fact in KNOWN[name].items() if word in words]}

    async def decide(state: Desk) -> Answer | Command[Any]:
        if state["facts"]:
            return {"answer": " ".join(state["facts"])}
        words = state["text"].lower()
        for colleague in COLLEAGUES[name]:
            if any(word in words for word in KNOWN[colleague]):
                # For the graph around this one: the names in goto and the keys in update are the desk's.
                return Command(graph=Command.PARENT, goto=colleague, update={"trail": [name]})
        return {"answer": f"Nobody at {name} knows."}

    builder = StateGraph(Desk, output_schema=Answer)
    builder.add_node(look_up)
    builder.add_node(decide)
    builder.add_edge(START, "look_up")
    builder.add_edge("look_up", "decide")
    return builder.compile(name=name)


builder = StateGraph(Ticket, input_schema=Question)
for name in KNOWN:
    builder.add_node(name, agent(name), destinations=(*COLLEAGUES[name], END))
builder.add_edge(START, "reception")
graph = builder.compile(name="help desk")


async def main(text: str) -> None:
    async for namespace, update in graph.astream({"text": text}, stream_mode="updates", subgraphs=True):
        who = namespace[-1].partition(":")[0] if namespace else "desk"
        for node, change in update.items():
            if change:
                print(f"{who}, {node}: {change}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "My parcel never came!"))
