"""Measure graphrt beside the floor and its rivals; bench/README.md explains what and how."""

import argparse
import asyncio
import json
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import bars, cases, machine, scaling
from bench.chart import draw
from bench.contestants import roster
from bench.counts import calls_table, count_all, grow_all, growth_table
from bench.drive import Plan, Process, introduce, measure_all, tell, with_processes
from bench.durable import command as durable
from bench.environments import home
from bench.figures import Report, report_from_json
from bench.measure import FULL, QUICK
from bench.table import render

ROUNDS = 7
GROWTH_ROUNDS = 5
OURS = ("graphrt", "graphrt+memory")
ANSWER_TIMEOUT_S = 300.0
NEEDED_BY_BARS = "bars"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status: 1 for a failed case or a missed bar."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["durable"]:
        return durable.main(given[1:])
    options = parse(given)
    match options.command:
        case "calls":
            return asyncio.run(show_calls(options))
        case "scaling":
            return asyncio.run(show_scaling(options))
        case _:
            report = asyncio.run(measure(options)) if options.source is None else load(options.source)
            return show(options, report)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    more = "`python -m bench durable --help` explains the benchmark of durable threads."
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__, epilog=more)
    add = parser.add_argument
    add("command", nargs="?", default="times", choices=["times", "calls", "scaling"])
    names = [*cases.BY_NAME, NEEDED_BY_BARS]
    add(
        "--case",
        action="append",
        choices=names,
        metavar="CASE",
        help="only this; repeatable; or: " + ", ".join(names),
    )
    names = list(roster.BY_NAME)
    add(
        "--contestant",
        action="append",
        choices=names,
        metavar="NAME",
        help="only this; repeatable: " + ", ".join(names),
    )
    add("--quick", action="store_true", help="one sample of everything: does it run?")
    add("--check", action="store_true", help="judge the project's bars, which needs scaling, too")
    add(
        "--from",
        dest="source",
        type=Path,
        metavar="FILE",
        help="measure nothing: show this results.json again",
    )
    add("--rounds", type=int, help=f"rounds over all contestants, {ROUNDS} by default")
    add(
        "--timeout",
        type=float,
        default=ANSWER_TIMEOUT_S,
        metavar="SECONDS",
        help="wait so long for one answer",
    )
    add("--late", type=int, help=f"scaling: a superstep that is late, {scaling.LATE:,} by default")
    add(
        "--out",
        type=Path,
        metavar="FOLDER",
        help="where results go; a new folder in .bench/results by default",
    )
    return parser.parse_args(arguments)


async def measure(options: argparse.Namespace) -> Report:
    """Measure what the options select."""
    plan = planned(options)
    if machine.is_busy():
        tell(f"warning: load average {machine.load()}: other programs will be part of the figures")
    about = {"quick": options.quick, "rounds": plan.rounds}
    report = Report(
        started=datetime.now(UTC).isoformat(timespec="seconds"), machine=machine.describe(), options=about
    )

    async def use(processes: list[Process]) -> None:
        report.contestants = await introduce(processes)
        report.figures = await measure_all(plan, processes)
        if options.check:
            ours = [process for process in processes if process.entry.name in OURS]
            report.growth = await grow_all(ours, late=late(options), rounds=growth_rounds(options))

    await with_processes(plan.contestants, plan.timeout_s, use)
    report.machine["load_average_at_end"] = machine.load()
    return report


def planned(options: argparse.Namespace) -> Plan:
    chosen = list(cases.BY_NAME) if options.case is None else list(options.case)
    names = options.contestant or list(roster.BY_NAME)
    if NEEDED_BY_BARS in chosen:
        chosen += bars.CASES
        names = options.contestant or bars.CONTESTANTS
    return Plan(
        cases=[case for case in cases.CASES if case.name in chosen],
        contestants=[entry for entry in roster.ROSTER if entry.name in names],
        effort=QUICK if options.quick else FULL,
        rounds=options.rounds or (1 if options.quick else ROUNDS),
        timeout_s=options.timeout,
    )


def show(options: argparse.Namespace, report: Report) -> int:
    """Print the table and the verdicts, keep all of it in files, and return the exit status."""
    table = render(report)
    print(table)
    if options.source is None:
        keep(options.out or home() / "results" / report.started.replace(":", ""), report, table)
    failed = [figure for figure in report.figures if figure.status == "failed"]
    for (contestant, reason), number in Counter(
        (figure.contestant, figure.reason) for figure in failed
    ).items():
        print(f"failed: {contestant}, {number} case{'s' * (number > 1)}: {reason}")
    verdicts = bars.judge(report) if options.check else []
    for verdict in verdicts:
        print(verdict)
    return int(bool(failed) or not all(verdict.holds for verdict in verdicts))


def keep(folder: Path, report: Report, table: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(report.as_json(), indent=1) + "\n", encoding="utf-8")
    (folder / "table.md").write_text(table, encoding="utf-8")
    (folder / "chart.svg").write_text(draw(report), encoding="utf-8")
    tell(f"kept in {folder}: results.json, table.md, chart.svg")


def load(source: Path) -> Report:
    return report_from_json(json.loads(source.read_text(encoding="utf-8")))


async def show_calls(options: argparse.Namespace) -> int:
    """Print how many calls a superstep makes."""
    records: list[dict[str, Any]] = []

    async def use(processes: list[Process]) -> None:
        records.extend(await count_all(processes))

    await with_processes(planned(options).contestants, options.timeout, use)
    print(calls_table(records))
    return status(records)


async def show_scaling(options: argparse.Namespace) -> int:
    """Print what a superstep costs beside idle nodes and channels, and late in a run."""
    options.contestant = options.contestant or OURS
    report = Report(started="", machine={}, options={})

    async def use(processes: list[Process]) -> None:
        report.growth = await grow_all(processes, late=late(options), rounds=growth_rounds(options))

    await with_processes(planned(options).contestants, options.timeout, use)
    print(growth_table(report.growth))
    verdicts = list(bars.growth(report)) if options.check else []
    for verdict in verdicts:
        print(verdict)
    return status(report.growth) or int(not all(verdict.holds for verdict in verdicts))


def late(options: argparse.Namespace) -> int:
    return options.late or (scaling.LATE_QUICK if options.quick else scaling.LATE)


def growth_rounds(options: argparse.Namespace) -> int:
    return options.rounds or (1 if options.quick else GROWTH_ROUNDS)


def status(records: Sequence[dict[str, Any]]) -> int:
    return int(any(record.get("reason", "").startswith("failed") for record in records))


if __name__ == "__main__":
    sys.exit(main())
