"""A process that asks, answers and remembers is killed at its first storage call, then at its second, and so on."""

import pytest

from tests.crash import asking, story
from tests.crash.databases import Databases
from tests.crash.processes import Child, Processes
from tests.crash.rounds import each

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("durability", ["sync", "async"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_questions_memos_and_graphs_inside_survive_a_kill_at_any_storage_call(
    processes: Processes, databases: Databases, durability: str, when: str
) -> None:
    database = databases.place()

    def start(thread: str, **more: object) -> Child:
        options = {"database": database.wire, "thread": thread, "durability": durability}
        return processes.start(asking.answer_to_the_end, **options, **more)

    log, unbroken, calls = start("unbroken").report()
    assert log == asking.END.log

    def crash(call: int) -> None:
        killed = start(f"call {call}", kill={"at": call, "when": when})
        killed.until(lambda: False)
        assert not killed.has_told("failed"), killed.told[-1][1]
        assert not killed.has_told("report"), f"call {call} was not made"
        later = start(f"call {call}")
        log, shown, _ = later.report()
        assert log == asking.END.log
        assert story.without_ids(shown) == story.without_ids(unbroken)
        nothing_stored_was_done_again([killed, later])

    each(crash, range(1, calls + 1))


def nothing_stored_was_done_again(attempts: list[Child]) -> None:
    """A function or memo that storage had acknowledged does not begin again, in this process or a later one."""
    stored: set[str] = set()
    for attempt in attempts:
        for what, *more in attempt.told:
            if what == "acknowledged":
                stored.add(more[0])
            elif what == "begun":
                assert name_of(more[0]) not in stored, f"{more[0]} had ended"
            elif what == "stepped":
                assert more[0] not in stored, f"{more[0]} was remembered"


def name_of(place: str) -> str:
    """Of the function that is there: a node's is the last part, a task's has the number of its call."""
    return place.rpartition("/")[2].replace(".", "_")
