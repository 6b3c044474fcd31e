"""Go back to a past decision: see it, decide otherwise, run on from there, and compare. Nothing is overwritten.

python examples/time_machine.py [CITY]
"""

import asyncio
import operator
import sys
from typing import Annotated, Any, TypedDict

from graphrt.checkpoint.memory import InMemorySaver
from graphrt.config import RunnableConfig
from graphrt.graph import START, StateGraph
from graphrt.types import StateSnapshot

WEATHER = {"Bergen": "rain", "Lisbon": "sun", "Oslo": "snow"}


class Wish(TypedDict):
    """What a run is given."""

    wish: str


class Trip(Wish):
    """What the nodes share."""

    city: str
    diary: Annotated[list[str], operator.add]


async def choose(state: Trip) -> dict[str, Any]:
    """The decision that will be regretted."""
    return {"city": next(iter(WEATHER)), "diary": [f"We wanted {state['wish']}."]}


async def travel(state: Trip) -> dict[str, Any]:
    return {"diary": [f"{state['city']}: {WEATHER[state['city']]} all week."]}


async def judge(state: Trip) -> dict[str, Any]:
    happy = WEATHER[state["city"]] == state["wish"]
    return {"diary": ["Again!" if happy else "Never again."]}


builder = StateGraph(Trip, input_schema=Wish)
builder.add_sequence([choose, travel, judge])
builder.add_edge(START, "choose")
graph = builder.compile(checkpointer=InMemorySaver())


async def moment_before(node: str, thread: RunnableConfig) -> StateSnapshot:
    """The newest checkpoint at which `node` was what runs next."""
    async for snapshot in graph.aget_state_history(thread):
        if snapshot.next == (node,):
            return snapshot
    raise LookupError(node)


async def diary_of(snapshot_config: RunnableConfig) -> list[str]:
    diary: list[str] = (await graph.aget_state(snapshot_config)).values["diary"]
    return diary


async def main(city: str) -> None:
    thread: RunnableConfig = {"configurable": {"thread_id": "holidays"}}
    print("first:    ", (await graph.ainvoke({"wish": "sun"}, thread))["diary"])
    first_end = (await graph.aget_state(thread)).config

    # Fork: the state at that moment with another city, as if `choose` had written it. Running it with None goes on.
    decision = await moment_before("travel", thread)
    fork = await graph.aupdate_state(decision.config, {"city": city})
    print("otherwise:", (await graph.ainvoke(None, fork))["diary"])

    # Replay: the same moment as it was. Its nodes run again, on a branch of their own.
    print("replayed: ", (await graph.ainvoke(None, decision.config))["diary"])

    # Every branch is still there, under the ids of its checkpoints.
    print("the first:", await diary_of(first_end))
    async for snapshot in graph.aget_state_history(thread):
        assert snapshot.metadata is not None
        print(
            f"  {snapshot.metadata['source']:>6}  {snapshot.values.get('city', ''):>6}  next: {snapshot.next}"
        )


if __name__ == "__main__":
    wanted = sys.argv[1] if len(sys.argv) > 1 else "Lisbon"
    if wanted not in WEATHER:
        sys.exit(f"Choose from {', '.join(WEATHER)}.")
    asyncio.run(main(wanted))
