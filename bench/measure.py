"""Repeats of one case inside a contestant's process: warm up, find how many runs fill a sample, take samples."""

import asyncio
import gc
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from types import ModuleType
from typing import Any

from bench.cases import Case, Door
from bench.contestants.contract import Contestant, Job, Lap, NotOfferedError

uvloop: ModuleType | None
try:
    import uvloop
except ImportError:
    uvloop = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How much time one contestant gets for one case in one round."""

    warmup_s: float
    budget_s: float
    sample_s: float
    """A sample holds as many runs as fill this, so that reading the clock and one hiccup weigh little."""
    most_samples: int


FULL = Effort(warmup_s=0.1, budget_s=0.3, sample_s=0.002, most_samples=100)
QUICK = Effort(warmup_s=0.0, budget_s=0.0, sample_s=0.0, most_samples=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """What one round gave: seconds per run (or per operation), one number for each sample."""

    seconds: list[float]
    runs_per_sample: int

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class WrongAnswerError(Exception):
    """The contestant ran something, but not the case: the time means nothing."""


def loop_name() -> str:
    return "asyncio" if uvloop is None else f"uvloop {uvloop.__version__}"


def run_on_loop(main: Any) -> Any:
    """Run a coroutine on a fresh loop, uvloop's where it is installed."""
    factory: Callable[[], asyncio.AbstractEventLoop] | None = (
        None if uvloop is None else uvloop.new_event_loop
    )
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(main)


def prepare(contestant: Contestant, case: Case, door: Door) -> Job:
    """Return the contestant's job for the case. Raises NotOfferedError."""
    method: Callable[[Door, int], Job] | None = getattr(contestant, case.shape, None)
    if method is None:
        raise NotOfferedError("the case is not written for it")
    return method(door, case.size)


def measure(contestant: Contestant, case: Case, door: Door, effort: Effort) -> Samples:
    """Take the samples of one round. Raises NotOfferedError, WrongAnswerError and whatever the contestant raises.

    The cycle collector stays on, as it is in programs: whoever leaves cycles behind pays for them here.
    """
    job = prepare(contestant, case, door)
    gc.collect()
    if door == "async":
        samples: Samples = run_on_loop(measure_async(job, case, effort))
        return samples
    check_answer(case, job.answer(job.start()))
    return Collector(case, effort).collect(lambda number: sample_sync(job, number))


def sample_sync(job: Job, number: int) -> float:
    start = job.start
    began = time.perf_counter()
    for _ in range(number):
        start()
    return (time.perf_counter() - began) / number


async def measure_async(job: Job, case: Case, effort: Effort) -> Samples:
    check_answer(case, job.answer(await job.start()))
    collector = Collector(case, effort)
    while (number := collector.wanted()) > 0:
        collector.take(await sample_async(job, case.together, number))
    return collector.samples()


async def sample_async(job: Job, together: int, number: int) -> float:
    start = job.start
    if isinstance(job, Lap):
        laps: list[float] = [await start() for _ in range(number)]
        return sum(laps) / number
    began = time.perf_counter()
    if together == 1:
        for _ in range(number):
            await start()
    else:
        for _ in range(number):
            await asyncio.gather(*[start() for _ in range(together)])
    return (time.perf_counter() - began) / number


class Collector:
    """Says how many runs the next sample should hold, until time or samples are used up.

    Each sample is the evidence for the next question, so the same object serves loops that await and loops that
    do not. The warm-up's samples, at least one, only tell how long a run takes.
    """

    def __init__(self, case: Case, effort: Effort) -> None:
        self.share = case.share
        self.effort = effort
        self.warm = False
        self.number = 1
        self.taken: list[float] = []
        self.since = time.perf_counter()

    def wanted(self) -> int:
        """Return how many runs the next sample should hold; 0 when there is enough."""
        enough = len(self.taken) >= self.effort.most_samples
        over = bool(self.taken) and time.perf_counter() - self.since >= self.effort.budget_s
        return 0 if enough or over else self.number

    def take(self, seconds: float) -> None:
        if self.warm:
            self.taken.append(seconds / self.share)
            return
        self.number = max(1, round(self.effort.sample_s / max(seconds, 1e-9)))
        if time.perf_counter() - self.since >= self.effort.warmup_s:
            self.warm = True
            self.since = time.perf_counter()

    def collect(self, sample: Callable[[int], float]) -> Samples:
        while (number := self.wanted()) > 0:
            self.take(sample(number))
        return self.samples()

    def samples(self) -> Samples:
        return Samples(seconds=self.taken, runs_per_sample=self.number)


def check_answer(case: Case, answer: object) -> None:
    if case.answer is not None and answer != case.answer:
        raise WrongAnswerError(f"wrong answer: expected {case.answer!r:.60}, got {answer!r:.60}")
