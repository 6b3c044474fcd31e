"""The floor: the nodes called by hand, and for each step the bytes that graphrt stores for it, in one INSERT.

aiosqlite in autocommit, the fastest way there is to insert one row durably with it; asyncpg with a prepared statement.
"""

import asyncio
import os
import platform
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from importlib import import_module
from importlib.metadata import version
from typing import Any

from bench import nodes
from bench.durable.cases import ONE, Case, Storage
from bench.durable.contestants.contract import Contestant, Job, NotOfferedError, Run, Talk
from bench.durable.messages import answer, said

CONNECTIONS = 10
"""For many tasks on Postgres, as many as graphrt's pool may have."""
CREATE_SQLITE = "CREATE TABLE IF NOT EXISTS step (id INTEGER PRIMARY KEY, data BLOB NOT NULL)"
CREATE_POSTGRES = (
    "CREATE TABLE IF NOT EXISTS step"
    " (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, data bytea NOT NULL)"
)
INSERT_SQLITE = "INSERT INTO step (data) VALUES (?)"
INSERT_POSTGRES = "INSERT INTO step (data) VALUES ($1)"
STEPS_WITHOUT_NODE = 2
"""A run stores its input, and what it becomes in the state, before its first node runs."""

Insert = Callable[[bytes], Awaitable[object]]


class Floor:
    """Loops with an insert after each step; `transaction` writes out BEGIN and COMMIT as well."""

    def __init__(self, *, transaction: bool) -> None:
        self.transaction = transaction

    def versions(self) -> dict[str, str]:
        drivers = {name: version(name) for name in ("aiosqlite", "asyncpg")}
        return {"python": platform.python_version(), **drivers}

    @asynccontextmanager
    async def open(self, job: Job) -> AsyncGenerator[Run]:
        storage = job.row.storage
        inserting = self._sqlite if storage.kind == "sqlite" else self._postgres
        async with inserting(storage, job.address, job.row.together) as insert:
            yield by_hand(job.row.case, payloads(job.bytes_per_step), insert)

    def talk(self, storage: Storage, address: str) -> AbstractAsyncContextManager[Talk]:
        raise NotOfferedError("nothing reads what was inserted")

    @asynccontextmanager
    async def _sqlite(self, storage: Storage, address: str, together: int) -> AsyncGenerator[Insert]:
        aiosqlite: Any = import_module("aiosqlite")
        async with aiosqlite.connect(address, isolation_level=None) as connection:
            await connection.execute("PRAGMA journal_mode=WAL")
            await connection.execute(f"PRAGMA synchronous={storage.synchronous}")
            await connection.execute(CREATE_SQLITE)
            yield self._in_transaction(connection) if self.transaction else self._at_once(connection)

    def _at_once(self, connection: Any) -> Insert:
        def insert(data: bytes) -> Awaitable[object]:
            done: Awaitable[object] = connection.execute(INSERT_SQLITE, (data,))
            return done

        return insert

    def _in_transaction(self, connection: Any) -> Insert:
        lock = asyncio.Lock()  # tasks share the connection, but not a transaction

        async def insert(data: bytes) -> None:
            async with lock:
                await connection.execute("BEGIN IMMEDIATE")
                await connection.execute(INSERT_SQLITE, (data,))
                await connection.commit()

        return insert

    @asynccontextmanager
    async def _postgres(self, storage: Storage, address: str, together: int) -> AsyncGenerator[Insert]:
        asyncpg: Any = import_module("asyncpg")
        async with AsyncExitStack() as stack:
            free: asyncio.Queue[tuple[Any, Any]] = asyncio.Queue()
            for _ in range(ONE if together == ONE else CONNECTIONS):
                connection = await asyncpg.connect(address)
                stack.push_async_callback(connection.close)
                await connection.execute(CREATE_POSTGRES)
                free.put_nowait((connection, await connection.prepare(INSERT_POSTGRES)))
            if together == ONE and not self.transaction:
                yield (await free.get())[1].fetch
            else:
                yield self._lent(free)

    def _lent(self, free: "asyncio.Queue[tuple[Any, Any]]") -> Insert:
        async def insert(data: bytes) -> None:
            connection, statement = await free.get()
            try:
                if self.transaction:
                    async with connection.transaction():
                        await statement.fetch(data)
                else:
                    await statement.fetch(data)
            finally:
                free.put_nowait((connection, statement))

        return insert


def payloads(sizes: Sequence[int]) -> list[bytes]:
    """Return bytes of these sizes that nothing can compress; equal sizes share theirs."""
    made = {size: os.urandom(size) for size in set(sizes)}
    return [made[size] for size in sizes]


def by_hand(case: Case, stored: Sequence[bytes], insert: Insert) -> Run:
    """Return what runs the case: each step's node, if it has one, and then its insert."""

    async def count(thread: str) -> int:
        state: nodes.Update = {"x": 0}
        for number, data in enumerate(stored):
            if number >= STEPS_WITHOUT_NODE:
                state.update(await nodes.count_async(state))
            await insert(data)
        reached: int = state["x"]
        return reached

    async def conversation(thread: str) -> int:
        messages = [] if case.shape == "conversation" else [said(0)["messages"][0]] * case.answer
        steps = iter(stored)
        for data in steps:
            await insert(data)
            messages += said(len(messages))["messages"]
            await insert(next(steps))
            messages += (await answer({"messages": messages}))["messages"]
            await insert(next(steps))
        return len(messages)

    return count if case.shape in ("chain", "loop") else conversation


def contestant() -> Contestant:
    return Floor(transaction=False)
