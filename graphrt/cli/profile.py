"""Where a run's time went, as data: events in, a report out. No clock and no terminal in here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from graphrt.observers import (
    Event,
    GraphEnded,
    GraphStarted,
    StepCommitted,
    StepStarted,
    TaskEnded,
    TaskFailed,
    TaskRetried,
    TaskStarted,
)

__all__ = ["Profile"]


@dataclass(slots=True)
class _Node:
    """What the tasks of one node came to."""

    count: int = 0
    total_ns: int = 0
    most_ns: int = 0
    failed: int = 0
    retries: int = 0


@dataclass(slots=True)
class _Graph:
    """A run of a graph. `busy_ns` is the time in which at least one of its nodes ran, `waited_ns` for its stream."""

    label: str
    began_ns: int
    open: int = 0
    busy_ns: int = 0
    busy_since_ns: int = 0
    waited_ns: int = 0


@dataclass(slots=True)
class Profile:
    """An observer that adds up. Nodes of graphs inside are named by their way from the outermost one: `child/node`."""

    nodes: dict[str, _Node] = field(default_factory=dict[str, _Node])
    total_ns: int = 0
    nodes_ns: int = 0
    engine_ns: int = 0
    storage_ns: int = 0
    stream_ns: int = 0
    steps: int = 0
    commits: int = 0
    _graphs: dict[str, _Graph] = field(default_factory=dict[str, _Graph])
    _labels: dict[tuple[str | None, str | None], str] = field(
        default_factory=dict[tuple[str | None, str | None], str]
    )

    def on_event(self, event: Event, /) -> None:
        """Add it up."""
        match event:
            case GraphStarted(run_id=run, time_ns=now):
                around = self._labels.get((event.parent_run_id, event.parent_task_id))
                self._graphs[run] = _Graph("" if around is None else f"{around}/", now)
            case GraphEnded():
                self._end_graph(event, self._graphs.pop(event.run_id))
            case StepStarted(run_id=run, waited_ns=waited_ns):
                self._graphs[run].waited_ns += waited_ns
            case StepCommitted(checkpoint_id=id):
                self.steps += 1
                self.commits += id is not None
            case TaskStarted():
                self._begin(event, self._graphs[event.run_id])
            case TaskRetried():
                self.nodes[self._labels[event.run_id, event.task_id]].retries += 1
            case TaskEnded():
                self._end(event, self._graphs[event.run_id])
            case _:
                pass

    def _begin(self, event: TaskStarted, graph: _Graph) -> None:
        caller = self._labels.get((event.run_id, event.parent_task_id))
        label = f"{graph.label}{event.name}" if caller is None else f"{caller}/{event.name}"
        self._labels[event.run_id, event.task_id] = label
        self.nodes.setdefault(label, _Node())
        if not graph.open:
            graph.busy_since_ns = event.time_ns
        graph.open += 1

    def _end(self, event: TaskEnded, graph: _Graph) -> None:
        node = self.nodes[self._labels.pop((event.run_id, event.task_id))]
        took_ns = event.time_ns - event.started_ns
        node.count += 1
        node.total_ns += took_ns
        node.most_ns = max(node.most_ns, took_ns)
        node.failed += isinstance(event, TaskFailed)
        graph.open -= 1
        if not graph.open:
            graph.busy_ns += event.time_ns - graph.busy_since_ns

    def _end_graph(self, event: GraphEnded, graph: _Graph) -> None:
        took_ns = event.time_ns - graph.began_ns
        self.storage_ns += event.stored_ns
        self.stream_ns += graph.waited_ns
        self.engine_ns += max(0, took_ns - graph.busy_ns - graph.waited_ns - event.stored_ns)
        if not graph.label:
            self.total_ns += took_ns
            self.nodes_ns += graph.busy_ns

    def report(self) -> dict[str, Any]:
        """Seconds, and counts; the nodes that took longest first."""
        nodes = sorted(self.nodes.items(), key=lambda item: -item[1].total_ns)
        return {
            "total_s": self.total_ns / 1e9,
            "nodes_s": self.nodes_ns / 1e9,
            "engine_s": self.engine_ns / 1e9,
            "storage_s": self.storage_ns / 1e9,
            "stream_s": self.stream_ns / 1e9,
            "steps": self.steps,
            "commits": self.commits,
            "nodes": [
                {
                    "node": label,
                    "count": node.count,
                    "total_s": node.total_ns / 1e9,
                    "max_s": node.most_ns / 1e9,
                    "failed": node.failed,
                    "retries": node.retries,
                }
                for label, node in nodes
            ],
        }
