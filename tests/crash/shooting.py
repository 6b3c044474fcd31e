"""Jobs of many short runs at once, under fire."""

import asyncio
import operator
from typing import Annotated, Any, TypedDict

from graphrt.errors import ThreadConflict
from graphrt.graph import START, StateGraph
from tests.crash.databases import Database
from tests.crash.jobs import on_loop
from tests.crash.line import Line
from tests.crash.rounds import dice
from tests.crash.wire import fragile


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
    on_loop(options.pop("loop"), _talk_and_report(line, **options))


async def _talk_and_report(line: Line, **options: Any) -> None:
    line.tell("report", await _talk(line, **options))


def talk_on_a_bad_line(line: Line, **options: Any) -> None:
    """`talk`, and tell how often the wire broke."""
    on_loop(options.pop("loop"), _talk_on_a_bad_line(line, **options))


async def _talk_on_a_bad_line(
    line: Line, *, database: dict[str, Any], one_in: int, seed: int, **options: Any
) -> None:
    async with fragile(database["url"], one_in=one_in, roll=dice(seed, "wire")) as (url, wire):
        left = await _talk(line, database={**database, "url": url}, **options)
    line.tell("broke", wire.unsent, wire.unheard)
    line.tell("report", left)


async def _talk(line: Line, *, database: dict[str, Any], runs: int, at_once: int, threads: int) -> list[Any]:
    async with Database(**database).open() as saver:
        app = conversation(saver)

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
        return await everything(app, threads)


def conversation(saver: Any) -> Any:
    builder = StateGraph(Turns).add_node("answer", answer).add_node("remember", remember)
    return builder.add_edge(START, "answer").add_edge(START, "remember").compile(checkpointer=saver)


async def everything(app: Any, threads: int) -> list[Any]:
    """Each thread's values, and the steps of its history."""
    values = [(await app.aget_state(config_of(thread))).values for thread in range(threads)]
    steps = [
        [shown.metadata["step"] async for shown in app.aget_state_history(config_of(thread))]
        for thread in range(threads)
    ]
    return [values, steps]


def expected(turns: int, threads: int) -> list[Any]:
    """What `everything` gives when each thread has had so many turns, each once."""
    log = [word for turn in range(turns) for word in (str(turn), f"answer {turn}")]
    return [
        [{"log": log, "count": 2 * turns}] * threads,
        [list(reversed(range(-1, 3 * turns - 1)))] * threads,
    ]


def persevere(line: Line, **options: Any) -> None:
    """Bring all threads, at once, to so many turns, from wherever they are."""
    on_loop(options.pop("loop"), _persevere(line, **options))


async def _persevere(line: Line, *, database: dict[str, Any], turns: int, threads: int) -> None:
    async with Database(**database).open() as saver:
        app = conversation(saver)

        async def go_on(thread: int) -> None:
            while True:
                state = await app.aget_state(config_of(thread))
                done = len(state.values.get("log", ())) // 2
                if not state.tasks and done == turns:
                    return
                try:
                    # Tasks whose results are stored are no longer in `next`; the step may have to be committed yet.
                    await app.ainvoke(None if state.tasks else {"log": [str(done)]}, config_of(thread))
                    line.tell("ran", thread)
                except ThreadConflict:
                    line.tell("conflict")  # what a killed process had sent has arrived

        async with asyncio.TaskGroup() as group:
            for thread in range(threads):
                group.create_task(go_on(thread))
        line.tell("report", await everything(app, threads))


def config_of(thread: int) -> Any:
    return {"configurable": {"thread_id": f"thread {thread}"}}
