"""What a program of channels declares, as a `Graph`: an edge wherever a node writes what starts another one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

from graphrt.constants import END, START
from graphrt.drawing.declared import ending_in_end
from graphrt.drawing.model import Edge, Graph, Node

__all__ = ["described_program"]

_TASKS: Final = "__pregel_tasks"


class DeclaredWrite(Protocol):
    """What drawing needs to know of a write."""

    @property
    def channel(self) -> str:
        """Where to."""
        ...

    @property
    def skip_none(self) -> bool:
        """It may not happen."""
        ...


class DeclaredProgramNode(Protocol):
    """What drawing needs to know of a node."""

    @property
    def triggers(self) -> Sequence[str]:
        """Channels that start the node."""
        ...

    @property
    def writes(self) -> Sequence[DeclaredWrite]:
        """What it writes."""
        ...

    @property
    def metadata(self) -> Mapping[str, Any]:
        """What the user attached to it."""
        ...


def described_program(
    nodes: Mapping[str, DeclaredProgramNode], inputs: Collection[str], outputs: Collection[str]
) -> Graph:
    """Draw all nodes; labels are channels, unless one is called like the node that it starts.

    A write that may be skipped is conditional, and so is the end of a node that starts others as well; who can send
    tasks can send them to every node.
    """
    links = list(_links(nodes, inputs, outputs))
    going_on = {source for source, target, _, _ in links if target != END}
    edges: list[Edge] = []
    for source, target in dict.fromkeys((source, target) for source, target, _, _ in links):
        same = [link for link in links if link[:2] == (source, target)]
        channels = dict.fromkeys(channel for _, _, channel, _ in same if channel)
        maybe = all(link[3] for link in same) or (target == END and source in going_on)
        label = ", ".join(channels)
        edges.append(Edge(source, target, None if label in ("", target) else label, maybe))
    drawn = {START: Node(START, START)}
    drawn |= {name: Node(name, name, dict(node.metadata) or None) for name, node in nodes.items()}
    return ending_in_end(drawn, edges, nodes)


def _links(
    nodes: Mapping[str, DeclaredProgramNode], inputs: Collection[str], outputs: Collection[str]
) -> Iterator[tuple[str, str, str, bool]]:
    """(source, target, channel, maybe); the channel is "" where there is only one that it can be."""
    for channel in inputs:
        for target in _started_by(channel, nodes):
            yield START, target, channel if len(inputs) > 1 else "", False
    for source, node in nodes.items():
        for write in node.writes:
            if write.channel == _TASKS:
                yield from ((source, target, "", True) for target in nodes)
            for target in _started_by(write.channel, nodes):
                yield source, target, write.channel, write.skip_none
            if write.channel in outputs:
                yield source, END, write.channel if len(outputs) > 1 else "", write.skip_none


def _started_by(channel: str, nodes: Mapping[str, DeclaredProgramNode]) -> Iterable[str]:
    return (name for name, node in nodes.items() if channel in node.triggers)
