"""A job under fire: many short runs at once, whatever happens to their connections."""

import asyncio
import operator
from typing import Annotated, Any, TypedDict

from graphrt.graph import START, StateGraph
from tests.crash.databases import Database
from tests.crash.jobs import on_loop
from tests.crash.line import Line


class Turns(TypedDict):
    log: Annotated[list[str], operator.add]
    count: Annotated[int, operator.add]


async def answer(state: Turns) -> dict[str, Any]:
    await asyncio.sleep(0)
    return {"log": [f"answer {state['log'][-1]}"], "count": 1}


async def remember(state: Turns) -> dict[str, Any]:
    return {"count": 1}


def talk(line: Line, **options: Any) -> None:
    """So many runs, so many at once, on threads of their own in turn; tell what each came to."""
    on_loop(options.pop("loop"), _talk(line, **options))


async def _talk(line: Line, *, database: dict[str, Any], runs: int, at_once: int, threads: int) -> None:
    async with Database(**database).open() as saver:
        builder = StateGraph(Turns).add_node("answer", answer).add_node("remember", remember)
        app = builder.add_edge(START, "answer").add_edge(START, "remember").compile(checkpointer=saver)

        async def worker(number: int) -> None:
            mine = range(number, threads, at_once)
            for turn in range(runs // threads):
                for thread in mine:
                    durability: Any = ["sync", "async"][(turn + thread) % 2]
                    try:
                        await app.ainvoke({"log": [str(turn)]}, config_of(thread), durability=durability)
                    except Exception as lost:
                        line.tell("lost", thread, turn, repr(lost))
                    else:
                        line.tell("ran", thread, turn)

        async with asyncio.TaskGroup() as group:
            for number in range(at_once):
                group.create_task(worker(number))
        left = [(await app.aget_state(config_of(thread))).values for thread in range(threads)]
        histories = [
            [shown.metadata["step"] async for shown in app.aget_state_history(config_of(thread))]
            for thread in range(threads)
        ]
    line.tell("report", [left, histories])


def config_of(thread: int) -> Any:
    return {"configurable": {"thread_id": f"thread {thread}"}}
