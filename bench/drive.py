"""Rounds over all contestants: A B C, A B C, ..., so that what disturbs the machine disturbs them alike."""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from bench.cases import Case, Door
from bench.contestants.roster import Entry
from bench.environments import ROOT, RivalNotInstalledError, interpreter_of
from bench.figures import Figure
from bench.importing import ImportTimer
from bench.measure import Effort

LONGEST_LINE = 2**26
Answer = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to measure, in which rounds, and how long to wait for one answer."""

    cases: Sequence[Case]
    contestants: Sequence[Entry]
    effort: Effort
    rounds: int
    timeout_s: float


class Process:
    """A contestant's worker: started by the first question, again after it had to be stopped."""

    def __init__(self, entry: Entry, timeout_s: float, worker: str = "bench.worker") -> None:
        self.entry = entry
        self.timeout_s = timeout_s
        self.worker = worker
        self.running: asyncio.subprocess.Process | None = None

    async def ask(self, **request: Any) -> Answer:
        """Send a request and return the answer; a dead or silent worker is an answer, too."""
        try:
            running = self.running or await self.start()
        except RivalNotInstalledError as error:
            return {"failed": f"no environment: {error}"}
        assert running.stdin is not None
        assert running.stdout is not None
        try:
            running.stdin.write(json.dumps(request).encode() + b"\n")
            await running.stdin.drain()
            line = await asyncio.wait_for(running.stdout.readline(), self.timeout_s)
        except TimeoutError:
            await self.stop()
            return {"failed": f"no answer within {self.timeout_s:.0f} s"}
        except ConnectionError:
            line = b""
        if not line:
            status = await running.wait()
            self.running = None
            return {"failed": f"the process died with status {status}"}
        answer: Answer = json.loads(line)
        return answer

    async def start(self) -> asyncio.subprocess.Process:
        python = await asyncio.to_thread(interpreter_of, self.entry.environment)
        self.running = await asyncio.create_subprocess_exec(
            str(python),
            "-m",
            self.worker,
            self.entry.name,
            cwd=ROOT,
            env=worker_environment(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=LONGEST_LINE,
        )
        return self.running

    async def stop(self) -> None:
        if self.running is None:
            return
        with suppress(ProcessLookupError):
            self.running.kill()
        await self.running.wait()
        self.running = None


def worker_environment() -> dict[str, str]:
    """Return the environment of a worker: no tracing to the outside, no debug mode, no foreign import path."""
    dropped = {"PYTHONPATH", "PYTHONASYNCIODEBUG", "PYTHONDEVMODE", "PYTHONOPTIMIZE", "PYTHONSTARTUP"}
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return {**kept, "LANGSMITH_TRACING": "false", "LANGCHAIN_TRACING_V2": "false"}


async def with_processes(
    entries: Sequence[Entry],
    timeout_s: float,
    use: Callable[[list[Process]], Awaitable[None]],
    worker: str = "bench.worker",
) -> None:
    """Call `use` with a process for every contestant, and leave none behind."""
    processes = [Process(entry, timeout_s, worker) for entry in entries]
    try:
        await use(processes)
    finally:
        for process in processes:
            await process.stop()


async def introduce(processes: list[Process]) -> dict[str, Answer]:
    """Start every worker and return who they are."""
    return {process.entry.name: await process.ask(do="hello") for process in processes}


async def measure_all(plan: Plan, processes: list[Process]) -> list[Figure]:
    """Take every case, one after the other, through all its rounds."""
    figures: list[Figure] = []
    for case, door in rows(plan.cases):
        tell(f"{case.name} ({door})")
        figures += await measure_case(plan, processes, case, door)
    return figures


async def measure_case(plan: Plan, processes: list[Process], case: Case, door: Door) -> list[Figure]:
    figures = {
        process.entry.name: Figure(case=case.name, door=door, contestant=process.entry.name)
        for process in processes
    }
    timer = ImportTimer(plan.effort)
    for _ in range(plan.rounds):
        for process in processes:
            figure = figures[process.entry.name]
            if figure.status != "measured":
                continue
            if case.shape == "importing":
                answer = await asyncio.to_thread(timer.measure, process.entry)
            else:
                answer = await process.ask(
                    do="measure", case=case.name, door=door, effort=asdict(plan.effort)
                )
            record(figure, answer)
    return list(figures.values())


def record(figure: Figure, answer: Answer) -> None:
    match answer:
        case {"seconds": seconds, "runs_per_sample": number}:
            figure.rounds.append(seconds)
            figure.runs_per_sample = number
        case {"not_offered": reason}:
            figure.status, figure.reason = "not offered", reason
        case {"failed": reason}:
            figure.status, figure.reason = "failed", reason
        case _:
            figure.status, figure.reason = "failed", f"an answer that makes no sense: {answer!r:.100}"


def rows(cases: Sequence[Case]) -> Iterator[tuple[Case, Door]]:
    for case in cases:
        for door in case.doors:
            yield case, door


def tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
