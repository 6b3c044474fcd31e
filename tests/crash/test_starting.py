"""Many processes come to an empty database at once, or one is killed while it makes the tables."""

import asyncio
from typing import Any

import pytest

from tests.crash import racing
from tests.crash.databases import Database, Databases, schema_of
from tests.crash.processes import Child, Processes
from tests.crash.rounds import dice, each
from tests.crash.test_one_thread import let_go

pytestmark = pytest.mark.slow

PROCESSES = 20
LEFT = {"value": 3, "runs": ["0", "1", "2"]}


def starts(processes: Processes, *databases: Database, name: str = "alone", loop: str = "asyncio") -> Child:
    return processes.start(
        racing.come_first, databases=[database.wire for database in databases], name=name, loop=loop
    )


def schema_made_in_peace(processes: Processes, databases: Databases) -> list[Any]:
    database = databases.place()
    let_go([starts(processes, database)])
    return asyncio.run(schema_of(database))


def test_twenty_processes_start_on_an_empty_database(processes: Processes, databases: Databases) -> None:
    crowded = [databases.new(), databases.place(), databases.place()]
    children = [
        starts(processes, *crowded, name=f"thread {number}", loop=["asyncio", "uvloop"][number % 2])
        for number in range(PROCESSES)
    ]
    assert let_go(children, times=len(crowded)) == [[LEFT] * len(crowded)] * PROCESSES
    unbroken = schema_made_in_peace(processes, databases)
    assert [asyncio.run(schema_of(database)) for database in crowded] == [unbroken] * len(crowded)


def test_a_process_that_is_killed_while_it_makes_the_tables_leaves_all_or_nothing(
    processes: Processes, databases: Databases, seed: int
) -> None:
    unbroken = schema_made_in_peace(processes, databases)

    def crash(number: int) -> None:
        database = databases.place()
        killed = starts(processes, database, name="killed")
        killed.until_told("ready", 0)
        killed.tell()
        killed.kill(after_s=dice(seed, databases.kind, number).uniform(0, 0.05))
        assert let_go([starts(processes, database, name="later")]) == [[LEFT]]
        assert asyncio.run(schema_of(database)) == unbroken

    each(crash, range(20))
