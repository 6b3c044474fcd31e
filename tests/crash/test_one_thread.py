"""Many processes run one thread at once: each run happens once, or is refused."""

import signal
from typing import Any

import pytest

from tests.crash import racing
from tests.crash.databases import Databases, damage_of
from tests.crash.processes import Child, Processes

pytestmark = pytest.mark.slow

PROCESSES = 8


@pytest.mark.parametrize("insist, runs", [(False, 100), (True, 12)], ids=["gives up", "tries again"])
def test_the_counter_equals_the_runs_that_were_acknowledged(
    processes: Processes, databases: Databases, insist: bool, runs: int, seed: int
) -> None:
    database = databases.place()
    children = [
        processes.start(
            racing.count, database=database.wire, name=f"process {number}", runs=runs, insist=insist, seed=seed,
            loop=["asyncio", "uvloop"][number % 2],
        )
        for number in range(PROCESSES)
    ]  # fmt: skip
    let_go(children)
    counted = sorted(tuple(more) for child in children for what, *more in child.told if what == "counted")
    refused = sum(told == ["conflict"] for child in children for told in child.told)
    assert [value for value, _ in counted] == list(range(1, len(counted) + 1))
    assert not damage_of(database)
    if insist:
        assert len(counted) == PROCESSES * runs
    else:
        assert len(counted) + refused == PROCESSES * runs
        assert counted
        assert refused, "they never met"


def let_go(children: list[Child], times: int = 1) -> list[Any]:
    """Let children go on that are all ready, at once, so many times; what they report."""
    for number in range(times):
        for child in children:
            child.until_told("ready", number)
        for child in children:
            child.tell()
    return [child.report() for child in children]


@pytest.mark.parametrize("durability", ["sync", "async"])
@pytest.mark.parametrize("shape", ["alone", "beside"])
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_process_that_wakes_up_late_is_refused(
    processes: Processes, databases: Databases, durability: str, shape: str, loop: str
) -> None:
    database = databases.place().wire
    sleeper = processes.start(racing.hold, database=database, durability=durability, shape=shape, loop=loop)
    sleeper.until_told("held")
    sleeper.until(lambda: [told[2] for told in sleeper.told if told[0] == "committed"] == [-1, 0, 1])
    sleeper.signal(signal.SIGSTOP)  # not in the middle of a transaction: SQLite would have to wait for it
    found, *left = processes.start(racing.take_over, database=database, shape=shape).report()
    sleeper.tell()
    sleeper.signal(signal.SIGCONT)
    assert sleeper.report() == ["taken", found, left[0]]
    assert processes.start(racing.look, database=database).report() == left
    assert "held too late" not in left[1]["log"]
