"""What is known of an entrypoint before it runs: its function, and the tasks that this names."""

from __future__ import annotations

from collections.abc import Iterable

from graphrt.constants import END, START
from graphrt.drawing.model import Edge, Graph, Node

__all__ = ["described_function"]


def described_function(name: str, tasks: Iterable[str]) -> Graph:
    """START, the function, END; and each of its tasks, which may be called or not, any number of times."""
    nodes = {START: Node(START, START), name: Node(name, name)}
    edges = [Edge(START, name)]
    for task in dict.fromkeys(tasks):
        if task not in nodes:
            nodes[task] = Node(task, task, {"__task": True})
            edges.append(Edge(name, task, conditional=True))
    nodes[END] = Node(END, END)
    edges.append(Edge(name, END))
    return Graph(nodes, edges)
