"""JSON Schema of the classes that users describe states and answers with."""

from __future__ import annotations

import sys
from typing import Any

import msgspec

__all__ = ["converted", "json_schema"]


def json_schema(schema: Any) -> dict[str, Any]:
    """JSON Schema of a schema class: pydantic describes its own models, msgspec everything else."""
    if hasattr(schema, "model_json_schema"):
        of_model: dict[str, Any] = schema.model_json_schema()
        return of_model
    try:
        described = msgspec.json.schema(schema)
    except TypeError:
        if "pydantic" not in sys.modules:
            raise
        from pydantic import TypeAdapter  # a type that has pydantic's models in it

        described = TypeAdapter(schema).json_schema()
    reference = described.get("$ref", "")
    definitions = described.get("$defs", {})
    name = reference.rsplit("/", 1)[-1]
    if name in definitions:
        described = {**definitions.pop(name), **({"$defs": definitions} if definitions else {})}
    return described


def converted(value: Any, schema: Any) -> Any:
    """A plain value as an instance of a type.

    Raises:
        ValueError: it does not fit.
    """
    if hasattr(schema, "model_validate"):
        return schema.model_validate(value)
    try:
        msgspec.json.schema(schema)
    except TypeError:
        if "pydantic" not in sys.modules:
            raise
        from pydantic import TypeAdapter

        return TypeAdapter(schema).validate_python(value)
    return msgspec.convert(value, schema)
