"""Many processes come to an empty database at once, or one is killed while it makes the tables."""

import asyncio

import pytest

from tests.crash import racing
from tests.crash.databases import Databases, schema_of
from tests.crash.processes import Processes
from tests.crash.rounds import dice, each
from tests.crash.test_one_thread import let_go

pytestmark = pytest.mark.slow

PROCESSES = 20


def test_twenty_processes_start_on_an_empty_database(processes: Processes, databases: Databases) -> None:
    crowded, quiet = databases.new(), databases.new()
    children = [
        processes.start(
            racing.come_first,
            database=crowded.wire,
            name=f"thread {number}",
            loop=["asyncio", "uvloop"][number % 2],
        )
        for number in range(PROCESSES)
    ]
    assert let_go(children) == [{"value": 3, "runs": ["0", "1", "2"]}] * PROCESSES
    let_go([processes.start(racing.come_first, database=quiet.wire, name="alone", loop="asyncio")])
    assert asyncio.run(schema_of(crowded)) == asyncio.run(schema_of(quiet))


def test_a_process_that_is_killed_while_it_makes_the_tables_leaves_all_or_nothing(
    processes: Processes, databases: Databases, seed: int
) -> None:
    quiet = databases.place()
    let_go([processes.start(racing.come_first, database=quiet.wire, name="alone", loop="asyncio")])
    unbroken = asyncio.run(schema_of(quiet))

    def crash(number: int) -> None:
        database = databases.place()
        killed = processes.start(racing.come_first, database=database.wire, name="killed", loop="asyncio")
        killed.until_told("ready")
        killed.tell()
        killed.kill(after_s=dice(seed, databases.kind, number).uniform(0, 0.05))
        later = processes.start(racing.come_first, database=database.wire, name="later", loop="asyncio")
        assert let_go([later]) == [{"value": 3, "runs": ["0", "1", "2"]}]
        assert asyncio.run(schema_of(database)) == unbroken

    each(crash, range(20))
