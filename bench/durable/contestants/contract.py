"""What a contestant's file offers: `contestant()`, which returns an object with these methods."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from bench.contestants.contract import NotOfferedError
from bench.durable.cases import Row, Storage

__all__ = ["Contestant", "Job", "NotOfferedError", "Talk", "Timings"]

Run = Callable[[str], Awaitable[int]]
"""Runs the case once on the named thread, and gives the count it reached or the messages that the thread now holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What to run and where: `address` is a file or a database's URL."""

    row: Row
    address: str
    bytes_per_step: Sequence[int]
    """What graphrt stores for each step of one run: the floor inserts so much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """Medians of the last turns of a talk, in seconds."""

    turn_s: float
    commit_s: float | None
    """One commit of a step, as the saver's caller waits for it; None where nobody can look at it."""


class Talk(Protocol):
    """One long conversation on a thread, held by one saver."""

    async def go_on(self, first: int, last: int) -> Timings:
        """Have the turns from number `first` up to `last`, and time the newest of them."""
        ...

    async def load(self) -> float:
        """Return the seconds that reading the thread's newest state takes, values decoded."""
        ...


class Contestant(Protocol):
    """One runtime with its savers. Both managers raise NotOfferedError with the reason."""

    def versions(self) -> dict[str, str]:
        """Return the version of every distribution that makes up this contestant."""
        ...

    def open(self, job: Job) -> AbstractAsyncContextManager[Run]:
        """Open the storage, prepare the threads that the case starts from, and give what runs it."""
        ...

    def talk(self, storage: Storage, address: str) -> AbstractAsyncContextManager[Talk]:
        """Open the storage for one long conversation."""
        ...
