"""What the benchmark says about its figures."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from bench import bars, cases, chart, environments, table
from bench.contestants import roster
from bench.durable.contestants import roster as durable_roster
from bench.figures import Figure, Report, duration, report_from_json

PIN = re.compile(r"[\w.-]+==[\w.]+( ; [^/]+)?( \\)?|    --hash=sha256:[0-9a-f]{64}( \\)?")
"""A name and its version, for all or some platforms, and what its files must hash to."""

MACHINE = {"processor": "P", "cores": 1, "implementation": "CPython", "python": "3", "revision": "r"}


def figure(contestant: str, seconds: float, case: str = "chain_10") -> Figure:
    return Figure(case=case, door="async", contestant=contestant, runs_per_sample=1, rounds=[[seconds] * 3])


def report(*figures: Figure) -> Report:
    return Report(
        started="2030-01-01", machine={**MACHINE, "load_average": 0.0}, options={}, figures=list(figures)
    )


def verdict(measured: Report, name: str) -> bars.Bar:
    return next(bar for bar in bars.judge(measured) if bar.name.startswith(name))


@pytest.mark.parametrize("langgraph_s, holds", [(100e-6, True), (99e-6, False)])
def test_a_ratio_bar_holds_from_its_ratio_on(langgraph_s: float, *, holds: bool) -> None:
    measured = report(figure("graphrt", 1e-6), figure("langgraph", langgraph_s))
    assert verdict(measured, "chain_10, async, no checkpointer").holds is holds


def test_a_bar_whose_figure_is_missing_is_missed() -> None:
    bar = verdict(report(figure("graphrt", 1e-6)), "chain_10, async, no checkpointer")
    assert (bar.holds, bar.evidence) == (False, "langgraph was not measured")


def test_the_cost_of_a_superstep_is_the_slope_between_two_chains() -> None:
    measured = report(figure("graphrt", 40e-6), figure("graphrt", 490e-6, "chain_100"))
    assert verdict(measured, "a superstep, graphrt:").evidence == "5.00 µs"


@pytest.mark.parametrize("five_s, holds", [(25e-6, True), (25.1e-6, False)])
def test_a_nested_graph_may_cost_what_it_costs_alone(five_s: float, *, holds: bool) -> None:
    measured = report(figure("graphrt", 5e-6, "chain_1"), figure("graphrt", five_s, "nested_5"))
    assert verdict(measured, "a nested graph of one node, graphrt:").holds is holds


def test_every_bar_judges_a_case_that_is_measured_for_the_bars() -> None:
    assert {*bars.WITHOUT_CHECKPOINTER, *bars.WITH_CHECKPOINTER} <= set(bars.CASES)


def test_what_a_contestant_cannot_do_stands_in_the_table_with_its_reason() -> None:
    cannot = Figure(case="chain_10", door="async", contestant="neograph", status="not offered", reason="why")
    text = table.render(report(figure("floor", 1e-6), cannot))
    assert "n/a [1]" in text
    assert "[1] neograph: n/a: why" in text


def test_the_chart_is_well_formed_and_shows_every_figure() -> None:
    picture = ET.fromstring(chart.draw(report(figure("floor", 1e-6), figure("graphrt", 5e-6))))
    texts = {element.text for element in picture.iter("{http://www.w3.org/2000/svg}text")}
    assert {"floor", "1.00 µs", "graphrt", "5.00 µs"} <= texts


def test_a_report_survives_its_json() -> None:
    failed = Figure(case="chain_10", door="sync", contestant="graphrt", status="failed", reason="why")
    before = report(figure("floor", 1e-6), failed)
    assert report_from_json(before.as_json()) == before


@pytest.mark.parametrize(
    "seconds, text", [(12.0, "12.0 s"), (4.187e-3, "4.19 ms"), (99e-9, "99.0 ns"), (0.15, "150 ms")]
)
def test_durations_have_three_digits(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_every_case_and_contestant_of_a_bar_exists() -> None:
    assert set(bars.CASES) <= set(cases.BY_NAME)
    assert set(bars.CONTESTANTS) <= set(roster.BY_NAME)


@pytest.mark.parametrize("pins", sorted(environments.REQUIREMENTS.glob("*.txt")), ids=lambda path: path.stem)
def test_rivals_are_pinned_by_name_and_version_alone(pins: Path) -> None:
    lines = pins.read_text(encoding="utf-8").splitlines()
    assert lines
    assert [line for line in lines if not PIN.fullmatch(line)] == []


def test_every_rival_has_its_pins() -> None:
    entries = (*roster.ROSTER, *durable_roster.ROSTER)
    wanted = {entry.environment for entry in entries if entry.environment}
    assert wanted == {pins.stem for pins in environments.REQUIREMENTS.glob("*.txt")}
