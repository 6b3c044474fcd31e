"""What was measured, as records with their statistics, and as the JSON they are kept in."""

import statistics
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from bench.cases import Door

Status = Literal["measured", "not offered", "failed"]


@dataclass(slots=True, kw_only=True)
class Sampled:
    """What one contestant did: `rounds` holds the seconds of each round's samples; `reason` is why there are none."""

    contestant: str
    status: Status = "measured"
    reason: str = ""
    rounds: list[list[float]] = field(default_factory=list[list[float]])

    @property
    def samples(self) -> list[float]:
        return [seconds for taken in self.rounds for seconds in taken]

    @property
    def median(self) -> float:
        return statistics.median(self.samples)

    @property
    def spread(self) -> tuple[float, float]:
        """The seconds below which a tenth, and above which a tenth of the samples lie."""
        samples = sorted(self.samples)
        if len(samples) == 1:
            return samples[0], samples[0]
        tenths = statistics.quantiles(samples, n=10, method="inclusive")
        return tenths[0], tenths[-1]

    def summary(self) -> dict[str, Any]:
        low, high = self.spread
        return {
            "median_s": self.median,
            "p10_s": low,
            "p90_s": high,
            "min_s": min(self.samples),
            "repeats": len(self.samples),
        }


@dataclass(slots=True, kw_only=True)
class Figure(Sampled):
    """One cell: a contestant at a case through a door."""

    case: str
    door: Door
    runs_per_sample: int = 0

    def as_json(self) -> dict[str, Any]:
        record = asdict(self)
        if self.status != "measured":
            return {name: record[name] for name in ("case", "door", "contestant", "status", "reason")}
        return {
            **{k: v for k, v in record.items() if k not in ("rounds", "reason")},
            **self.summary(),
            "rounds": self.rounds,
        }


@dataclass(slots=True, kw_only=True)
class Report:
    """One invocation: the machine, the contestants and their figures."""

    started: str
    machine: dict[str, Any]
    options: dict[str, Any]
    contestants: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    figures: list[Figure] = field(default_factory=list[Figure])
    growth: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def find(self, case: str, door: Door, contestant: str) -> Figure | None:
        """Return the figure if it was measured."""
        for figure in self.figures:
            if (figure.case, figure.door, figure.contestant) == (case, door, contestant):
                return figure if figure.status == "measured" else None
        return None

    def as_json(self) -> dict[str, Any]:
        return {
            "schema": 1,
            "started": self.started,
            "machine": self.machine,
            "options": self.options,
            "contestants": self.contestants,
            "figures": [figure.as_json() for figure in self.figures],
            "growth": self.growth,
        }


def report_from_json(data: dict[str, Any]) -> Report:
    """Return the report that `as_json` wrote."""
    names = ("case", "door", "contestant", "status", "reason", "runs_per_sample", "rounds")
    figures = [Figure(**{name: cell[name] for name in names if name in cell}) for cell in data["figures"]]
    return Report(
        started=data["started"],
        machine=data["machine"],
        options=data["options"],
        contestants=data["contestants"],
        figures=figures,
        growth=data["growth"],
    )


def in_order(values: Iterable[str]) -> list[str]:
    """Return the values without repetition, in the order of their first appearance."""
    return list(dict.fromkeys(values))


def duration(seconds: float) -> str:
    """Return a time with three digits and the unit that suits it."""
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= scale:
            return f"{three_digits(seconds / scale)} {unit}"
    return f"{three_digits(seconds / 1e-9)} ns"


def three_digits(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"
