"""What a builder declares, as a `Graph`: read from its edges and branches, without running anything."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Protocol

from graphrt.constants import END, START
from graphrt.drawing.model import Edge, Graph, Node

__all__ = ["describe", "ending_in_end"]


class DeclaredNode(Protocol):
    """What drawing needs to know of a node."""

    @property
    def metadata(self) -> Mapping[str, Any] | None:
        """What the user attached to the node."""
        ...

    @property
    def defer(self) -> bool:
        """Whether the node waits for the end of the run."""
        ...

    @property
    def ends(self) -> tuple[str, ...] | Mapping[str, str] | None:
        """Where its commands may go; a mapping gives each target a label."""
        ...

    @property
    def error_handler(self) -> str | None:
        """The node that takes its place when it has failed."""
        ...

    @property
    def is_error_handler(self) -> bool:
        """Whether it is such a one."""
        ...


class DeclaredBranch(Protocol):
    """What drawing needs to know of a router."""

    @property
    def ends(self) -> Mapping[Any, str] | None:
        """Target by what the router returns; None: it may name any node."""
        ...


class Declared(Protocol):
    """What drawing needs to know of a builder; `StateGraph` has it."""

    @property
    def nodes(self) -> Mapping[str, DeclaredNode]:
        """Nodes by name, in the order they were added."""
        ...

    @property
    def edges(self) -> Collection[tuple[str, str]]:
        """Plain edges."""
        ...

    @property
    def waiting_edges(self) -> Collection[tuple[tuple[str, ...], str]]:
        """Joins: all of the sources lead to the target."""
        ...

    @property
    def branches(self) -> Mapping[str, Mapping[str, DeclaredBranch]]:
        """Routers by source and name."""
        ...


def describe(builder: Declared) -> Graph:
    """Draw everything that is declared, reachable or not (LangGraph X1, X2, X3).

    A router that declares no targets points to every node and END. A node without a way out points to END. Where
    an edge is always taken, a bare "maybe" for the same pair says nothing more and is left out.
    """
    names = list(builder.nodes)
    found = [*_plain(builder), *_routed(builder, names), *_commanded(builder)]
    edges = _in_order(found, names)
    nodes = {START: Node(START, START)}
    nodes |= {name: Node(name, name, _metadata(spec)) for name, spec in builder.nodes.items()}
    return ending_in_end(nodes, edges, names)


def ending_in_end(nodes: dict[str, Node], edges: list[Edge], names: Iterable[str]) -> Graph:
    """The graph, in which those of `names` that lead nowhere lead to END, and END is drawn if anything does."""
    sources = {edge.source for edge in edges if not _handled(edge, nodes)}
    edges = [*edges, *(Edge(name, END) for name in names if name not in sources)]
    if any(edge.target == END for edge in edges):
        nodes[END] = Node(END, END)
    return Graph(nodes, edges)


def _metadata(spec: DeclaredNode) -> dict[str, Any] | None:
    shown = dict(spec.metadata or {})
    if spec.defer:
        shown["defer"] = True
    if spec.is_error_handler:
        shown["__error_handler"] = True
    return shown or None


def _plain(builder: Declared) -> Iterator[Edge]:
    for source, target in builder.edges:
        yield Edge(source, target)
    for sources, target in builder.waiting_edges:
        for source in sources:
            yield Edge(source, target)


def _routed(builder: Declared, names: list[str]) -> Iterator[Edge]:
    # No router may lead to an error handler.
    anywhere = {
        name: name for name in [*names, END] if name == END or not builder.nodes[name].is_error_handler
    }
    for source, branches in builder.branches.items():
        for branch in branches.values():
            ends: Mapping[Any, str] = anywhere if branch.ends is None else branch.ends
            for returned, target in ends.items():
                yield _conditional(source, target, str(returned))


def _commanded(builder: Declared) -> Iterator[Edge]:
    for source, spec in builder.nodes.items():
        for target in spec.ends or ():
            label = spec.ends[target] if isinstance(spec.ends, Mapping) else target
            yield _conditional(source, target, label)
        if spec.error_handler is not None:
            yield Edge(source, spec.error_handler, "error", conditional=True)


def _handled(edge: Edge, nodes: Mapping[str, Node]) -> bool:
    """Whether an edge leads to an error handler: that is no way out of a node."""
    target = nodes.get(edge.target)
    return target is not None and "__error_handler" in (target.metadata or {})


def _conditional(source: str, target: str, label: str) -> Edge:
    return Edge(source, target, label=None if label == target else label, conditional=True)


def _in_order(edges: Iterable[Edge], names: list[str]) -> list[Edge]:
    """Drop what repeats and sort by the nodes' order: builders keep edges in sets."""
    rank = {name: position for position, name in enumerate([START, *names, END])}

    def key(edge: Edge) -> tuple[int, int, bool, str]:
        return rank.get(edge.source, -1), rank.get(edge.target, -1), edge.conditional, edge.label or ""

    ordered = sorted(set(edges), key=key)
    told = {(e.source, e.target) for e in ordered if not _says_nothing(e)}
    return [e for e in ordered if not _says_nothing(e) or (e.source, e.target) not in told]


def _says_nothing(edge: Edge) -> bool:
    return edge.conditional and edge.label is None
