"""What a builder can get wrong, in LangGraph's words and with what was probably meant (LangGraph P1, P2)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from graphrt.constants import END, START
from graphrt.errors import GraphValidationError, did_you_mean

if TYPE_CHECKING:
    from graphrt.graph.state import StateGraph

__all__ = ["check_edge", "check_graph", "check_name", "check_starts"]

_RESERVED_CHARACTERS = "|:"


def check_name(name: str, known: Iterable[str]) -> None:
    """A new node's name must be free and must not mean something already.

    Raises:
        GraphValidationError: it is taken, reserved, or has a reserved character.
    """
    if name in known:
        raise GraphValidationError(f"Node `{name}` already present. Give this one another name.")
    if name in (START, END):
        raise GraphValidationError(f"Node `{name}` is reserved. Give the node another name.")
    for character in _RESERVED_CHARACTERS:
        if character in name:
            raise GraphValidationError(
                f"'{character}' is a reserved character and is not allowed in the node names: {name!r}."
            )


def check_edge(start: str, end: str) -> None:
    """Nothing follows END and nothing precedes START.

    Raises:
        GraphValidationError: the edge would.
    """
    if start == END:
        raise GraphValidationError("END cannot be a start node")
    if end == START:
        raise GraphValidationError("START cannot be an end node")


def check_starts(starts: Iterable[str], end: str, known: Iterable[str]) -> None:
    """The nodes of a join must have been added before it.

    Raises:
        GraphValidationError: one was not, or nothing may start or end there.
    """
    names = set(known)
    for start in starts:
        check_edge(start, end)
        if start not in names:
            raise GraphValidationError(f"Need to add_node `{start}` first.{did_you_mean(start, names)}")
    if end != END and end not in names:
        raise GraphValidationError(f"Need to add_node `{end}` first.{did_you_mean(end, names)}")


def check_graph(builder: StateGraph[Any, Any, Any, Any]) -> None:
    """The graph has an entry, and every edge connects nodes that exist.

    Raises:
        GraphValidationError: it does not; the message names the edge.
    """
    nodes = builder.nodes
    known = {*nodes, START}
    starts = {start for start, _ in builder.edges} | {s for group, _ in builder.waiting_edges for s in group}
    starts |= set(builder.branches)
    for start in sorted(starts - known):
        raise GraphValidationError(
            f"Found edge starting at unknown node '{start}'.{did_you_mean(start, nodes)}"
        )
    if START not in starts:
        raise GraphValidationError(
            "Graph must have an entrypoint: add at least one edge from START to another node"
        )
    targets = {end for _, end in builder.edges} | {end for _, end in builder.waiting_edges}
    for name, spec in nodes.items():
        targets |= set(spec.ends or ())
        for end in sorted(set(spec.ends or ()) - {*nodes, END}):
            raise GraphValidationError(
                f"Found edge ending at unknown node `{end}`: node '{name}' says it goes there."
                f"{did_you_mean(end, nodes)}"
            )
    for end in sorted(targets - {*nodes, END}):
        raise GraphValidationError(f"Found edge ending at unknown node `{end}`.{did_you_mean(end, nodes)}")
    for start, branches in builder.branches.items():
        for name, branch in branches.items():
            for end in sorted(set((branch.ends or {}).values()) - {*nodes, END}):
                raise GraphValidationError(
                    f"At '{start}' node, '{name}' branch found unknown target '{end}'.{did_you_mean(end, nodes)}"
                )
