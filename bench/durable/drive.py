"""Rounds over all contestants: A B C, A B C, ..., each with a database of its own."""

import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from itertools import zip_longest

from bench.contestants.roster import Entry
from bench.drive import Process, tell
from bench.durable.cases import Case, Row, Storage
from bench.durable.databases import Databases, WrongServerError
from bench.durable.figures import Cell, Report
from bench.durable.measure import Effort

PATIENCE_S = 20.0
"""A contestant that has spent so long on a row is left out of the row's further rounds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to measure, in which rounds, and how long to wait for one answer."""

    rows: Sequence[Row]
    contestants: Sequence[Entry]
    effort: Effort
    rounds: int
    timeout_s: float


async def sizes_of(plan: Plan, graphrt: Process) -> dict[str, list[int]]:
    """Return what graphrt stores for each step of each case. Raises RuntimeError if it cannot say."""
    sizes: dict[str, list[int]] = {}
    for name in dict.fromkeys(row.case.name for row in plan.rows):
        answer = await graphrt.ask(do="bytes_per_step", case=name)
        if "bytes" not in answer:
            raise RuntimeError(f"graphrt does not run {name}: {answer}")
        sizes[name] = answer["bytes"]
    return sizes


async def measure_all(plan: Plan, processes: Sequence[Process], databases: Databases, report: Report) -> None:
    """Take every row, one after the other, through all its rounds; the report has what is done so far."""
    kept: dict[str, str] = {}
    for row, following in zip_longest(plan.rows, plan.rows[1:]):
        taking = Taking(plan, databases, row, report.bytes_per_step[row.case.name], kept)
        report.cells += await taking.measure(processes)
        tell(
            f"{row.storage.name}, {row.case.name}, {row.together} at once, {row.durability}: {taking.spent()}"
        )
        if following is None or place(following) != place(row):
            for address in kept.values():
                await databases.remove(row.storage, address)
            kept.clear()


def place(row: Row) -> tuple[Storage, Case, int]:
    """What rows must have in common to use the same threads."""
    return row.storage, row.case, row.together


class Taking:
    """One row through all its rounds."""

    def __init__(
        self, plan: Plan, databases: Databases, row: Row, sizes: list[int], kept: dict[str, str]
    ) -> None:
        self.plan = plan
        self.databases = databases
        self.row = row
        self.sizes = sizes
        self.kept = kept
        self.seconds: dict[str, float] = {}

    async def measure(self, processes: Sequence[Process]) -> list[Cell]:
        cells = {process.entry.name: self.cell(process.entry.name) for process in processes}
        for _ in range(self.plan.rounds):
            for process in processes:
                cell = cells[process.entry.name]
                spent = self.seconds.get(cell.contestant, 0.0)
                if cell.status == "measured" and spent < PATIENCE_S:
                    began = time.perf_counter()
                    await self.take(process, cell)
                    self.seconds[cell.contestant] = spent + time.perf_counter() - began
        return list(cells.values())

    def spent(self) -> str:
        return ", ".join(f"{name} {seconds:.1f} s" for name, seconds in self.seconds.items())

    def cell(self, contestant: str) -> Cell:
        row = self.row
        return Cell(
            contestant=contestant,
            storage=row.storage.name,
            case=row.case.name,
            together=row.together,
            durability=row.durability,
            steps=len(self.sizes),
        )

    async def take(self, process: Process, cell: Cell) -> None:
        try:
            async with self.database(process.entry.name) as address:
                answer = await process.ask(
                    do="measure",
                    storage=cell.storage,
                    case=cell.case,
                    together=cell.together,
                    durability=cell.durability,
                    address=address,
                    bytes_per_step=self.sizes,
                    effort=asdict(self.plan.effort),
                )
        except WrongServerError as error:
            answer = {"not_offered": str(error)}
        match answer:
            case {"seconds": seconds}:
                cell.rounds.append(seconds)
            case {"not_offered": reason}:
                cell.status, cell.reason = "not offered", reason
            case _:
                cell.status, cell.reason = "failed", str(answer.get("failed", answer))[:300]

    @asynccontextmanager
    async def database(self, contestant: str) -> AsyncGenerator[str]:
        """Lend a fresh database, or for a case that keeps its threads the one of the round before."""
        storage = self.row.storage
        if self.row.case.keeps_its_threads:
            if contestant not in self.kept:
                self.kept[contestant] = await self.databases.fresh(storage)
            yield self.kept[contestant]
            return
        address = await self.databases.fresh(storage)
        try:
            yield address
        finally:
            await self.databases.remove(storage, address)
