"""The bars that durable threads must clear, each a line that says by how much they do.

With synchronous=FULL one run waits for the disk in each step, and LangGraph's run twice: no runtime can be ten times
faster than that. So for one run that ratio is shown in the table, and not judged.
"""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.bars import Bar, missing
from bench.durable.cases import MANY, MEMORY, ONE, STORAGE_BY_NAME
from bench.durable.figures import Cell, Point, Report
from bench.durable.lengthen import OURS, RIVAL
from bench.durable.messages import MESSAGE_BYTES
from bench.figures import duration

FLOOR = "floor"
STEPS = "loop_100"
"""The case that a step's budget is judged by: what a run costs besides its steps weighs little in it."""
TO_THE_FLOOR = 1.3
RATE_OF_MANY = 10.0
RATIOS = {
    ("sqlite-normal", ONE): 10.0,
    ("sqlite-normal", MANY): 50.0,
    ("sqlite-full", MANY): 50.0,
    ("postgres", ONE): 10.0,
    ("postgres", MANY): 20.0,
}
"""How many times faster than langgraph."""

STRAIGHT = 0.999
TO_THE_MESSAGES = 3.0
MEMORY_BYTES = 5_000_000
MARK = 1_000
FLAT = 1.5
"""The most that a commit in a long conversation may take, relative to a short one: the noise of two medians."""
FEW_TURNS = 100


def judge(report: Report) -> list[Bar]:
    """Return every bar that concerns what was to be measured; a figure that is missing there misses its bar."""
    return [*floors(report), *rates(report), *ratios(report), *growth(report)]


def floors(report: Report) -> Iterator[Bar]:
    for storage in STORAGE_BY_NAME:
        if (storage, STEPS, ONE, "sync") in asked(report):
            name = f"{storage}, a durable step of one run: at most {TO_THE_FLOOR}x the floor"
            pair = ((OURS, storage, STEPS, ONE), (FLOOR, storage, STEPS, ONE))
            yield at_most(report, name, *pair, TO_THE_FLOOR)


def rates(report: Report) -> Iterator[Bar]:
    """Judge whether concurrent runs share transactions."""
    for storage in ("sqlite-normal", "sqlite-full"):
        if (storage, STEPS, MANY, "sync") in asked(report):
            name = f"{storage}, {MANY} runs: at least {RATE_OF_MANY:.0f}x the steps per second of one"
            pair = ((OURS, storage, STEPS, ONE), (OURS, storage, STEPS, MANY))
            yield at_least(report, name, *pair, RATE_OF_MANY)


def ratios(report: Report) -> Iterator[Bar]:
    for storage, case, together, durability in asked(report):
        wanted = RATIOS.get((storage, together))
        if wanted is not None:
            name = f"{storage}, {case}, {together} at once, {durability}: {wanted:.0f}x langgraph"
            row = (storage, case, together)
            yield at_least(report, name, (RIVAL, *row), (OURS, *row), wanted, durability)


def asked(report: Report) -> list[tuple[str, str, int, str]]:
    """Return the rows that were to be measured."""
    return list(
        dict.fromkeys((cell.storage, cell.case, cell.together, cell.durability) for cell in report.cells)
    )


Key = tuple[str, str, str, int]


def at_most(report: Report, name: str, above: Key, below: Key, limit: float) -> Bar:
    first, second = find(report, above), find(report, below)
    if first is None or second is None:
        return missing(name, above[0] if first is None else below[0])
    ratio = first.median / second.median
    return Bar(name, ratio <= limit, evidence(ratio, first, second))


def at_least(
    report: Report, name: str, above: Key, below: Key, wanted: float, durability: str = "sync"
) -> Bar:
    first, second = find(report, above, durability), find(report, below, durability)
    if first is None or second is None:
        return missing(name, above[0] if first is None else below[0])
    ratio = first.median / second.median
    return Bar(name, ratio >= wanted, evidence(ratio, first, second))


def find(report: Report, key: Key, durability: str = "sync") -> Cell | None:
    return report.find(*key, durability)


def evidence(ratio: float, first: Cell, second: Cell) -> str:
    shown = [f"{cell.contestant} x{cell.together} {duration(cell.median)}" for cell in (first, second)]
    return f"{ratio:.2f}x ({', '.join(shown)})"


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line by least squares, and how much of the values' variance it explains."""

    slope: float
    intercept: float
    r_squared: float


def fit(x: Sequence[float], y: Sequence[float]) -> Line:
    slope, intercept = statistics.linear_regression(x, y)
    mean = statistics.fmean(y)
    total = sum((value - mean) ** 2 for value in y)
    rest = sum((value - slope * at - intercept) ** 2 for at, value in zip(x, y, strict=True))
    return Line(slope, intercept, 1 - rest / total if total else 1.0)


def growth(report: Report) -> Iterator[Bar]:
    for storage in dict.fromkeys(point.storage for point in report.points):
        curve = report.curve(OURS, storage)
        if len(curve) < 2:
            yield missing(f"{storage}: storage grows with new data", OURS)
            continue
        yield straight(storage, curve)
        yield from small(storage, curve)
        if storage != MEMORY.name:
            yield flat(storage, curve)
            yield few_rows(storage, curve)


def straight(storage: str, curve: Sequence[Point]) -> Bar:
    line = fit([point.turns for point in curve], [point.bytes for point in curve])
    name = f"{storage}, {curve[0].turns:,} to {curve[-1].turns:,} turns: bytes on a straight line"
    return Bar(name, line.r_squared >= STRAIGHT, f"R² = {line.r_squared:.6f}, {line.slope:,.0f} bytes a turn")


def small(storage: str, curve: Sequence[Point]) -> Iterator[Bar]:
    name = f"{storage}, {MARK:,} turns: bytes stored at most {TO_THE_MESSAGES:.0f}x those of the messages"
    stored = next((point.bytes for point in curve if point.turns == MARK), None)
    if stored is None:
        yield missing(name, OURS)
        return
    ratio = stored / (2 * MESSAGE_BYTES * MARK)
    yield Bar(name, ratio <= TO_THE_MESSAGES, f"{ratio:.2f}x ({stored:,} bytes)")
    if storage == MEMORY.name:
        name = f"{storage}, {MARK:,} turns: at most {MEMORY_BYTES / 1e6:.0f} MB"
        yield Bar(name, stored <= MEMORY_BYTES, f"{stored / 1e6:.2f} MB")


def flat(storage: str, curve: Sequence[Point]) -> Bar:
    name = f"{storage}: a commit after {curve[-1].turns:,} turns takes at most {FLAT}x one after {FEW_TURNS}"
    few = next((point.commit_s for point in curve if point.turns == FEW_TURNS), None)
    many = curve[-1].commit_s
    if few is None or many is None:
        return missing(name, OURS)
    return Bar(name, many / few <= FLAT, f"{many / few:.2f}x ({duration(few)}, {duration(many)})")


def few_rows(storage: str, curve: Sequence[Point]) -> Bar:
    from checkpointers.segments import MAX_SEGMENTS

    last = curve[-1]
    name = f"{storage}: a load after {last.turns:,} turns reads at most {MAX_SEGMENTS} rows of a channel"
    return missing(name, OURS) if last.rows is None else Bar(name, last.rows <= MAX_SEGMENTS, str(last.rows))
