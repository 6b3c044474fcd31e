"""Asks every worker for the counts of calls.py and the growth of scaling.py, and lays them out."""

import statistics
from collections.abc import Sequence
from typing import Any

from bench import calls, scaling
from bench.drive import Process, tell
from bench.figures import duration
from bench.table import Footnotes, markdown


async def count_all(processes: Sequence[Process]) -> list[dict[str, Any]]:
    """Return a record for every contestant and kind of unit."""
    records: list[dict[str, Any]] = []
    for process in processes:
        for kind in calls.KINDS:
            answer = await process.ask(do="calls", kind=kind)
            records.append({"contestant": process.entry.name, "kind": kind, **reasoned(answer)})
    return records


async def grow_all(processes: Sequence[Process], *, late: int, rounds: int) -> list[dict[str, Any]]:
    """Return a record for every contestant and kind of growth, small and large measured in turn."""
    records: list[dict[str, Any]] = []
    for kind in scaling.KINDS:
        small, large = scaling.sizes(kind, late)
        for process in processes:
            tell(f"{kind}, {small:,} against {large:,}: {process.entry.name}")
            record = {"contestant": process.entry.name, "kind": kind, "small": small, "large": large}
            records.append(record | await compare(process, kind, small, large, rounds))
    return records


async def compare(process: Process, kind: str, small: int, large: int, rounds: int) -> dict[str, Any]:
    seconds: dict[int, list[float]] = {small: [], large: []}
    for _ in range(rounds):
        for size, taken in seconds.items():
            answer = await process.ask(do="growth", kind=kind, size=size)
            if "seconds" not in answer:
                return reasoned(answer)
            taken.append(answer["seconds"])
    return {"small_s": statistics.median(seconds[small]), "large_s": statistics.median(seconds[large])}


def reasoned(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the answer with its reason under one name, whether the worker could not or would not."""
    if "not_offered" in answer:
        return {"reason": f"n/a: {answer['not_offered']}"}
    if "failed" in answer:
        return {"reason": f"failed: {answer['failed']}"}
    return answer


def calls_table(records: Sequence[dict[str, Any]]) -> str:
    notes = Footnotes()
    rows = [["contestant", *calls.KINDS]]
    for name in dict.fromkeys(record["contestant"] for record in records):
        cells = [record for record in records if record["contestant"] == name]
        rows.append([name, *(f"{r['calls']:,.0f}" if "calls" in r else noted(r, notes) for r in cells)])
    return "\n".join(["Python and C calls, counted by cProfile:", "", *markdown(rows), *notes.lines()])


def growth_table(records: Sequence[dict[str, Any]]) -> str:
    notes = Footnotes()
    rows = [
        ["what there is more of", "contestant", "small", "large", "a superstep, small", "large", "growth"]
    ]
    for record in records:
        head = [record["kind"], record["contestant"], f"{record['small']:,}", f"{record['large']:,}"]
        if "reason" in record:
            rows.append([*head, noted(record, notes), "", ""])
        else:
            small, large = record["small_s"], record["large_s"]
            rows.append([*head, duration(small), duration(large), f"{large / small:.2f}x"])
    return "\n".join([*markdown(rows), *notes.lines()])


def noted(record: dict[str, Any], notes: Footnotes) -> str:
    """Return the first word of the reason and the number of the note that holds the rest."""
    word = record["reason"].partition(":")[0]
    return f"{word} {notes.mark(record['contestant'] + ': ' + record['reason'])}"
