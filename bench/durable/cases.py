"""What is measured: a case is a graph and how long it runs; a storage is a database and what it is trusted with."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Shape = Literal["chain", "loop", "turn", "conversation"]
Durability = Literal["sync", "async"]
Kind = Literal["sqlite", "postgres", "memory"]

DURABILITIES: tuple[Durability, ...] = ("sync", "async")
ONE, MANY = 1, 100
"""Runs at once, each on a thread of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One row of the result: the graph's shape and its size in nodes, supersteps or turns."""

    name: str
    what: str
    shape: Shape
    size: int
    together: tuple[int, ...] = (ONE, MANY)
    """How many runs at once, unless the command line says otherwise."""

    @property
    def keeps_its_threads(self) -> bool:
        """Do all rounds use the same threads, because making them takes long?"""
        return self.shape == "turn"

    @property
    def warms_up(self) -> bool:
        """Is one run so short that the first must not count?"""
        return self.shape != "conversation"

    @property
    def answer(self) -> int:
        """What a run gives: the count that it reached, or the messages that its thread holds after it."""
        return 2 * self.size if self.shape in ("turn", "conversation") else self.size


CASES: tuple[Case, ...] = (
    Case(name="chain_10", what="a run of ten nodes in a row", shape="chain", size=10),
    Case(name="loop_100", what="a run of 100 supersteps through a router", shape="loop", size=100),
    Case(
        name="turn_1000",
        what="one turn of a conversation that has had 1,000: load it, answer, store",
        shape="turn",
        size=1_000,
    ),
    Case(
        name="conversation_50",
        what="a conversation of 50 turns, from the first on",
        shape="conversation",
        size=50,
        together=(MANY,),
    ),
    Case(
        name="conversation_1000",
        what="a conversation of 1,000 turns, from the first on",
        shape="conversation",
        size=1_000,
        # 100 of them write 300,000 steps, and LangGraph 60 GB: only if asked for.
        together=(ONE,),
    ),
)

BY_NAME = {case.name: case for case in CASES}
QUICK = ("chain_10", "loop_100", "turn_1000", "conversation_50")
QUICK_TOGETHER = (1, 5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """A database with the settings that everybody uses it with."""

    name: str
    what: str
    kind: Kind
    survives_power_loss: bool

    @property
    def synchronous(self) -> str:
        """SQLite's PRAGMA of that name."""
        return "FULL" if self.survives_power_loss else "NORMAL"


STORAGES: tuple[Storage, ...] = (
    Storage(
        name="sqlite-normal",
        what="SQLite, WAL, synchronous=NORMAL: what was committed survives the process",
        kind="sqlite",
        survives_power_loss=False,
    ),
    Storage(
        name="sqlite-full",
        what="SQLite, WAL, synchronous=FULL: what was committed survives a power loss",
        kind="sqlite",
        survives_power_loss=True,
    ),
    Storage(
        name="postgres",
        what="Postgres on a Unix socket, fsync and synchronous_commit on",
        kind="postgres",
        survives_power_loss=True,
    ),
    Storage(
        name="postgres-relaxed",
        what="Postgres on a Unix socket, fsync and synchronous_commit off",
        kind="postgres",
        survives_power_loss=False,
    ),
)

STORAGE_BY_NAME = {storage.name: storage for storage in STORAGES}
MEMORY = Storage(name="memory", what="this process's memory", kind="memory", survives_power_loss=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of the result: what every contestant is asked for."""

    storage: Storage
    case: Case
    together: int
    durability: Durability


def rows(
    storages: Sequence[Storage],
    cases: Sequence[Case],
    together: Sequence[int] | None,
    durabilities: Sequence[Durability],
) -> list[Row]:
    """Every combination; `together` overrides what the cases say."""
    return [
        Row(storage=storage, case=case, together=number, durability=durability)
        for storage in storages
        for case in cases
        for number in (case.together if together is None else together)
        for durability in durabilities
    ]
