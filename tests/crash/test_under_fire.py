"""Postgres loses its connections, or goes away and comes back, while a program works: no run notices."""

import asyncio
import random
from collections.abc import Callable, Iterator
from typing import Any

import asyncpg
import pytest

from graphrt.errors import StorageError
from graphrt.testing.postgres import PostgresServer
from graphrt.testing.postgres.binaries import find_programs
from tests.crash import shooting
from tests.crash.databases import Database, Databases
from tests.crash.processes import Child, Processes
from tests.crash.rounds import dice

pytestmark = pytest.mark.slow

AT_ONCE, THREADS = 20, 40
VICTIMS = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() ORDER BY pid"


@pytest.fixture(scope="module")
def swift_server() -> Iterator[PostgresServer]:
    """Always our own, which can be restarted, and without fsync, so that it is back before the saver gives up.

    What a server has written survives its own crash all the same.
    """
    try:
        programs = find_programs()
    except StorageError as absent:
        pytest.skip(str(absent))
    with PostgresServer(settings={"synchronous_commit": "on"}, programs=programs) as server:
        yield server


class Gun:
    """Terminates backends of one database."""

    def __init__(self, database: Database, roll: random.Random) -> None:
        self._database = database
        self._roll = roll
        self._runner = asyncio.Runner()
        self._connection: Any = None
        self.hits = 0

    def shoot(self) -> None:
        self._runner.run(self._shoot())

    async def _shoot(self) -> None:
        if self._connection is None:
            self._connection = await asyncpg.connect(self._database.url)
        victims = [row["pid"] for row in await self._connection.fetch(VICTIMS)]
        if victims:
            victim = self._roll.choice(victims)
            self.hits += await self._connection.fetchval("SELECT pg_terminate_backend($1)", victim)

    def __enter__(self) -> "Gun":
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection is not None:
            self._connection.terminate()
        self._runner.close()


def nothing_lost(child: Child, runs: int) -> None:
    """Every run succeeded, and its effect is there once."""
    report = child.report()
    assert not [told for told in child.told if told[0] == "lost"]
    assert report == shooting.expected(runs // THREADS, THREADS)


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_terminated_backends_cost_no_run(
    processes: Processes, postgres: Databases, loop: str, seed: int
) -> None:
    runs = 1000 if loop == "asyncio" else 400
    database = postgres.place()
    roll = dice(seed, "terminate", loop)
    child = processes.start(
        shooting.talk, database=database.wire, runs=runs, at_once=AT_ONCE, threads=THREADS, loop=loop
    )
    with Gun(database, roll) as gun:
        next_shot = 1
        while not child.ended and len(child.told) < runs:
            child.until_it_told(next_shot)
            gun.shoot()
            next_shot = len(child.told) + roll.randint(1, 6)
        nothing_lost(child, runs)
        assert gun.hits >= runs // 20


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_wire_that_breaks_costs_no_run(
    processes: Processes, swift_server: PostgresServer, loop: str, seed: int
) -> None:
    """Whether what was sent had been done, nobody knows when a connection breaks."""
    runs = 400
    child = processes.start(
        shooting.talk_on_a_bad_line, database=Database("postgres", swift_server.create_database()).wire,
        one_in=50, seed=seed, runs=runs, at_once=AT_ONCE, threads=THREADS, loop=loop,
    )  # fmt: skip
    nothing_lost(child, runs)
    unsent, unheard = next(told[1:] for told in child.told if told[0] == "broke")
    assert min(unsent, unheard) > 5


@pytest.mark.parametrize("how", [PostgresServer.stop, PostgresServer.kill], ids=["in order", "at once"])
def test_a_server_that_comes_back_in_time_costs_no_run(
    processes: Processes, swift_server: PostgresServer, how: Callable[[PostgresServer], None]
) -> None:
    runs = 400
    database = Database("postgres", swift_server.create_database())
    child = processes.start(
        shooting.talk, database=database.wire, runs=runs, at_once=AT_ONCE, threads=THREADS, loop="asyncio"
    )
    child.until_it_told(runs // 2)
    how(swift_server)
    swift_server.start()
    assert len(child.told) < runs, "the runs were over before the server came back"
    nothing_lost(child, runs)
