"""What a builder can get wrong, in LangGraph's words and with what was probably meant (LangGraph P1, P2)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from graphrt.constants import END, START
from graphrt.errors import GraphValidationError, did_you_mean
from graphrt.graph.schema import managed_of, schema_hints, type_of

if TYPE_CHECKING:
    from graphrt.graph.state import StateGraph

__all__ = ["check_edge", "check_graph", "check_managed", "check_name", "check_starts", "check_unmanaged"]

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


def check_unmanaged(schema: Any, state_schema: Any) -> None:
    """What comes in and goes out has no managed keys, except if that is the whole state (LangGraph B4).

    Raises:
        GraphValidationError: it has.
    """
    names = ", ".join(key for key, _ in managed_of(schema))
    if names and schema is not state_schema:
        raise GraphValidationError(
            f"Invalid managed channels detected in {type_of(schema)}: {names}. Managed values are not permitted in "
            "input and output schemas: nobody passes them, and nothing returns them."
        )


def check_managed(schema: Any, known: Mapping[str, Any], channels: Collection[str]) -> None:
    """A managed key means the same in every schema: nobody writes what is plain in one of them.

    Raises:
        GraphValidationError: it does not.
    """
    managed_keys = managed_of(schema)
    if known or managed_keys:
        plain = sorted(
            key
            for key in schema_hints(schema).keys() | {key for key, _ in managed_keys}
            if (key in known) != (key in dict(managed_keys)) and (key in known or key in channels)
        )
        if plain:
            raise GraphValidationError(
                f"Key '{plain[0]}' is managed in one schema and a plain key in another ({type_of(schema)} is the "
                "second): it would never be written. Annotate it in the same way everywhere."
            )
    for key, managed in managed_keys:
        if known.get(key, managed) is not managed:
            raise GraphValidationError(
                f"Managed value '{key}' already exists with a different type: {type_of(known[key])}, and "
                f"{type_of(schema)} wants {type_of(managed)}."
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
