"""The ground every test stands on: which loops, which savers, and what may not happen unnoticed.

- Tests in `engine/`, `acceptance/` and `checkpointers/` that are `async def` run on every loop of `LOOPS`; others on
  asyncio alone. asyncio runs in debug mode.
- While an async test runs, a blocking call on the loop raises, and afterwards no task of it may be alive and no
  error may have reached the loop's handler of last resort.
- Warnings are errors (pyproject.toml).
"""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from blockbuster import BlockBuster, blockbuster_ctx
from hypothesis import HealthCheck, settings

from graphrt.checkpoint.sqlite import SqliteSaver

try:
    import uvloop
except ImportError:  # not on Windows, not on PyPy: nothing requires it
    uvloop = None

# One scheduling of this suite must fail on another machine as it failed here, however slow that machine is.
settings.register_profile(
    "graphrt", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("explore", deadline=None, max_examples=2_000)
settings.load_profile("graphrt")


# ---- the garbage of others


@pytest.fixture(autouse=True, scope="module")
def only_what_is_new() -> None:
    """No collection looks again at what earlier tests have left: some tests ask for hundreds."""
    gc.collect()
    gc.freeze()


# ---- loops


def asyncio_in_debug_mode() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    loop.set_debug(True)
    return loop


LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"asyncio": asyncio_in_debug_mode}
if uvloop is not None:
    LOOPS["uvloop"] = uvloop.new_event_loop

ON_EVERY_LOOP = {"engine", "acceptance", "checkpointers"}
TESTS = Path(__file__).parent


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    part = item.path.relative_to(TESTS).parts[0] if item.path.is_relative_to(TESTS) else ""
    return LOOPS if part in ON_EVERY_LOOP else {"asyncio": asyncio_in_debug_mode}


# ---- what an async test may not do

# A task that is just being cancelled or finalised ends within a few turns of the loop. One that waits for anything
# else does not, however many turns it gets.
TURNS_TO_END = 10


@pytest.fixture(autouse=True)
def guarded(request: pytest.FixtureRequest) -> None:
    """Puts the guard round async tests only: a sync test stands for a caller without a loop."""
    if pytest_asyncio.is_async_test(request.node):
        request.getfixturevalue("nothing_blocked_or_left_behind")


@pytest.fixture
async def nothing_blocked_or_left_behind() -> AsyncIterator[None]:
    loop = asyncio.get_running_loop()
    unhandled: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: unhandled.append(context))
    before = asyncio.all_tasks()
    with blockbuster_ctx() as blockbuster:
        allow_what_blocks_for_a_reason(blockbuster)
        yield
    alive = await tasks_alive_besides(before)
    assert not alive, "the test left tasks alive: " + ", ".join(sorted(map(repr, alive)))
    assert not unhandled, f"errors nobody handled: {unhandled}"


def allow_what_blocks_for_a_reason(blockbuster: BlockBuster) -> None:
    # An optional package imported inside a test reads files; that is the price of a first use, not of a run.
    for name in ("os.listdir", "os.getcwd", "io.BufferedReader.read", "os.path.abspath"):
        blockbuster.functions[name].can_block_in("<frozen importlib._bootstrap>", {"_find_and_load"})


async def tasks_alive_besides(before: set[asyncio.Task[Any]]) -> set[asyncio.Task[Any]]:
    known = before | {asyncio.current_task()}
    for _ in range(TURNS_TO_END):
        if not asyncio.all_tasks() - known:
            break
        await asyncio.sleep(0)
    return asyncio.all_tasks() - known


# ---- storage backends: a backend is done when everything that takes `saver` passes on it


@asynccontextmanager
async def memory_saver(directory: Path) -> AsyncIterator[Any]:
    from graphrt.checkpoint.memory import InMemorySaver

    yield InMemorySaver()


@cache
def postgres_server() -> Any:
    """The server that all tests share, started when the first test wants it."""
    from graphrt.testing.postgres import PostgresServer

    return PostgresServer().open()


@cache
def postgres_url() -> str:
    """A database with graphrt's tables."""
    from graphrt.checkpoint.postgres import PostgresSaver

    url: str = postgres_server().create_database()
    PostgresSaver.from_conn_string(url).setup()
    return url


@pytest.fixture(scope="session", autouse=True)
def postgres_server_ends() -> Iterator[None]:
    yield
    if postgres_server.cache_info().currsize:
        postgres_server().close()


async def no_threads(url: str) -> None:
    import asyncpg

    connection = await asyncpg.connect(url)
    await connection.execute("DELETE FROM graphrt.threads")
    await connection.close()


@pytest.fixture
async def postgres() -> str:
    """The URL of a database with graphrt's tables and nothing in them."""
    url = await asyncio.to_thread(postgres_url)
    await no_threads(url)
    return url


@asynccontextmanager
async def postgres_saver(directory: Path) -> AsyncIterator[Any]:
    url = await asyncio.to_thread(postgres_url)
    from graphrt.checkpoint.postgres import PostgresSaver

    await no_threads(url)
    async with PostgresSaver.from_conn_string(url) as saver:
        yield saver


@asynccontextmanager
async def sqlite_saver(directory: Path) -> AsyncIterator[Any]:
    async with SqliteSaver.from_conn_string(str(directory / "threads.db")) as saver:
        yield saver


# The one place to add a backend: open it on an empty directory or database, close it afterwards.
SAVERS: dict[str, Callable[[Path], AbstractAsyncContextManager[Any]]] = {
    "memory": memory_saver,
    "sqlite": sqlite_saver,
    "postgres": postgres_saver,
}


@pytest.fixture(params=SAVERS)
async def saver(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Any]:
    """An empty checkpointer of each kind."""
    async with SAVERS[request.param](tmp_path) as opened:
        yield opened


@pytest.fixture
def thread() -> dict[str, Any]:
    """The config of a thread of the test's own."""
    return {"configurable": {"thread_id": "thread-1"}}
