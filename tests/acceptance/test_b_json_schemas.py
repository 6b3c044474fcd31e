"""JSON Schemas of what a graph takes and gives (LangGraph B11)."""

from dataclasses import dataclass
from typing import Any, TypedDict

import pytest
from pydantic import BaseModel

from tests.acceptance.graphs import graph, says


class Typed(TypedDict):
    n: int
    name: str


@dataclass
class Data:
    n: int
    name: str


class Model(BaseModel):
    n: int
    name: str


class OnlyN(TypedDict):
    n: int


def properties(schema: dict[str, Any]) -> dict[str, Any]:
    return {key: value["type"] for key, value in schema["properties"].items()}


@pytest.mark.parity("B11")
@pytest.mark.parametrize("schema", [Typed, Data, Model])
def test_b11_input_and_output_have_a_json_schema(schema: Any) -> None:
    app = graph(schema, says("a"), paths=["START a"]).compile()
    assert properties(app.get_input_jsonschema()) == {"n": "integer", "name": "string"}
    assert properties(app.get_output_jsonschema()) == {"n": "integer", "name": "string"}


@pytest.mark.parity("B11")
def test_b11_input_and_output_schemas_are_described_not_the_state() -> None:
    app = graph(Typed, says("a"), paths=["START a"], input_schema=OnlyN, output_schema=OnlyN).compile()
    assert properties(app.get_input_jsonschema()) == {"n": "integer"}
    assert properties(app.get_output_jsonschema()) == {"n": "integer"}
