"""What the benchmark of durable threads says about its figures."""

import xml.etree.ElementTree as ET
from typing import Any

import pytest

from bench.bars import Bar
from bench.durable import bars, cases, chart, curves, table
from bench.durable.cases import MANY, ONE
from bench.durable.figures import Cell, Point, Report, report_from_json
from bench.durable.lengthen import MARKS

MACHINE = {
    "processor": "P", "cores": 1, "implementation": "CPython", "python": "3", "revision": "r", "load_average": 0.0
}  # fmt: skip


def cell(contestant: str, step_s: float, *, together: int = ONE, **more: Any) -> Cell:
    place: dict[str, Any] = {"storage": "sqlite-normal", "case": "loop_100", "durability": "sync", **more}
    return Cell(contestant=contestant, together=together, steps=102, rounds=[[step_s] * 3], **place)


def report(*cells: Cell, points: list[Point] | None = None) -> Report:
    return Report(started="2030-01-01", machine=MACHINE, options={}, cells=list(cells), points=points or [])


def conversation(bytes_at: Any, *, commit_s: Any = lambda turns: 1e-4, rows: int = 60) -> list[Point]:
    return [
        Point(contestant="graphrt", storage=storage, turns=turns, bytes=int(bytes_at(turns)), turn_s=1e-3,
              commit_s=commit_s(turns), load_s=1e-3, rows=rows)
        for storage in ("sqlite-normal", "postgres-relaxed", "memory")
        for turns in MARKS
    ]  # fmt: skip


def verdict(measured: Report, *words: str) -> Bar:
    return next(bar for bar in bars.judge(measured) if all(word in bar.name for word in words))


@pytest.mark.parametrize("step_s, holds", [(130e-6, True), (131e-6, False)])
def test_a_step_may_take_1_3_times_the_floor(step_s: float, *, holds: bool) -> None:
    measured = report(cell("floor", 100e-6), cell("graphrt", step_s))
    assert verdict(measured, "a durable step of one run").holds is holds


@pytest.mark.parametrize("shared_s, holds", [(10e-6, True), (11e-6, False)])
def test_concurrent_runs_must_share_transactions(shared_s: float, *, holds: bool) -> None:
    measured = report(cell("graphrt", 100e-6), cell("graphrt", shared_s, together=MANY))
    assert verdict(measured, "the steps per second of one").holds is holds


@pytest.mark.parametrize("together, times", [(ONE, 10), (MANY, 50)])
def test_a_ratio_to_langgraph_is_judged_case_by_case(together: int, times: int) -> None:
    ours, theirs = (
        cell("graphrt", 1e-4, together=together),
        cell("langgraph", 1.01e-4 * times, together=together),
    )
    bar = verdict(report(ours, theirs), "loop_100", f"{together} at once", "sync", f"{times}x langgraph")
    assert bar.holds
    slower = cell("langgraph", 0.99e-4 * times, together=together)
    assert not verdict(report(ours, slower), *bar.name.split(", ")).holds


def test_a_bar_whose_figure_is_missing_is_missed() -> None:
    bar = verdict(report(cell("graphrt", 1e-4)), "a durable step of one run")
    assert (bar.holds, bar.evidence) == (False, "floor was not measured")


def test_a_storage_that_was_left_out_is_not_judged() -> None:
    measured = report(cell("graphrt", 1e-4), cell("floor", 1e-4))
    assert all(bar.name.startswith("sqlite-normal") for bar in bars.judge(measured))


def test_linear_storage_passes() -> None:
    measured = report(points=conversation(lambda turns: 50_000 + 1_100 * turns))
    assert all(bar.holds for bar in bars.judge(measured))


@pytest.mark.parametrize(
    "grown, words",
    [
        (conversation(lambda turns: 400 * turns + turns**2 / 10), "straight line"),
        (conversation(lambda turns: 1_201 * turns), "at most 3x those of the messages"),
        (conversation(lambda turns: 5_001 * turns), "at most 5 MB"),
        (conversation(lambda turns: 900 * turns, commit_s=lambda turns: 1e-6 * turns), "a commit after"),
        (conversation(lambda turns: 900 * turns, rows=73), "reads at most 72 rows"),
    ],
)
def test_storage_that_grows_otherwise_is_told(grown: list[Point], words: str) -> None:
    assert not verdict(report(points=grown), words).holds


def test_the_table_shows_times_and_ratios() -> None:
    text = table.render(report(cell("floor", 1e-4), cell("graphrt", 1.2e-4), cell("langgraph", 2.4e-3)))
    row = next(line for line in text.splitlines() if line.startswith("| loop_100"))
    assert [word.strip() for word in row.split("|")[4:9]] == [
        "100 µs ±0%",
        "120 µs ±0%",
        "2.40 ms ±0%",
        "1.20x",
        "20.00x",
    ]


def test_runs_per_second_stand_beside_the_steps() -> None:
    text = table.render(report(cell("graphrt", 1e-4 / 1.02, together=MANY)))
    assert "100/s" in text


def test_what_a_contestant_cannot_do_stands_in_the_table_with_its_reason() -> None:
    cannot = cell("fast-langgraph", 1.0)
    cannot.status, cannot.reason, cannot.rounds = "not offered", "why", []
    text = table.render(report(cell("floor", 1e-4), cannot))
    assert "[1] fast-langgraph: n/a: why" in text


def test_the_bars_picture_is_well_formed_and_shows_every_figure() -> None:
    picture = ET.fromstring(chart.draw(report(cell("floor", 1e-4), cell("graphrt", 1.2e-4))))
    texts = {element.text for element in picture.iter("{http://www.w3.org/2000/svg}text")}
    assert {"floor", "100 µs", "graphrt", "120 µs"} <= texts


def test_the_curves_picture_is_well_formed_and_names_every_curve() -> None:
    picture = ET.fromstring(curves.draw(report(points=conversation(lambda turns: 900 * turns))))
    texts = {element.text for element in picture.iter("{http://www.w3.org/2000/svg}text")}
    assert {"graphrt, sqlite-normal", "graphrt, memory", "1.00 MB", "1,000 turns"} <= texts


def test_pictures_can_be_drawn_of_nothing() -> None:
    assert ET.fromstring(chart.draw(report())) is not None
    assert ET.fromstring(curves.draw(report())) is not None


def test_a_report_survives_its_json() -> None:
    failed = cell("langgraph", 1.0)
    failed.status, failed.reason, failed.rounds = "failed", "why", []
    before = report(cell("floor", 1e-4), failed, points=conversation(lambda turns: 900 * turns))
    assert report_from_json(before.as_json()) == before


def test_every_storage_and_case_of_a_bar_exists() -> None:
    assert {storage for storage, _ in bars.RATIOS} <= set(cases.STORAGE_BY_NAME)
    assert bars.STEPS in cases.BY_NAME
