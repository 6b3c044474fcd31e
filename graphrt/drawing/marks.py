"""What is told of one node of a run: how often it ran, how long that took, whether it failed or waits."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from msgspec import Struct

__all__ = ["Mark", "State"]

State: TypeAlias = Literal["", "failed", "waiting", "next"]
_WORDS: Final = {"failed": "failed", "waiting": "waits for an answer", "next": "is next"}


class Mark(Struct, frozen=True):
    """One node's part in a thread; the default is a node that did not run.

    Attributes:
        runs: how often it ran to its end.
        seconds: how long its timed runs took together.
        timed: of how many of its runs that is known.
        at_most: others ran beside it, so that `seconds` is an upper bound.
        at_least: older steps are not stored, so that `runs` is a lower bound.
        state: how it stands at the thread's newest checkpoint.
        error: what it failed with.
        failures: how often it failed and an error handler took its place.
    """

    runs: int = 0
    seconds: float = 0.0
    timed: int = 0
    at_most: bool = False
    at_least: bool = False
    state: State = ""
    error: str = ""
    failures: int = 0

    def __add__(self, other: Mark) -> Mark:
        """Both parts as one: those of the same node in several runs of its graph."""
        first = self if _urgency(self) >= _urgency(other) else other
        return Mark(
            self.runs + other.runs,
            self.seconds + other.seconds,
            self.timed + other.timed,
            self.at_most or other.at_most,
            self.at_least or other.at_least,
            first.state,
            first.error,
            self.failures + other.failures,
        )

    @property
    def role(self) -> str:
        """Which colours it has."""
        return self.state or ("ran" if self.runs or self.failures else "idle")

    @property
    def notes(self) -> list[str]:
        """Lines to put below the node's name."""
        notes: list[str] = []
        if self.runs:
            notes.append(f"{self._counted} · {self._took}" if self.timed else self._counted)
        if self.failures:
            notes.append(f"failed {self.failures} time{'s' if self.failures > 1 else ''}, which was handled")
        if self.state:
            notes.append(f"failed: {self.error}" if self.error else _WORDS[self.state])
        return notes or ["did not run"]

    @property
    def text(self) -> str:
        """All of it in one line."""
        return ", ".join(self.notes)

    @property
    def _counted(self) -> str:
        return f"{'at least ' if self.at_least else ''}{self.runs} run{'s' if self.runs > 1 else ''}"

    @property
    def _took(self) -> str:
        some = f" for {self.timed} of them" if self.timed < self.runs else ""
        return f"{'at most ' if self.at_most else ''}{_duration(self.seconds)}{some}"


def _urgency(mark: Mark) -> int:
    return ("", "next", "waiting", "failed").index(mark.state)


def _duration(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds * 1_000:.3g} ms"
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
