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
CONNECTIONS = 10
"""Of the pool when many runs are under way, as many as graphrt's may have."""


class LangGraphSavers:
    """Opens them as their documentation says."""

    @asynccontextmanager
    async def open(self, storage: Storage, address: str, together: int) -> AsyncGenerator[Any]:
        match storage.kind:
            case "sqlite":
                aiosqlite: Any = import_module("aiosqlite")
                library: Any = import_module("langgraph.checkpoint.sqlite.aio")
                async with aiosqlite.connect(address) as connection:
                    saver = library.AsyncSqliteSaver(connection)
                    await saver.setup()
                    await connection.execute(f"PRAGMA synchronous={storage.synchronous}")
                    yield saver
            case "postgres":
                async with self._postgres(address, together) as saver:
                    await saver.setup()
                    yield saver
            case "memory":
                yield import_module("langgraph.checkpoint.memory").InMemorySaver()

    @asynccontextmanager
    async def _postgres(self, address: str, together: int) -> AsyncGenerator[Any]:
        """One connection for one run, which is faster then; a pool for many."""
        library: Any = import_module("langgraph.checkpoint.postgres.aio").AsyncPostgresSaver
        if together == 1:
            async with library.from_conn_string(address) as saver:
                yield saver
            return
        pool: Any = import_module("psycopg_pool").AsyncConnectionPool
        rows: Any = import_module("psycopg.rows").dict_row
        options = {"autocommit": True, "prepare_threshold": 0, "row_factory": rows}
        async with pool(address, min_size=1, max_size=CONNECTIONS, kwargs=options, open=False) as connections:
            yield library(connections)

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
