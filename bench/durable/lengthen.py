"""Conversations that grow from mark to mark: what they take on the disk, what a commit and a load of them take."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from bench.drive import Answer, Process, tell
from bench.durable.cases import MEMORY, Storage
from bench.durable.databases import Databases, WrongServerError
from bench.durable.disk import bytes_of, rows_read
from bench.durable.figures import Point, Report

OURS = "graphrt"
RIVAL = "langgraph"
MARKS = (10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)
LONGEST, LONGEST_QUICK = MARKS[-1], 100
LONGEST_OF_RIVAL = 1_000
"""LangGraph's storage grows with the square: 10,000 turns would take 60 GB."""
STORAGES = ("sqlite-normal", "postgres-relaxed")
"""Where nothing waits for the disk; the bytes are the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """Which conversations to have."""

    storages: Sequence[Storage]
    memory: bool
    turns: int

    def marks(self, contestant: str) -> tuple[int, ...]:
        longest = self.turns if contestant == OURS else min(self.turns, LONGEST_OF_RIVAL)
        return tuple(mark for mark in MARKS if mark <= longest)


class NotGrownError(Exception):
    """A conversation could not be had; the text says why."""


async def grow_all(
    growth: Growth, processes: Sequence[Process], databases: Databases, report: Report
) -> None:
    """Have all conversations; the report gets their points, and a note about each that stopped early."""
    for process in processes:
        name = process.entry.name
        for storage in [*growth.storages, *([MEMORY] if growth.memory else [])]:
            tell(f"a conversation of {growth.marks(name)[-1]:,} turns, {storage.name}: {name}")
            try:
                await grow(process, storage, databases, growth.marks(name), report.points)
            except NotGrownError as error:
                report.notes.append(f"{name}, {storage.name}: {error}")


async def grow(
    process: Process, storage: Storage, databases: Databases, marks: Sequence[int], points: list[Point]
) -> None:
    """Add a point for each mark. Raises NotGrownError; the points before it stay."""
    if storage is MEMORY:
        answer = await process.ask(do="remember", marks=marks)
        for turns, held in zip(marks, taken(answer, "bytes"), strict=True):
            points.append(Point(contestant=process.entry.name, storage=storage.name, turns=turns, bytes=held))
        return
    try:
        address = await databases.fresh(storage)
    except WrongServerError as error:
        raise NotGrownError(str(error)) from error
    try:
        for done, mark in pairwise((0, *marks)):
            points.append(await reach(process, storage, address, done, mark))
    finally:
        await databases.remove(storage, address)


async def reach(process: Process, storage: Storage, address: str, done: int, mark: int) -> Point:
    """Lengthen the conversation up to the mark, and look at what it has become."""
    answer = await process.ask(do="lengthen", storage=storage.name, address=address, first=done, last=mark)
    return Point(
        contestant=process.entry.name,
        storage=storage.name,
        turns=mark,
        turn_s=taken(answer, "turn_s"),
        commit_s=taken(answer, "commit_s"),
        load_s=taken(answer, "load_s"),
        bytes=await bytes_of(storage, address),
        rows=await rows_read(storage, address) if process.entry.name == OURS else None,
    )


def taken(answer: Answer, name: str) -> Any:
    if name not in answer:
        raise NotGrownError(str(answer.get("not_offered", answer.get("failed", answer))))
    return answer[name]
