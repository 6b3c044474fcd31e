"""What a builder remembers of nodes and conditional edges until it is compiled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args, get_origin

from msgspec import Struct

from graphrt.core.retrying import Retries
from graphrt.core.shape import Shape, callable_name, first_parameter, hints_of, shape_of
from graphrt.graph.schema import schema_hints
from graphrt.types import CachePolicy, Command, Send, TimeoutPolicy

__all__ = ["Branch", "NodeSpec", "branch_name", "command_targets", "declared_input"]


class NodeSpec(Struct, frozen=True):
    """A node as it was added.

    Attributes:
        ends: where its Commands may lead, for validation and drawings; a dict gives labels.
        retry_policy: None if nothing was said about it, and the graph's defaults count.
        error_handler: the name of the node that handles its errors; `is_error_handler` says that it is such a one.
    """

    shape: Shape
    input_schema: Any
    defer: bool = False
    metadata: Mapping[str, Any] | None = None
    ends: tuple[str, ...] | dict[str, str] | None = None
    retry_policy: Retries = None
    timeout: TimeoutPolicy | None = None
    error_handler: str | None = None
    is_error_handler: bool = False
    cache_policy: CachePolicy | None = None


class Branch(Struct, frozen=True):
    """A conditional edge as it was added.

    Attributes:
        ends: what the router may return -> where that leads; None if it may return anything.
        mapped: `ends` is a path map that the answer must be in; otherwise it only declares.
        input_schema: what the router's annotation says it reads; None for what its node reads.
    """

    path: Shape
    ends: dict[Any, str] | None
    mapped: bool
    input_schema: Any = None

    @classmethod
    def of(cls, path: Any, path_map: Mapping[Any, str] | Sequence[str] | None) -> Branch:
        """From a router and what its caller says about where it leads."""
        hints = hints_of(path)
        schema = hints.get(first_parameter(path) or "")
        schema = schema if schema_hints(schema) else None
        if path_map is not None:
            ends = dict(path_map) if isinstance(path_map, Mapping) else {name: name for name in path_map}
            return cls(shape_of(path), ends, True, schema)
        names = _literals(hints.get("return"))
        return cls(shape_of(path), {name: name for name in names} if names else None, False, schema)


def branch_name(path: Any) -> str:
    """The name of a conditional edge."""
    name = callable_name(path)
    return name if name and name != "<lambda>" else "condition"


def _literals(hint: Any) -> tuple[str, ...]:
    """The strings of a `Literal[...]`, also inside `list[...]` or a union with Send."""
    if get_origin(hint) is Literal:
        return tuple(arg for arg in get_args(hint) if isinstance(arg, str))
    return tuple(name for arg in get_args(hint) if arg is not Send for name in _literals(arg))


def command_targets(action: Any) -> tuple[str, ...]:
    """The nodes that a function's `-> Command[Literal[...]]` says it goes to."""
    return _command_literals(hints_of(action).get("return"))


def _command_literals(hint: Any) -> tuple[str, ...]:
    if get_origin(hint) is Command:
        return _literals(get_args(hint)[0])
    return tuple(name for arg in get_args(hint) for name in _command_literals(arg))


def declared_input(action: Any) -> Any:
    """The schema that a node function's first parameter is annotated with, None if that says nothing."""
    name = first_parameter(action)
    hint = hints_of(action).get(name or "")
    return hint if schema_hints(hint) else None
