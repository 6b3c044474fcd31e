"""Find a number by halving: a state, a loop, a stream and a memory.

python examples/quickstart.py [NUMBER]
"""

import asyncio
import operator
import sys
from typing import Annotated, Literal, TypedDict

from graphrt.checkpoint.memory import InMemorySaver
from graphrt.config import RunnableConfig
from graphrt.graph import END, START, StateGraph


class State(TypedDict):
    """What the nodes read and update."""

    secret: int
    low: int
    high: int
    guesses: Annotated[list[int], operator.add]  # updates are added to the list; other keys are replaced


async def guess(state: State) -> dict[str, list[int]]:
    return {"guesses": [(state["low"] + state["high"]) // 2]}


async def narrow(state: State) -> dict[str, int]:
    last = state["guesses"][-1]
    return {"low": last + 1} if last < state["secret"] else {"high": last - 1}


def right_or_not(state: State) -> Literal["narrow", "__end__"]:
    return END if state["guesses"][-1] == state["secret"] else "narrow"


builder = StateGraph(State)
builder.add_node(guess)
builder.add_node(narrow)
builder.add_edge(START, "guess")
builder.add_conditional_edges("guess", right_or_not)
builder.add_edge("narrow", "guess")
graph = builder.compile(checkpointer=InMemorySaver())


async def main(secret: int) -> None:
    print(graph.get_graph().draw_ascii())

    thread: RunnableConfig = {"configurable": {"thread_id": "game-1"}}
    game = {"secret": secret, "low": 1, "high": 100}
    async for update in graph.astream(game, thread, stream_mode="updates"):
        print(update)

    # The thread remembers: a second game starts with the guesses of the first.
    result = await graph.ainvoke({**game, "secret": 1}, thread)
    print(f"guesses of both games: {result['guesses']}")

    snapshot = await graph.aget_state(thread)
    assert snapshot.metadata is not None
    print(f"the thread is at step {snapshot.metadata['step']}")


if __name__ == "__main__":
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 42
    if not 1 <= number <= 100:
        sys.exit("The number must be between 1 and 100.")
    asyncio.run(main(number))
