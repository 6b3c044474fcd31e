"""What the processes do. Each job gets the line to the test and plain data."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from graphrt.errors import ThreadConflict
from graphrt.testing.faults import FaultySaver, Kill
from tests.crash import program
from tests.crash.databases import Database
from tests.crash.line import Line
from tests.crash.watched import Watched


def on_loop(loop: str, main: Coroutine[Any, Any, None]) -> None:
    """Run `main` on a loop of this kind."""
    factory: Callable[[], asyncio.AbstractEventLoop] | None = None
    if loop == "uvloop":
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main)


def run_to_the_end(line: Line, *, loop: str = "asyncio", **options: Any) -> None:
    """Run the program's graph on a thread from wherever it is, and report how that went."""
    on_loop(loop, _run_to_the_end(line, **options))


async def _run_to_the_end(
    line: Line,
    *,
    database: dict[str, Any],
    thread: str,
    durability: str,
    streams: list[str],
    kill: dict[str, Any] | None = None,
) -> None:
    async with Database(**database).open() as inner:
        watched = Watched(inner, line)
        saver = FaultySaver(watched, Kill(**kill)) if kill is not None else watched
        app = program.graph(line, watched, saver)
        config: Any = {"configurable": {"thread_id": thread}}
        if kill is None:
            line.tell("found", await history(app, config))
        while True:
            begun = (await app.aget_state(config)).metadata is not None
            try:
                await run(app, line, None if begun else program.INPUT, config, durability, streams)
                break
            except ThreadConflict:
                # What a killed process had sent may arrive after this one has begun.
                line.tell("conflict")
        left = await history(app, config) if kill is None else None
    line.tell("report", left)


async def run(app: Any, line: Line, given: Any, config: Any, durability: str, streams: list[str]) -> None:
    """Run it and tell what it streams when it streams it."""
    if not streams:
        await app.ainvoke(given, config, durability=durability)
        return
    async for mode, chunk in app.astream(given, config, durability=durability, stream_mode=streams):
        if mode == "checkpoints":
            identity = chunk["config"]["configurable"]["checkpoint_id"]
            line.tell("streamed checkpoint", identity, chunk["metadata"]["step"], chunk["values"])
        else:
            line.tell("streamed", mode, chunk)


async def history(app: Any, config: Any) -> list[dict[str, Any]]:
    """The thread's checkpoints, newest first."""
    return [
        {
            "id": shown.config["configurable"]["checkpoint_id"],
            "parent": shown.parent_config and shown.parent_config["configurable"]["checkpoint_id"],
            "step": shown.metadata["step"],
            "source": shown.metadata["source"],
            "next": list(shown.next),
            "values": shown.values,
            "results": [task.result for task in shown.tasks],
        }
        async for shown in app.aget_state_history(config)
    ]
