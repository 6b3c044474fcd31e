"""A purchase that waits for a person's approval: for days, and while no process runs.

    python examples/approval.py                             both halves, each in a process of its own
    python examples/approval.py ask FILE.db ITEM            the first: it ends with a question
    python examples/approval.py answer FILE.db JSON         the second: {"approved": true, "by": "Ada"}

Needs nothing besides graphrt.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NotRequired, TypedDict

from graphrt.checkpoint.sqlite import SqliteSaver
from graphrt.config import RunnableConfig
from graphrt.graph import START, StateGraph
from graphrt.types import Command, interrupt

LIMIT = 100  # what costs less needs no approval
THREAD: RunnableConfig = {"configurable": {"thread_id": "purchase-1"}}


# ---- the graph: quote -> review, if it is dear -> order


@dataclass(frozen=True)
class Decision:
    """What a person answers; an answer of another form is refused, and the question stays open."""

    approved: bool
    by: str


class Wanted(TypedDict):
    """What a run is given."""

    item: str


class Purchase(Wanted):
    """What the nodes share."""

    price: int
    decision: NotRequired[Decision]
    receipt: str


async def quote(state: Purchase) -> dict[str, int]:
    """Work that is done once, however long the answer takes."""
    print(f"asking the shop for {state['item']}")
    return {"price": 12 * len(state["item"])}


def dear_or_not(state: Purchase) -> Literal["review", "order"]:
    return "review" if state["price"] > LIMIT else "order"


async def review(state: Purchase) -> Command[Literal["order", "__end__"]]:
    """Nothing but the question: a node runs from its top once more when the answer is there."""
    question = f"Buy {state['item']} for {state['price']}?"
    decision = interrupt(question, response_schema=Decision)
    return Command(update={"decision": decision}, goto="order" if decision.approved else "__end__")


async def order(state: Purchase) -> dict[str, str]:
    who = state["decision"].by if "decision" in state else "nobody needed to ask"
    return {"receipt": f"{state['item']}, {state['price']}, approved by {who}"}


builder = StateGraph(Purchase, input_schema=Wanted)
builder.add_node(quote)
builder.add_node(review)
builder.add_node(order)
builder.add_edge(START, "quote")
builder.add_conditional_edges("quote", dear_or_not)


# ---- the program


async def ask(file: str, item: str) -> None:
    async with SqliteSaver.from_conn_string(file) as saver:
        result = await builder.compile(checkpointer=saver).ainvoke({"item": item}, THREAD)
    for question in result.get("__interrupt__", ()):
        print(f"open: {question.value}")


async def answer(file: str, given: Any) -> None:
    async with SqliteSaver.from_conn_string(file) as saver:
        graph = builder.compile(checkpointer=saver)
        (question,) = (await graph.aget_state(THREAD)).interrupts
        print(f"answering: {question.value}")
        # By its id: should somebody else have answered already, this one is not taken for the next question.
        result = await graph.ainvoke(Command(resume={question.id: given}), THREAD)
    print(result.get("receipt", "not bought"))


def both() -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "purchases.db")
        for half in (["ask", file, "a very long table"], ["answer", file, '{"approved": true, "by": "Ada"}']):
            subprocess.run([sys.executable, __file__, *half], check=True)


if __name__ == "__main__":
    match sys.argv[1:]:
        case []:
            both()
        case ["ask", file, item]:
            asyncio.run(ask(file, item))
        case ["answer", file, text]:
            asyncio.run(answer(file, json.loads(text)))
        case _:
            sys.exit(__doc__)
