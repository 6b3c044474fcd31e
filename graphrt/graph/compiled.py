"""A compiled `StateGraph`: a runnable graph that knows its schemas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Generic

from graphrt.core.jsonschema import json_schema
from graphrt.core.plan import Plan
from graphrt.graph.schema import managed_of, mapper_of
from graphrt.pregel import Pregel
from graphrt.types import All
from graphrt.typing import ContextT, InputT, OutputT, StateT

if TYPE_CHECKING:
    from graphrt.cache import BaseCache
    from graphrt.callbacks import GraphCallbackHandler
    from graphrt.drawing import Graph
    from graphrt.graph.state import StateGraph
    from graphrt.observers import Observer
    from graphrt.store.base import BaseStore

__all__ = ["CompiledStateGraph"]


class CompiledStateGraph(
    Pregel[StateT, ContextT, InputT, OutputT], Generic[StateT, ContextT, InputT, OutputT]
):
    """What `StateGraph.compile` returns."""

    def __init__(
        self,
        builder: StateGraph[StateT, ContextT, InputT, OutputT],
        plan: Plan,
        *,
        checkpointer: Any = None,
        cache: BaseCache[Any] | None = None,
        store: BaseStore | None = None,
        debug: bool = False,
        interrupt_before: All | Sequence[str] | None = None,
        interrupt_after: All | Sequence[str] | None = None,
        observers: Sequence[Observer | GraphCallbackHandler] | None = None,
    ) -> None:
        self.builder = builder
        self._setup(
            plan,
            checkpointer=checkpointer,
            cache=cache,
            store=store,
            stream_mode="updates",
            schemas=tuple(builder.schemas),
            debug=debug,
            context_schema=builder.context_schema,
            interrupt_before=interrupt_before,
            interrupt_after=interrupt_after,
            observers=observers,
        )

    def declared(self) -> Graph:
        """What the builder declares, reachable or not."""
        from graphrt.drawing import describe
        from graphrt.graph.declaring import declaration

        return describe(declaration(self.builder))

    def get_input_jsonschema(self) -> dict[str, Any]:
        """JSON Schema of a run's input."""
        return _unmanaged(json_schema(self.builder.input_schema), self.builder.input_schema)

    def get_output_jsonschema(self) -> dict[str, Any]:
        """JSON Schema of what a run returns."""
        return _unmanaged(json_schema(self.builder.output_schema), self.builder.output_schema)

    def get_context_jsonschema(self) -> dict[str, Any] | None:
        """JSON Schema of a run's context, None if the graph declares none."""
        schema = self.builder.context_schema
        return None if schema is None else json_schema(schema)

    def _coerce(self, mode: str, payload: Any) -> Any:
        builder = self.builder
        if mode == "values" and isinstance(payload, dict):
            return _as(builder.output_schema, payload)
        if mode in ("checkpoints", "debug") and "values" in (inner := payload.get("payload", payload)):
            values = inner["values"]
            if not values or "__start__" in inner["next"]:
                return payload
            shown = {**inner, "values": _as(builder.state_schema, values)}
            return {**payload, "payload": shown} if inner is not payload else shown
        return payload


def _unmanaged(described: dict[str, Any], schema: Any) -> dict[str, Any]:
    """A JSON Schema without the keys that nobody passes and nothing returns (LangGraph B4)."""
    for key, _ in managed_of(schema):
        described["properties"].pop(key, None)
        if key in described.get("required", ()):
            described["required"].remove(key)
    return described


def _as(schema: Any, values: Any) -> Any:
    mapper = mapper_of(schema)
    return values if mapper is None else mapper(values)
