"""fast-langgraph's SQLite checkpointer, called by hand.

It calls itself a drop-in replacement, but LangGraph refuses it (`compile` wants a BaseCheckpointSaver, and it has
neither that base nor its methods). So here the nodes run by hand, and its `put` is called as often as a graph with a
checkpointer would, with the whole state, as LangGraph's own savers store it. What a graph run costs is not in it.

`put` blocks the event loop; a worker thread would make it slower. It opens a connection of its own for each call, with
SQLite's default for `synchronous`, which is FULL, and no way to say otherwise.
"""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib import import_module
from importlib.metadata import version
from typing import Any

from bench import nodes
from bench.durable.cases import Case, Storage
from bench.durable.contestants.contract import Contestant, Job, NotOfferedError, Run, Talk
from bench.durable.messages import answer, said, transcript

NO_POSTGRES = "has no Postgres checkpointer"
NO_NORMAL = "synchronous cannot be set: it is always FULL"
NO_GRAPH = "compile refuses it as a checkpointer, so no graph can be asked for its state"


class FastLangGraph:
    """A loop that stores the whole state with each step."""

    def versions(self) -> dict[str, str]:
        return {"fast-langgraph": version("fast-langgraph")}

    @asynccontextmanager
    async def open(self, job: Job) -> AsyncGenerator[Run]:
        if job.row.storage.kind != "sqlite":
            raise NotOfferedError(NO_POSTGRES)
        if not job.row.storage.survives_power_loss:
            raise NotOfferedError(NO_NORMAL)
        saver: Any = import_module("fast_langgraph").RustSQLiteCheckpointer(job.address)
        # It leaves SQLite's slow default; the mode is the file's, so it can be changed from outside.
        connection = sqlite3.connect(job.address)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.close()
        yield ByHand(saver, job.row.case, len(job.bytes_per_step)).run

    def talk(self, storage: Storage, address: str) -> AbstractAsyncContextManager[Talk]:
        raise NotOfferedError(NO_GRAPH)


class ByHand:
    """Runs one case; `steps` are what a graph would store in one run."""

    def __init__(self, saver: Any, case: Case, steps: int) -> None:
        self.saver = saver
        self.case = case
        self.steps = steps

    async def run(self, thread: str) -> int:
        await asyncio.sleep(0)  # nothing below gives way to the other runs
        match self.case.shape:
            case "chain" | "loop":
                return await self.count(thread)
            case "turn":
                if self.saver.get(thread, "newest") is None:
                    self.keep(thread, "newest", transcript(self.case.size))
                return await self.turn(thread)
            case "conversation":
                return [await self.turn(thread) for _ in range(self.case.size)][-1]

    async def count(self, thread: str) -> int:
        state: nodes.Update = {"x": 0}
        for step in range(self.steps):
            if step > 1:
                state.update(await nodes.count_async(state))
            self.keep(thread, str(step), state)
        reached: int = state["x"]
        return reached

    async def turn(self, thread: str) -> int:
        stored = self.saver.get(thread, "newest")
        messages = stored["channel_values"]["messages"] if stored else []
        number = len(messages)
        self.keep(thread, f"{number}-0", {"messages": messages})
        messages = messages + said(number)["messages"]
        self.keep(thread, f"{number}-1", {"messages": messages})
        messages = messages + (await answer({"messages": messages}))["messages"]
        self.keep(thread, "newest", {"messages": messages})
        return len(messages)

    def keep(self, thread: str, checkpoint: str, values: nodes.Update) -> None:
        versions = dict.fromkeys(values, 1)
        self.saver.put(
            thread,
            checkpoint,
            {"channel_values": values, "channel_versions": versions, "versions_seen": {}},
        )


def contestant() -> Contestant:
    return FastLangGraph()
