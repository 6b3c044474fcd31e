"""LangGraph with the savers that it publishes for SQLite and Postgres."""

import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any

from bench.durable.cases import Storage
from bench.durable.contestants.contract import Contestant
from bench.durable.contestants.graph_api import GraphApi, config_of
from bench.durable.messages import transcript

DISTRIBUTIONS = (
    "langgraph",
    "langgraph-checkpoint",
    "langgraph-checkpoint-sqlite",
    "langgraph-checkpoint-postgres",
    "aiosqlite",
    "psycopg",
)


class LangGraphSavers:
    """Opens them as their documentation says."""

    @asynccontextmanager
    async def open(self, storage: Storage, address: str) -> AsyncGenerator[Any]:
        match storage.kind:
            case "sqlite":
                aiosqlite: Any = import_module("aiosqlite")
                library: Any = import_module("langgraph.checkpoint.sqlite.aio").AsyncSqliteSaver
                async with aiosqlite.connect(address) as connection:
                    saver = library(connection)
                    await saver.setup()
                    await connection.execute(f"PRAGMA synchronous={storage.synchronous}")
                    yield saver
            case "postgres":
                # One connection, also for many runs: the saver has one lock round whatever it is given, and a pool
                # makes it a third slower.
                library = import_module("langgraph.checkpoint.postgres.aio").AsyncPostgresSaver
                async with library.from_conn_string(address) as saver:
                    await saver.setup()
                    yield saver
            case "memory":
                yield import_module("langgraph.checkpoint.memory").InMemorySaver()

    def timed(self, saver: Any, seconds: list[float]) -> Any:
        put = saver.aput

        async def aput(*arguments: Any) -> Any:
            began = time.perf_counter()
            stored = await put(*arguments)
            seconds.append(time.perf_counter() - began)
            return stored

        saver.aput = aput
        return saver

    async def begin(self, graph: Any, saver: Any, threads: list[str], turns: int) -> None:
        """Give each thread its history in one update: only the newest checkpoint is read, and that is the same."""
        for thread in threads:
            await graph.aupdate_state(config_of(thread), transcript(turns), as_node="answer")


def contestant() -> Contestant:
    return GraphApi("langgraph", DISTRIBUTIONS, LangGraphSavers())
