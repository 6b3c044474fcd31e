"""Repeats of one case inside a contestant's process: warm up, then so many samples as the effort allows.

A sample is one run, or all that run at once. It is long beside what disturbs it, since every step of it waits for a
database.
"""

import asyncio
import gc
import itertools
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass

from bench.durable.cases import Row
from bench.durable.contestants.contract import Contestant, Job, Run
from bench.measure import WrongAnswerError


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How much time one contestant gets for one row in one round."""

    budget_s: float
    most_samples: int
    long_s: float
    """A first sample that takes so long counts: what is cold at its beginning weighs little."""


FULL = Effort(budget_s=0.6, most_samples=20, long_s=1.0)
QUICK = Effort(budget_s=0.0, most_samples=1, long_s=0.0)


async def measure(contestant: Contestant, job: Job, effort: Effort) -> list[float]:
    """Return the seconds per step of each sample. Raises NotOfferedError, WrongAnswerError and what the runs raise."""
    async with contestant.open(job) as run:
        gc.collect()
        threads = names(job.row)
        steps = len(job.bytes_per_step) * job.row.together
        taken: list[float] = []
        first = await sample(run, job.row, threads)
        since = time.perf_counter()
        if first >= effort.long_s or not job.row.case.warms_up:
            taken.append(first / steps)
            since -= first
        while not taken or (
            time.perf_counter() - since < effort.budget_s and len(taken) < effort.most_samples
        ):
            taken.append(await sample(run, job.row, threads) / steps)
        return taken


async def sample(run: Run, row: Row, threads: Iterator[str]) -> float:
    """Run the case once on as many threads as the row says; return the seconds that all of it took."""
    chosen = list(itertools.islice(threads, row.together))
    began = time.perf_counter()
    if row.together == 1:
        answers = [await run(chosen[0])]
    else:
        answers = list(await asyncio.gather(*map(run, chosen)))
    seconds = time.perf_counter() - began
    for answer in answers:
        check(row, answer)
    return seconds


def names(row: Row) -> Iterator[str]:
    """Yield thread names: the same again and again for a case that keeps its threads, else new ones for ever."""
    if row.case.keeps_its_threads:
        return itertools.cycle(f"thread-{number}" for number in range(row.together))
    session = secrets.token_hex(4)
    return (f"{session}-{number}" for number in itertools.count())


def check(row: Row, answer: int) -> None:
    expected = row.case.answer
    if row.case.keeps_its_threads:
        right = answer > expected and answer % 2 == 0
    else:
        right = answer == expected
    if not right:
        raise WrongAnswerError(f"wrong answer: expected {expected}, got {answer}")
