"""Records of threads as tables and text: for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from graphrt.checkpoint import StorageStats
from graphrt.cli.lines import as_json
from graphrt.drawing.lettering import printable

__all__ = [
    "checkpoints_table",
    "console",
    "profile_summary",
    "profile_table",
    "show_state",
    "sized",
    "summary",
    "threads_table",
]

_WIDE: Final = 200
"""Columns where no terminal says how many there are: nothing is folded in a file."""
_UNITS: Final = ("B", "kB", "MB", "GB", "TB")


def console() -> Console:
    """Where it is shown."""
    shown = Console()
    return shown if shown.is_terminal else Console(width=_WIDE)


def threads_table(records: Iterable[Mapping[str, Any]]) -> Table:
    """One row for each thread."""
    table = _table("thread", "checkpoints", "namespaces", "size", "updated")
    for record in records:
        table.add_row(
            _name(record["thread_id"]),
            str(record["checkpoints"]),
            str(len(record["namespaces"])),
            sized(record["bytes"]),
            record["updated_at"] or "-",
        )
    return table


def checkpoints_table(records: Iterable[Mapping[str, Any]]) -> Table:
    """One row for each checkpoint."""
    table = _table("checkpoint", "created", "step", "source", "next")
    for record in records:
        table.add_row(
            _name(record["checkpoint_id"]),
            record["created_at"] or "-",
            str(record["step"]),
            record["source"],
            _name(", ".join(record["next"])),
        )
    return table


def profile_table(report: Mapping[str, Any]) -> Table:
    """One row for each node, the slowest first."""
    table = _table("node", "tasks", "total", "longest", "failed", "retries")
    for node in report["nodes"]:
        table.add_row(
            _name(node["node"]),
            str(node["count"]),
            _ms(node["total_s"]),
            _ms(node["max_s"]),
            str(node["failed"] or "-"),
            str(node["retries"] or "-"),
        )
    return table


def profile_summary(report: Mapping[str, Any]) -> Text:
    """The whole run in a line."""
    return Text(
        f"{_ms(report['total_s'])} in {report['steps']} steps: nodes {_ms(report['nodes_s'])}, storage "
        f"{_ms(report['storage_s'])} in {report['commits']} commits, showing it {_ms(report['stream_s'])}, engine "
        f"{_ms(report['engine_s'])}"
    )


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.2f} ms" if seconds < 10 else f"{seconds:.1f} s"


def show_state(shown: Console, record: Mapping[str, Any]) -> None:
    """A checkpoint: a few lines about it, its tasks, its values as JSON."""
    lines = {
        "thread": record["thread_id"],
        "namespace": record["namespace"],
        "checkpoint": record["checkpoint_id"],
        "created": record["created_at"],
        "step": f"{record['step']} ({record['source']})",
        "next": ", ".join(record["next"]),
        "sends": as_json(record["sends"]) if record["sends"] else "",
        "metadata": as_json(record["metadata"]) if record["metadata"] else "",
    }
    grid = Table.grid(padding=(0, 2))
    for label, text in lines.items():
        if text:
            grid.add_row(Text(label, style="dim"), _name(text))
    for task in record["tasks"]:
        words = f"{task['node'] or 'input'} {task['status']}" + (
            f": {task['error']}" if task["error"] else ""
        )
        grid.add_row(Text("task", style="dim"), _name(words, "red" if task["error"] else ""))
    for question in record["interrupts"]:
        words = f"{question['id']} {question['node']} asks {as_json(question['value'])}"
        grid.add_row(Text("open", style="cyan"), _name(words))
    shown.print(grid)
    shown.print_json(as_json(record["values"]))


def summary(stats: StorageStats) -> str:
    """What a checkpointer holds, in one line."""
    words = [
        f"{stats.threads} threads",
        f"{stats.checkpoints} checkpoints",
        f"{sized(stats.bytes)} of values",
    ]
    if stats.database is not None:
        words.append(f"{sized(stats.database)} in storage")
    if stats.free:
        words.append(f"{sized(stats.free)} of it free")
    return ", ".join(words)


def sized(count: int | None) -> str:
    """Bytes, with three digits or so."""
    if count is None:
        return "-"
    power = min((len(str(count)) - 1) // 3, len(_UNITS) - 1)
    return f"{count / 1000**power:.1f} {_UNITS[power]}" if power else f"{count} B"


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in columns:
        table.add_column(
            name,
            justify="right" if name in ("checkpoints", "namespaces", "size", "step") else "left",
            no_wrap=name in ("checkpoint", "updated", "created"),
            overflow="fold",
        )
    return table


def _name(text: str, style: str = "") -> Text:
    return Text(printable(text), style=style)
