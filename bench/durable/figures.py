"""What was measured, as records with the JSON they are kept in."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from bench.durable.cases import BY_NAME, STORAGE_BY_NAME, Durability, Row
from bench.figures import Sampled


@dataclass(slots=True, kw_only=True)
class Cell(Sampled):
    """A contestant at a row. The samples are seconds per durable step."""

    storage: str
    case: str
    together: int
    durability: Durability
    steps: int
    """Durable steps of one run: the checkpoints that graphrt and LangGraph make of it."""

    @property
    def row(self) -> Row:
        return Row(
            storage=STORAGE_BY_NAME[self.storage],
            case=BY_NAME[self.case],
            together=self.together,
            durability=self.durability,
        )

    @property
    def runs_per_s(self) -> float:
        return 1 / (self.median * self.steps)

    def as_json(self) -> dict[str, Any]:
        measured = {**self.summary(), "runs_per_s": self.runs_per_s} if self.status == "measured" else {}
        return {**asdict(self), **measured}


@dataclass(slots=True, kw_only=True)
class Point:
    """A contestant's conversation at one length."""

    contestant: str
    storage: str
    turns: int
    bytes: int
    turn_s: float | None = None
    commit_s: float | None = None
    load_s: float | None = None
    rows: int | None = None


@dataclass(slots=True, kw_only=True)
class Report:
    """One invocation: the machine, the contestants and their figures."""

    started: str
    machine: dict[str, Any]
    options: dict[str, Any]
    contestants: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    bytes_per_step: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    cells: list[Cell] = field(default_factory=list[Cell])
    points: list[Point] = field(default_factory=list[Point])
    notes: list[str] = field(default_factory=list[str])
    """What kept a conversation from growing."""

    def find(self, contestant: str, storage: str, case: str, together: int, durability: str) -> Cell | None:
        """Return the cell if it was measured."""
        wanted = (contestant, storage, case, together, durability)
        for cell in self.cells:
            if (cell.contestant, cell.storage, cell.case, cell.together, cell.durability) == wanted:
                return cell if cell.status == "measured" else None
        return None

    def curve(self, contestant: str, storage: str) -> Sequence[Point]:
        """Return how a conversation grew."""
        return [point for point in self.points if (point.contestant, point.storage) == (contestant, storage)]

    def as_json(self) -> dict[str, Any]:
        return {
            "schema": 1,
            "started": self.started,
            "machine": self.machine,
            "options": self.options,
            "contestants": self.contestants,
            "bytes_per_step": self.bytes_per_step,
            "cells": [cell.as_json() for cell in self.cells],
            "points": [asdict(point) for point in self.points],
            "notes": self.notes,
        }


def report_from_json(data: dict[str, Any]) -> Report:
    """Return the report that `as_json` wrote."""
    names = set(Cell.__dataclass_fields__)
    return Report(
        started=data["started"],
        machine=data["machine"],
        options=data["options"],
        contestants=data["contestants"],
        bytes_per_step=data["bytes_per_step"],
        cells=[Cell(**{key: cell[key] for key in cell if key in names}) for cell in data["cells"]],
        points=[Point(**point) for point in data["points"]],
        notes=data["notes"],
    )
