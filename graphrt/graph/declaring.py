"""A builder as it is drawn: its nodes with the graph's defaults, as they are compiled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from msgspec import structs

from graphrt.graph.nodes import Branch, NodeSpec, command_targets
from graphrt.graph.policies import with_defaults

if TYPE_CHECKING:
    from graphrt.graph.state import StateGraph

__all__ = ["Declaration", "declaration"]


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a drawing is made of."""

    nodes: Mapping[str, NodeSpec]
    edges: set[tuple[str, str]]
    waiting_edges: set[tuple[tuple[str, ...], str]]
    branches: Mapping[str, Mapping[str, Branch]]


def declaration(builder: StateGraph[Any, Any, Any, Any]) -> Declaration:
    """What a builder declares now."""
    specs = with_defaults(builder.nodes, builder.node_defaults, builder.state_schema)
    nodes = {name: _told(spec) for name, spec in specs.items()}
    return Declaration(nodes, builder.edges, builder.waiting_edges, builder.branches)


def _told(spec: NodeSpec) -> NodeSpec:
    """With what its function says of itself: where a handler's Commands may go, and which tools it calls."""
    action = spec.shape.action
    if spec.is_error_handler and spec.ends is None:
        spec = structs.replace(spec, ends=command_targets(action) or None)
    tools = getattr(action, "tools_by_name", None)
    if isinstance(tools, Mapping) and tools:
        spec = structs.replace(spec, metadata={**(spec.metadata or {}), "__tools": list(map(str, tools))})  # pyright: ignore[reportUnknownArgumentType]
    return spec
