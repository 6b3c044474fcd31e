"""A process is killed at its first storage call, then at its second, and so on; another one goes on."""

import pytest

from tests.crash.databases import Databases
from tests.crash.processes import Processes
from tests.crash.program import CALLS
from tests.crash.rounds import Round, Way, each

pytestmark = pytest.mark.slow

WAYS = [Way("sync", ("updates",)), Way("sync", ("updates", "checkpoints"), "uvloop"), Way("async")]


@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_run_that_is_killed_at_any_storage_call_goes_on(
    processes: Processes, databases: Databases, way: Way, when: str
) -> None:
    database = databases.place()
    unbroken = Round(processes, database, "unbroken", way).unbroken()

    def crash(call: int) -> bool:
        """Was it killed there?"""
        crashed = Round(processes, database, f"call {call}", way)
        crashed.killed_at(call, when)
        crashed.check(unbroken)
        return crashed.kills == 1

    killed = each(crash, range(1, CALLS + 5))
    assert all(killed[:CALLS]), "a call was not made"
    assert not killed[-1], "there were more calls"
