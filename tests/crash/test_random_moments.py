"""A process is killed at a random moment, perhaps its successor too; another one goes on.

Several are killed at a time, most of them on one database that all use. GRAPHRT_CRASH_ROUNDS says how many (200),
GRAPHRT_CRASH_SEED which.
"""

import random
from typing import Any

import pytest

from tests.crash import shooting
from tests.crash.databases import Databases, damage_of
from tests.crash.processes import Processes
from tests.crash.rounds import Round, Way, dice, each

pytestmark = pytest.mark.slow

LINES = 80
"""About so much does a run tell that nobody watches."""

OPTIONS: dict[str, list[dict[str, Any]]] = {
    "sqlite": [{"synchronous": "FULL"}, {"synchronous": "NORMAL"}],
    "postgres": [{}, {"statement_cache_size": 0}],
}
WAYS = [
    Way(durability, streams, loop)
    for durability in ("sync", "async")
    for streams in ((), ("updates",), ("updates", "checkpoints"))
    for loop in ("asyncio", "uvloop")
]


def test_a_run_that_is_killed_at_a_random_moment_goes_on(
    processes: Processes, databases: Databases, moments: int, seed: int
) -> None:
    shared = databases.place()
    unbroken = Round(processes, shared, "unbroken", WAYS[0]).unbroken()

    killed: list[int] = []

    def crash(number: int) -> None:
        if sum(killed) >= moments:
            return
        roll = dice(seed, databases.kind, number)
        database = databases.place(**roll.choice(OPTIONS[databases.kind])) if roll.random() < 0.1 else shared
        crashed = Round(processes, database, f"round {number}", roll.choice(WAYS))
        kill_somewhere(crashed, roll, LINES)
        if roll.random() < 0.5:
            kill_somewhere(crashed, roll, LINES // 4)
        crashed.check(unbroken)
        killed.append(crashed.kills)

    each(crash, range(2 * moments))  # some come too late: their process has ended
    assert sum(killed) >= moments
    assert not damage_of(shared)


def test_many_runs_at_once_that_are_killed_again_and_again_all_end(
    processes: Processes, databases: Databases, moments: int, seed: int
) -> None:
    """Their commits share transactions, on SQLite."""
    turns, threads, processes_killed = 6, 30, max(1, moments // 15)
    work = {"database": databases.place().wire, "turns": turns, "threads": threads}
    roll = dice(seed, databases.kind, "many")
    for _ in range(processes_killed):
        child = processes.start(shooting.persevere, loop=roll.choice(["asyncio", "uvloop"]), **work)
        wanted = roll.randrange(2 * turns * threads // processes_killed)
        child.until_it_told(wanted)
        child.kill(after_s=roll.uniform(0, 0.003 if wanted else 0.04))
        assert not child.has_told("failed"), child.told[-1][1]
    last = processes.start(shooting.persevere, loop="asyncio", **work)
    assert last.report() == shooting.expected(turns, threads)


def kill_somewhere(crashed: Round, roll: random.Random, lines: int) -> None:
    """Kill an attempt a little after it has told some of so many lines, or before it has told any."""
    told = roll.randrange(lines)
    crashed.killed_when(told, roll.uniform(0, 0.003 if told else 0.04))
