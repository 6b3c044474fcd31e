"""Jobs of processes that want the same thread, or the same database, at the same time."""

import asyncio
import operator
from typing import Annotated, Any, TypedDict

from graphrt.errors import ThreadConflict
from graphrt.graph import START, StateGraph
from tests.crash.databases import Database
from tests.crash.jobs import on_loop
from tests.crash.line import Line
from tests.crash.rounds import dice
from tests.crash.watched import Watched


class Counter(TypedDict):
    """`value` is read, and written one higher: an update that is lost shows."""

    value: int
    runs: Annotated[list[str], operator.add]


async def increment(state: Counter) -> dict[str, Any]:
    await asyncio.sleep(0)
    return {"value": state.get("value", 0) + 1}


async def note(state: Counter) -> dict[str, Any]:
    """Runs beside `increment`, so that a step's results are stored one by one."""
    return {}


def counter(saver: Any) -> Any:
    builder = StateGraph(Counter).add_node("increment", increment).add_node("note", note)
    return builder.add_edge(START, "increment").add_edge(START, "note").compile(checkpointer=saver)


def count(line: Line, **options: Any) -> None:
    """Make so many increments, each a run of its own, and tell what each came to."""
    on_loop(options["loop"], _count(line, **options))


async def _count(
    line: Line, *, database: dict[str, Any], name: str, runs: int, insist: bool, loop: str, seed: int
) -> None:
    """
    Args:
        insist: try each increment until it succeeds.
    """
    config: Any = {"configurable": {"thread_id": "counter"}}
    roll = dice(seed, name)
    async with Database(**database).open() as saver:
        app = counter(saver)
        line.tell("ready", 0)
        await asyncio.to_thread(line.hear)
        left = runs
        while left:
            left -= 1
            try:
                state = await app.ainvoke(
                    {"runs": [f"{name} {left}"]}, config, durability=roll.choice(["sync", "async"])
                )
                line.tell("counted", state["value"], f"{name} {left}")
            except ThreadConflict:
                line.tell("conflict")
                left += insist
                await asyncio.sleep(roll.uniform(0, 0.02))  # as everybody should who tries again
    line.tell("report", None)


def come_first(line: Line, *, databases: list[dict[str, Any]], name: str, loop: str) -> None:
    """Open one database after the other, each when the test says so, and run a thread on it."""
    on_loop(loop, _come_first(line, [Database(**database) for database in databases], name))


async def _come_first(line: Line, databases: list[Database], name: str) -> None:
    left: list[Any] = []
    for number, database in enumerate(databases):
        line.tell("ready", number)
        await asyncio.to_thread(line.hear)
        async with database.open() as saver:
            app, config = counter(saver), {"configurable": {"thread_id": name}}
            for run in range(3):
                await app.ainvoke({"runs": [str(run)]}, config)
            left.append((await app.aget_state(config)).values)
    line.tell("report", left)


class Steps(TypedDict):
    log: Annotated[list[str], operator.add]


def hold(line: Line, **options: Any) -> None:
    """Run a graph whose node `held` waits for the test, and tell when it does; report what the run came to."""
    on_loop(options["loop"], _hold(line, **options))


async def _hold(line: Line, *, database: dict[str, Any], durability: str, shape: str, loop: str) -> None:
    async def held(state: Steps) -> dict[str, Any]:
        line.tell("held")
        await asyncio.to_thread(line.hear)
        return {"log": ["held too late"]}

    async def waits(state: Steps) -> dict[str, Any]:
        await saver.until_stored(2, "held", patience_s=60)
        raise AssertionError("the result came too late and was stored")

    async with Database(**database).open() as inner:
        saver = Watched(inner, line)
        try:
            await stoppable(saver, shape, held, waits).ainvoke(
                {"log": ["input"]}, THREAD, durability=durability
            )
            line.tell("report", "it went on")
        except ThreadConflict as refused:
            line.tell("report", [refused.thread_id, refused.expected, refused.current])


def take_over(line: Line, *, database: dict[str, Any], shape: str) -> None:
    """Go on with the thread that is held elsewhere, to the end; report where it was and what became of it."""
    on_loop("asyncio", _take_over(line, Database(**database), shape))


async def _take_over(line: Line, database: Database, shape: str) -> None:
    async def says(state: Steps) -> dict[str, Any]:
        return {"log": ["taken over"]}

    async with database.open() as saver:
        app = stoppable(saver, shape, says, says)
        found = await app.aget_state(THREAD)
        await app.ainvoke(None, THREAD)
        left = await app.aget_state(THREAD)
    line.tell("report", [found.config["configurable"]["checkpoint_id"], *_shown(left)])


def look(line: Line, *, database: dict[str, Any]) -> None:
    """Report where the thread is."""
    on_loop("asyncio", _look(line, Database(**database)))


async def _look(line: Line, database: Database) -> None:
    async with database.open() as saver:
        state = await stoppable(saver, "alone", one("held"), one("beside")).aget_state(THREAD)
    line.tell("report", _shown(state))


def _shown(state: Any) -> list[Any]:
    return [state.config["configurable"]["checkpoint_id"], state.values]


THREAD: Any = {"configurable": {"thread_id": "taken"}}


def stoppable(saver: Any, shape: str, held: Any, beside: Any) -> Any:
    """first -> held -> last; "beside": with a sibling of `held`, so that its result is stored before the step ends."""
    builder = (
        StateGraph(Steps).add_node("first", one("first")).add_node("held", held).add_node("last", one("last"))
    )
    builder.add_edge(START, "first").add_edge("first", "held").add_edge("held", "last")
    if shape == "beside":
        builder.add_node("beside", beside).add_edge("first", "beside")
    return builder.compile(checkpointer=saver)


def one(word: str) -> Any:
    async def node(state: Steps) -> dict[str, Any]:
        return {"log": [word]}

    return node
