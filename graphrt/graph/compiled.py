"""A compiled `StateGraph`: a runnable graph that knows its schemas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Generic

from graphrt.core.jsonschema import json_schema
from graphrt.core.plan import Plan
from graphrt.graph.schema import mapper_of
from graphrt.pregel import Pregel
from graphrt.types import All
from graphrt.typing import ContextT, InputT, OutputT, StateT

if TYPE_CHECKING:
    from graphrt.graph.drawing import Graph
    from graphrt.graph.state import StateGraph

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
        debug: bool = False,
        interrupt_before: All | Sequence[str] | None = None,
        interrupt_after: All | Sequence[str] | None = None,
    ) -> None:
        self.builder = builder
        self._setup(
            plan,
            checkpointer=checkpointer,
            stream_mode="updates",
            schemas=tuple(builder.schemas),
            debug=debug,
            context_schema=builder.context_schema,
            interrupt_before=interrupt_before,
            interrupt_after=interrupt_after,
        )

    def get_graph(self) -> Graph:
        """The graph as a picture: `draw_mermaid()`, `draw_ascii()`, `to_json()`."""
        from graphrt.graph.drawing import describe

        return describe(self.builder)

    async def aget_graph(self) -> Graph:
        """The same as `get_graph`."""
        return self.get_graph()

    def get_input_jsonschema(self) -> dict[str, Any]:
        """JSON Schema of a run's input."""
        return json_schema(self.builder.input_schema)

    def get_output_jsonschema(self) -> dict[str, Any]:
        """JSON Schema of what a run returns."""
        return json_schema(self.builder.output_schema)

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


def _as(schema: Any, values: Any) -> Any:
    mapper = mapper_of(schema)
    return values if mapper is None else mapper(values)
