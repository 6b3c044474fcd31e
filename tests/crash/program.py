"""The graph that is killed: everything that can be in a step, and each task says when it begins and ends.

    plan -> left, right, slow -> share -> work x 4 -> close -> plan, twice

`slow` ends only when what its siblings came to is stored, so that a crash can find a step half done. The nodes are
functions of their input: however often they run, they give the same.
"""

import asyncio
import operator
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypedDict

from graphrt.config import RunnableConfig
from graphrt.graph import END, START, StateGraph
from graphrt.types import Command, Send
from tests.crash.line import Line
from tests.crash.watched import Watched

ROUNDS = 2
WORKERS = 4
INPUT = {"log": ["input"], "round": 0}
CALLS = 2 + 1 + ROUNDS * (1 + 3 + 1 + WORKERS + 1)
"""Storage calls of a whole run: load, input, START's step; plan, three results, share, the workers' results, close."""


def union(old: dict[str, int], new: dict[str, int]) -> dict[str, int]:
    return {**old, **new}


class State(TypedDict):
    log: Annotated[list[str], operator.add]
    count: Annotated[int, operator.add]
    seen: Annotated[dict[str, int], union]
    text: str
    round: int


Node = Callable[[Any, int], Awaitable[Any]]
"""A node's work: given its input and the number of the step."""


def graph(line: Line, saver: Watched, checkpointer: Any) -> Any:
    """Compile it for a process that tells `line` and stores with `checkpointer`, which stands around `saver`."""

    def telling(node: Node) -> Any:
        async def told(state: Any, config: RunnableConfig) -> Any:
            step, _ = task = task_of(config)
            line.tell("begin", *task)
            update = await node(state, step)
            line.tell("end", *task)
            return update

        return told

    async def plan(state: State, _: int) -> dict[str, Any]:
        number = state["round"] + 1
        text = f"{state.get('text', '')}round {number}. "
        return {"round": number, "text": text, "log": [f"plan {number}"]}

    def swift(name: str) -> Node:
        async def node(state: State, _: int) -> dict[str, Any]:
            await asyncio.sleep(0)
            return noted(f"{name} {state['round']}")

        return node

    async def slow(state: State, step: int) -> dict[str, Any]:
        await saver.until_stored(step, "left", "right", patience_s=20)
        return noted(f"slow {state['round']}")

    def share(state: State, config: RunnableConfig) -> dict[str, Any]:
        """Sync: it runs in a thread."""
        line.tell("begin", *task_of(config))
        line.tell("end", *task_of(config))
        return noted(f"share {state['round']}")

    async def work(given: dict[str, int], _: int) -> dict[str, Any]:
        for _ in range(2 * given["index"]):
            await asyncio.sleep(0)
        return noted(f"work {given['round']}.{given['index']}", count=10)

    async def close(state: State, _: int) -> Command[Any]:
        update = noted(f"close {state['round']}", count=100)
        return Command(update=update, goto="plan" if state["round"] < ROUNDS else END)

    builder = StateGraph(State).add_node("plan", telling(plan)).add_node("share", share)
    builder.add_node("left", telling(swift("left"))).add_node("right", telling(swift("right")))
    builder.add_node("slow", telling(slow)).add_node("work", telling(work))
    builder.add_node("close", telling(close), destinations=("plan", END))
    builder.add_edge(START, "plan")
    for name in ("left", "right", "slow"):
        builder.add_edge("plan", name)
    builder.add_edge(["left", "right", "slow"], "share").add_edge("work", "close")
    builder.add_conditional_edges("share", packets, ["work"])
    return builder.compile(checkpointer=checkpointer)


def packets(state: State) -> list[Send]:
    return [Send("work", {"round": state["round"], "index": index}) for index in range(WORKERS)]


def noted(word: str, count: int = 1) -> dict[str, Any]:
    return {"log": [word], "count": count, "seen": {word: len(word)}}


def task_of(config: RunnableConfig) -> tuple[int, str]:
    """The task's step, and its place there as its result is stored under it."""
    metadata = config["metadata"]
    kind, name, *rest = metadata["langgraph_path"]
    pulled = kind == "__pregel_pull"
    place = name if pulled else f"{name:010d}, {(rest or [0])[0]:010d}"
    return metadata["langgraph_step"], f"~{kind}, {place}"
