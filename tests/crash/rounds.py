"""One thread, run by one process after the other until one of them is not killed."""

import random
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from msgspec import Struct

from tests.crash import jobs, story
from tests.crash.databases import Database
from tests.crash.processes import Child, Processes

AT_ONCE = 4
T = TypeVar("T")
R = TypeVar("R")


class Way(Struct, frozen=True):
    """How the graph is run."""

    durability: str
    streams: tuple[str, ...] = ()
    loop: str = "asyncio"

    def __str__(self) -> str:
        return " ".join([self.durability, "+".join(self.streams) or "unwatched", self.loop])


class Round:
    """A thread's attempts.

    Attributes:
        kills: how many of them were killed before they were over.
    """

    def __init__(self, processes: Processes, database: Database, thread: str, way: Way) -> None:
        self._processes = processes
        self._arguments: dict[str, Any] = {
            "database": database.wire, "thread": thread, "durability": way.durability, "streams": list(way.streams),
            "loop": way.loop,
        }  # fmt: skip
        self._way = way
        self._attempts: list[Child] = []
        self.kills = 0

    def start(self, **more: Any) -> Child:
        """Begin another attempt."""
        child = self._processes.start(jobs.run_to_the_end, **self._arguments, **more)
        self._attempts.append(child)
        return child

    def killed_at(self, call: int, when: str) -> None:
        """An attempt that kills itself at its k-th storage call, if it has so many."""
        child = self.start(kill={"at": call, "when": when})
        child.until(lambda: False)
        assert not child.has_told("failed"), child.told[-1][1]
        self.kills += not child.has_told("report")

    def killed_when(self, told: int, delay_s: float) -> None:
        """An attempt that is killed so long after it has told so much."""
        child = self.start()
        child.until_it_told(told)
        child.kill(after_s=delay_s)
        assert not child.has_told("failed"), child.told[-1][1]
        self.kills += not child.has_told("report")

    def unbroken(self) -> story.History:
        """An attempt that nobody kills; what it leaves."""
        left: story.History = self.start().report()
        return left

    def check(self, unbroken: story.History) -> None:
        """Go on to the end, and compare what happened with a thread that nothing happened to."""
        left = self.unbroken()
        told = [child.told for child in self._attempts]
        try:
            story.check(told, left, unbroken, durability=self._way.durability)
        except AssertionError as wrong:
            for number, lines in enumerate(told):
                wrong.add_note(f"attempt {number}: {[line[:3] for line in lines if line[0] != 'found']}")
            raise


def each(work: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """Do it for all items, a few at a time; the first failure is raised when those under way have ended."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        futures = [pool.submit(work, item) for item in items]
        try:
            return [future.result() for future in futures]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def dice(seed: int, *of: Any) -> random.Random:
    """Random numbers that are the same for the same seed."""
    return random.Random(f"{seed} {of}")
