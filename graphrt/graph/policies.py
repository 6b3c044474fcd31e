"""What nodes are declared with besides their functions: retries, timeouts, error handlers, and their defaults."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct, structs

from graphrt.core.handled import DEFAULT_HANDLER
from graphrt.core.retrying import Policy, Retries, policy_of, refuse_sync
from graphrt.core.shape import Shape, shape_of
from graphrt.errors import GraphValidationError
from graphrt.types import CachePolicy, TimeoutPolicy

if TYPE_CHECKING:
    from graphrt.graph.nodes import NodeSpec

__all__ = ["NodeDefaults", "check_timeouts", "handler_shape", "policy_for", "with_defaults"]


class NodeDefaults(Struct, frozen=True):
    """What nodes have that say nothing else (`StateGraph.set_node_defaults`)."""

    retry_policy: Retries = None
    timeout: TimeoutPolicy | None = None
    error_handler: Any = None
    cache_policy: CachePolicy | None = None


def handler_shape(action: Any) -> Shape:
    """The shape of an error handler: besides what nodes may ask for, it may ask for the `NodeError`.

    Raises:
        GraphValidationError: it cannot be called.
    """
    shape = shape_of(action)
    asked = {name for name, _ in shape.inject}
    try:
        parameters = list(inspect.signature(shape.call).parameters.values())[1:]
    except (TypeError, ValueError):
        return shape
    errors = [p.name for p in parameters if p.name not in asked and _means_error(p)]
    return structs.replace(shape, inject=(*shape.inject, *[(name, "error") for name in errors]))


def _means_error(parameter: inspect.Parameter) -> bool:
    if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
        return False
    hint = parameter.annotation
    return parameter.name == "error" or "NodeError" in (hint if isinstance(hint, str) else f"{hint!r}")


def with_defaults(
    nodes: Mapping[str, NodeSpec], defaults: NodeDefaults, state_schema: Any
) -> dict[str, NodeSpec]:
    """The nodes of a graph as they are run: with its defaults, and with the default error handler among them.

    Handlers are tried again and timed as other nodes are, but nothing handles their errors.

    Raises:
        GraphValidationError: a node has the default handler's name.
    """
    from graphrt.graph.nodes import NodeSpec

    specs = dict(nodes)
    default: str | None = None
    if defaults.error_handler is not None:
        if DEFAULT_HANDLER in specs:
            raise GraphValidationError(
                f"Node `{DEFAULT_HANDLER}` already present: that is what the default error handler is called."
            )
        default = DEFAULT_HANDLER
        specs[default] = NodeSpec(handler_shape(defaults.error_handler), state_schema, is_error_handler=True)
    for name, spec in specs.items():
        specs[name] = structs.replace(
            spec,
            retry_policy=defaults.retry_policy if spec.retry_policy is None else spec.retry_policy,
            timeout=spec.timeout or defaults.timeout,
            error_handler=None if spec.is_error_handler else spec.error_handler or default,
            cache_policy=None if spec.is_error_handler else spec.cache_policy or defaults.cache_policy,
        )
    return specs


def check_timeouts(nodes: Mapping[str, NodeSpec]) -> None:
    """Only async nodes can be stopped.

    Raises:
        GraphValidationError: a node with a timeout is not.
    """
    for name, spec in nodes.items():
        if spec.timeout is not None:
            refuse_sync(name, is_async=spec.shape.is_async)


def policy_for(spec: NodeSpec, index: Mapping[str, int]) -> Policy | None:
    """The policy of a node, by the indexes of all nodes."""
    handler = None if spec.error_handler is None else index[spec.error_handler]
    return policy_of(spec.retry_policy, spec.timeout, handler)
