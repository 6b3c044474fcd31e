"""graphrt with its savers for SQLite and Postgres."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any

from bench.durable.cases import Case, Storage
from bench.durable.contestants.graph_api import GraphApi, config_of, runner
from bench.durable.messages import said
from bench.durable.recording import Sized, Timed

DISTRIBUTIONS = ("graphrt", "msgspec", "aiosqlite", "asyncpg")


class GraphrtSavers:
    """Opens them with their defaults, except for what the storage says."""

    @asynccontextmanager
    async def open(self, storage: Storage, address: str) -> AsyncGenerator[Any]:
        match storage.kind:
            case "sqlite":
                library: Any = import_module("graphrt.checkpoint.sqlite").SqliteSaver
                async with library.from_conn_string(address, synchronous=storage.synchronous) as saver:
                    yield saver
            case "postgres":
                library = import_module("graphrt.checkpoint.postgres").PostgresSaver
                async with library.from_conn_string(address) as saver:
                    await saver.setup()
                    yield saver
            case "memory":
                yield import_module("graphrt.checkpoint.memory").InMemorySaver()

    def timed(self, saver: Any, seconds: list[float]) -> Any:
        return saver if saver.immediate else Timed(saver, seconds)

    async def begin(self, graph: Any, saver: Any, threads: list[str], turns: int) -> None:
        """Have one conversation turn by turn, so that its rows lie as they would, and copy it."""
        first, *others = threads
        for turn in range(turns):
            await graph.ainvoke(said(2 * turn), config_of(first))
        for thread in others:
            await saver.acopy_thread(first, thread)


class Graphrt(GraphApi):
    """Also says what it stores for each step, for the floor."""

    def __init__(self) -> None:
        super().__init__("graphrt", DISTRIBUTIONS, GraphrtSavers())

    async def bytes_per_step(self, case: Case) -> list[int]:
        """Return the bytes of each commit of one run, in order."""
        saver = Sized(import_module("graphrt.checkpoint.memory").InMemorySaver())
        graph = self.builder(case).compile(checkpointer=saver)
        if case.keeps_its_threads:
            for turn in range(case.size):
                await graph.ainvoke(said(2 * turn), config_of("thread"))
            saver.sizes.clear()
        await runner(graph, case, durability="sync")("thread")
        return saver.sizes


def contestant() -> Graphrt:
    return Graphrt()
