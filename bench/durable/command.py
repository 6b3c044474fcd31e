"""`python -m bench durable`: measure what durable threads cost, beside the floor and rivals; see bench/README.md."""

import argparse
import asyncio
import json
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import machine
from bench.contestants.roster import Entry
from bench.drive import Process, introduce, tell, with_processes
from bench.durable import bars, cases, chart, curves
from bench.durable.contestants import roster
from bench.durable.databases import Databases
from bench.durable.drive import Plan, measure_all, sizes_of
from bench.durable.figures import Report, report_from_json
from bench.durable.lengthen import LONGEST, LONGEST_QUICK, OURS, RIVAL, STORAGES, Growth, grow_all
from bench.durable.measure import FULL, QUICK
from bench.durable.table import render
from bench.environments import home

ROUNDS = 5
ANSWER_TIMEOUT_S = 1_200.0
WORKER = "bench.durable.worker"


def main(arguments: Sequence[str]) -> int:
    """Run the command line and return the exit status: 1 for a failed case or a missed bar."""
    options = parse(arguments)
    if options.source is not None:
        report = report_from_json(json.loads(options.source.read_text(encoding="utf-8")))
    else:
        signal.signal(
            signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM)
        )  # clean up, and keep what is done
        report = asyncio.run(measure(options))
    return show(options, report)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench durable", description=__doc__)
    add = parser.add_argument
    listed: dict[str, list[str]] = {
        "case": list(cases.BY_NAME),
        "storage": list(cases.STORAGE_BY_NAME),
        "durability": list(cases.DURABILITIES),
        "contestant": list(roster.BY_NAME),
    }
    for name, choices in listed.items():
        explained = "only this; repeatable: " + ", ".join(choices)
        add(f"--{name}", action="append", choices=choices, metavar=name.upper(), help=explained)
    add("--together", action="append", type=int, metavar="RUNS", help="so many runs at once; repeatable")
    add("--only", choices=["steps", "growth"], help="leave out conversations that grow, or all else")
    add("--turns", type=int, help=f"length of the longest conversation that grows, {LONGEST:,} by default")
    add("--quick", action="store_true", help="one sample of everything, short conversations: does it run?")
    add("--check", action="store_true", help="judge the bars of what was measured")
    add("--from", dest="source", type=Path, metavar="FILE", help="show this results.json again")
    add("--rounds", type=int, help=f"rounds over all contestants, {ROUNDS} by default")
    add(
        "--timeout",
        type=float,
        default=ANSWER_TIMEOUT_S,
        metavar="SECONDS",
        help="wait so long for one answer",
    )
    add(
        "--data", type=Path, metavar="FOLDER", help="where SQLite's files go, the temporary folder by default"
    )
    add(
        "--out",
        type=Path,
        metavar="FOLDER",
        help="where results go, a new folder in .bench/results by default",
    )
    return parser.parse_args(arguments)


async def measure(options: argparse.Namespace) -> Report:
    """Measure what the options select."""
    if machine.is_busy():
        tell(f"warning: load average {machine.load()}: other programs will be part of the figures")
    plan, growth = planned(options), growing(options)
    about = {"quick": options.quick, "rounds": plan.rounds, "data": str(options.data or "temporary folder")}
    report = Report(
        started=datetime.now(UTC).isoformat(timespec="seconds"), machine=machine.describe(), options=about
    )
    try:
        await fill(report, plan, growth, options.data)
    except BaseException:
        if report.cells or report.points:  # what was measured until then should not be lost
            keep(folder_of(options, report), report, render(report))
        raise
    report.machine["load_average_at_end"] = machine.load()
    return report


async def fill(report: Report, plan: Plan, growth: Growth, data: Path | None) -> None:
    """Measure; graphrt takes part in any case, since it says what the floor inserts."""
    hidden = [] if OURS in {entry.name for entry in plan.contestants} else [roster.BY_NAME[OURS]]

    async def use(processes: list[Process]) -> None:
        shown = [process for process in processes if process.entry not in hidden]
        ours = next(process for process in processes if process.entry.name == OURS)
        report.contestants = await introduce(shown)
        report.bytes_per_step = await sizes_of(plan, ours)
        async with Databases(data) as databases:
            report.machine["servers"] = databases.settings
            await measure_all(plan, shown, databases, report)
            grown = [process for process in shown if process.entry.name in (OURS, RIVAL)]
            await grow_all(growth, grown, databases, report)

    await with_processes([*plan.contestants, *hidden], plan.timeout_s, use, WORKER)


def planned(options: argparse.Namespace) -> Plan:
    chosen: list[Entry] = [e for e in roster.ROSTER if e.name in (options.contestant or roster.BY_NAME)]
    names = options.case or (cases.QUICK if options.quick else cases.BY_NAME)
    rows = cases.rows(
        [s for s in cases.STORAGES if s.name in (options.storage or cases.STORAGE_BY_NAME)],
        [case for case in cases.CASES if case.name in names],
        options.together or (cases.QUICK_TOGETHER if options.quick else None),
        [
            durability
            for durability in cases.DURABILITIES
            if durability in (options.durability or [durability])
        ],
    )
    return Plan(
        rows=[] if options.only == "growth" else rows,
        contestants=chosen,
        effort=QUICK if options.quick else FULL,
        rounds=options.rounds or (1 if options.quick else ROUNDS),
        timeout_s=options.timeout,
    )


def growing(options: argparse.Namespace) -> Growth:
    """Which conversations grow: none if rows were chosen, unless growth was asked for."""
    wanted = options.only == "growth" or (options.only is None and options.case is None)
    chosen = [name for name in STORAGES if name in (options.storage or STORAGES)]
    return Growth(
        storages=[cases.STORAGE_BY_NAME[name] for name in chosen] if wanted else [],
        memory=wanted and options.storage is None,
        turns=options.turns or (LONGEST_QUICK if options.quick else LONGEST),
    )


def show(options: argparse.Namespace, report: Report) -> int:
    """Print the table and the verdicts, keep all of it in files, and return the exit status."""
    table = render(report)
    print(table)
    verdicts = bars.judge(report) if options.check else []
    if options.source is None:
        keep(folder_of(options, report), report, table)
    failed = [cell for cell in report.cells if cell.status == "failed"]
    for (contestant, reason), number in Counter((cell.contestant, cell.reason) for cell in failed).items():
        print(f"failed: {contestant}, {number} row{'s' * (number > 1)}: {reason}")
    for verdict in verdicts:
        print(verdict)
    return int(bool(failed or report.notes) or not all(verdict.holds for verdict in verdicts))


def folder_of(options: argparse.Namespace, report: Report) -> Path:
    folder: Path = options.out or home() / "results" / ("durable-" + report.started.replace(":", ""))
    return folder


def keep(folder: Path, report: Report, table: str) -> None:
    files: dict[str, Any] = {
        "results.json": json.dumps(report.as_json(), indent=1) + "\n",
        "table.md": table,
        "chart.svg": chart.draw(report),
        "growth.svg": curves.draw(report),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8")
    tell(f"kept in {folder}: {', '.join(files)}")
