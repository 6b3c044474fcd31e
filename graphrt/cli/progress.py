"""What a run has done so far, as data: chunks of the `debug` stream in, one row per node of a step out.

No clock and no terminal in here: the time comes in with each chunk.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Progress", "Row"]


@dataclass(slots=True)
class Row:
    """A node in one step; it may have many tasks there, one for each Send."""

    name: str
    step: int
    began_s: float
    ended_s: float | None = None
    started: int = 0
    done: int = 0
    failed: int = 0

    @property
    def running(self) -> bool:
        """Whether a task of the node has not finished yet."""
        return self.done + self.failed < self.started

    def seconds(self, now_s: float) -> float:
        """From the first start to the last end, or to now."""
        return (now_s if self.running or self.ended_s is None else self.ended_s) - self.began_s


@dataclass(slots=True)
class Progress:
    """The step that runs now. Feed it chunks in order."""

    step: int = 0
    steps: int = 0
    rows: dict[str, Row] = field(default_factory=dict[str, Row])

    def take(self, event: Mapping[str, Any], now_s: float) -> list[Row]:
        """Note a `debug` chunk; returns the rows of the step before, if this chunk begins a new one."""
        match event:
            case {"type": "task", "step": int(step), "payload": {"name": str(name)}}:
                closed = self._turn_to(step)
                row = self.rows.setdefault(name, Row(name, step, began_s=now_s))
                row.started += 1
                return closed
            case {"type": "task_result", "payload": {"interrupts": [_, *_]}}:
                pass  # it waits for an answer, and is not done
            case {"type": "task_result", "payload": {"name": str(name), "error": error}} if name in self.rows:
                row = self.rows[name]
                row.done += error is None
                row.failed += error is not None
                row.ended_s = now_s
            case _:
                pass
        return []

    def close(self) -> list[Row]:
        """The rows of the last step: the run is over."""
        rows = list(self.rows.values())
        self.rows = {}
        return rows

    def _turn_to(self, step: int) -> list[Row]:
        if step == self.step and self.steps:
            return []
        self.step = step
        self.steps += 1
        return self.close()
