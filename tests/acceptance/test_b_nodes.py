"""What a node is given and what it may return (LangGraph B5-B8, B10)."""

import operator
from dataclasses import dataclass
from typing import Annotated, Any, TypedDict

import msgspec
import pytest
from pydantic import BaseModel, ValidationError

from graphrt.errors import InvalidUpdateError, UnknownKeyError
from graphrt.types import Command
from tests.acceptance.graphs import Log, graph, says


class Pair(TypedDict):
    x: int
    y: int


class XOnly(TypedDict):
    x: int


class Model(BaseModel):
    x: int
    y: int | None = None


class StrictData:
    """Stands for a class without annotations."""


@dataclass
class Data:
    x: int
    y: int | None = None


class Record(msgspec.Struct):
    x: int
    y: int | None = None


async def keep(state: Any) -> None:
    return None


@pytest.mark.parity("B5")
async def test_b5_keys_without_a_value_are_absent() -> None:
    seen: list[Any] = []
    app = graph(Pair, ("look", lambda state: seen.append(dict(state))), paths=["START look"]).compile()
    await app.ainvoke({"x": 1})
    assert seen == [{"x": 1}]


@pytest.mark.parity("B5", "C6")
async def test_b5_keys_with_a_constructible_reducer_start_empty() -> None:
    seen: list[Any] = []
    app = graph(Log, ("look", lambda state: seen.append(dict(state))), paths=["START look"]).compile()
    await app.ainvoke({})
    assert seen == [{"log": []}]


@pytest.mark.parity("B5")
async def test_b5_a_nodes_annotation_limits_what_it_reads() -> None:
    seen: list[Any] = []

    async def look(state: XOnly) -> None:
        seen.append(dict(state))

    await graph(Pair, look, paths=["START look"]).compile().ainvoke({"x": 1, "y": 2})
    assert seen == [{"x": 1}]


@pytest.mark.parity("B5")
@pytest.mark.parametrize("schema", [Model, Data])
async def test_b5_class_schemas_are_built(schema: Any) -> None:
    seen: list[Any] = []
    app = graph(schema, ("look", lambda state: seen.append(state)), paths=["START look"]).compile()
    await app.ainvoke({"x": 1})
    assert seen == [schema(x=1)]


@pytest.mark.parity("B5", differs="struct-states: LangGraph hands such nodes a dict")
async def test_b5_structs_are_built() -> None:
    seen: list[Any] = []
    app = graph(Record, ("look", lambda state: seen.append(state)), paths=["START look"]).compile()
    await app.ainvoke({"x": 1})
    assert seen == [Record(x=1)]


@pytest.mark.parity("B5")
async def test_b5_a_node_of_another_class_sees_that_class() -> None:
    seen: list[Any] = []

    async def look(state: Data) -> None:
        seen.append(state)

    await graph(Pair, look, paths=["START look"]).compile().ainvoke({"x": 1, "y": 2})
    assert seen == [Data(x=1, y=2)]


@pytest.mark.parity("B5")
@pytest.mark.parametrize("schema", [Model, Data])
async def test_b5_each_node_gets_an_object_of_its_own(schema: Any) -> None:
    seen: list[Any] = []

    async def spoil(state: Any) -> None:
        seen.append(state.x)
        state.x = 99

    app = graph(schema, ("p", spoil), ("q", spoil), ("r", spoil), paths=["START p r", "START q"]).compile()
    assert (await app.ainvoke({"x": 1}))["x"] == 1
    assert seen == [1, 1, 1]


@pytest.mark.parity("B5")
async def test_b5_setting_a_key_of_the_input_dict_changes_no_state() -> None:
    async def spoil(state: Pair) -> None:
        state["x"] += 99

    app = graph(Pair, ("p", spoil), ("q", spoil), paths=["START p", "START q"]).compile()
    assert await app.ainvoke({"x": 1, "y": 2}) == {"x": 1, "y": 2}


@pytest.mark.parity("B6")
async def test_b6_pydantic_validates_what_nodes_read_not_what_is_stored() -> None:
    seen: list[Any] = []
    app = graph(Model, ("look", lambda state: seen.append(state.x)), paths=["START look"]).compile()
    assert await app.ainvoke({"x": "7"}) == {"x": "7"}
    assert seen == [7]


@pytest.mark.parity("B6")
async def test_b6_invalid_input_fails_before_a_node_runs() -> None:
    seen: list[Any] = []
    app = graph(Model, ("look", lambda state: seen.append(state)), paths=["START look"]).compile()
    with pytest.raises(ValidationError):
        await app.ainvoke({"x": "seven"})
    assert seen == []


@pytest.mark.parity("B6")
async def test_b6_an_invalid_update_fails_where_it_is_read() -> None:
    async def spoil(state: Any) -> dict[str, Any]:
        return {"x": "seven"}

    app = graph(Model, spoil, ("look", keep), paths=["START spoil look"]).compile()
    with pytest.raises(ValidationError):
        await app.ainvoke({"x": 1})


@pytest.mark.parity("B6")
async def test_b6_an_invalid_last_update_is_not_noticed() -> None:
    async def spoil(state: Any) -> dict[str, Any]:
        return {"x": "seven"}

    assert await graph(Model, spoil, paths=["START spoil"]).compile().ainvoke({"x": 1}) == {"x": "seven"}


def returning(schema: Any, value: Any, **compile_options: Any) -> Any:
    """A compiled graph of one node that returns `value`."""

    async def node(state: Any) -> Any:
        return value

    return graph(schema, node, paths=["START node"]).compile(**compile_options)


@pytest.mark.parity("B7")
@pytest.mark.parametrize("value", [None, {}])
async def test_b7_returning_nothing_changes_nothing(value: Any) -> None:
    assert await returning(Pair, value).ainvoke({"x": 1, "y": 2}) == {"x": 1, "y": 2}


@pytest.mark.parity("B7")
async def test_b7_a_dict_updates_its_keys_only() -> None:
    assert await returning(Pair, {"y": 5}).ainvoke({"x": 1, "y": 2}) == {"x": 1, "y": 5}


@pytest.mark.parity("B7")
async def test_b7_none_is_a_value() -> None:
    assert await returning(Pair, {"y": None}).ainvoke({"x": 1, "y": 2}) == {"x": 1, "y": None}


@pytest.mark.parity("B7", "P4")
@pytest.mark.parametrize("value", [5, "text", 1.5, ["x"], [], StrictData()])
async def test_b7_anything_else_is_refused(value: Any) -> None:
    with pytest.raises(InvalidUpdateError, match="Expected dict, got"):
        await returning(Pair, value).ainvoke({"x": 1, "y": 2})


@pytest.mark.parity("B7", differs="unknown-keys: LangGraph drops them")
async def test_b7_unknown_keys_are_refused_with_a_suggestion() -> None:
    with pytest.raises(UnknownKeyError, match=r"'logs'.*'log'"):
        await returning(Log, {"logs": ["typo"]}).ainvoke({})


@pytest.mark.parity("B7")
async def test_b7_unknown_keys_are_dropped_when_not_strict() -> None:
    app = returning(Log, {"logs": ["typo"], "log": ["ok"]}, strict=False)
    assert await app.ainvoke({}) == {"log": ["ok"]}


@pytest.mark.parity("B7", differs="unknown-keys: LangGraph drops them")
async def test_b7_unknown_keys_of_a_command_are_refused() -> None:
    with pytest.raises(UnknownKeyError):
        await returning(Log, Command(update={"logs": ["typo"]})).ainvoke({})


@pytest.mark.parity("B7")
async def test_b7_unknown_keys_of_a_command_are_dropped_when_not_strict() -> None:
    app = returning(Log, Command(update={"logs": ["typo"], "log": ["ok"]}), strict=False)
    assert await app.ainvoke({}) == {"log": ["ok"]}


@pytest.mark.parity("B7")
async def test_b7_a_list_with_a_command_is_a_list_of_updates() -> None:
    app = returning(Log, [{"log": ["1"]}, Command(update={"log": ["2"]}), {"log": ["3"]}])
    assert await app.ainvoke({}) == {"log": ["1", "2", "3"]}


@pytest.mark.parity("B7")
@pytest.mark.parametrize("value", [Model(x=5, y=6), Data(x=5, y=6)])
async def test_b7_an_annotated_object_updates_its_fields(value: Any) -> None:
    assert await returning(Pair, value).ainvoke({"x": 1, "y": 2}) == {"x": 5, "y": 6}


@pytest.mark.parity("B7")
async def test_b7_a_struct_updates_its_fields() -> None:
    assert await returning(Pair, Record(x=5, y=6)).ainvoke({"x": 1, "y": 2}) == {"x": 5, "y": 6}


@pytest.mark.parity("B8")
async def test_b8_a_none_default_of_a_pydantic_model_is_not_written() -> None:
    assert await returning(Pair, Model(x=5)).ainvoke({"x": 1, "y": 2}) == {"x": 5, "y": 2}


@pytest.mark.parity("B8")
async def test_b8_a_dataclass_writes_all_its_fields() -> None:
    assert await returning(Pair, Data(x=5)).ainvoke({"x": 1, "y": 2}) == {"x": 5, "y": None}


@pytest.mark.parity("B8")
async def test_b8_a_struct_writes_all_its_fields() -> None:
    assert await returning(Pair, Record(x=5)).ainvoke({"x": 1, "y": 2}) == {"x": 5, "y": None}


@pytest.mark.parity("B8")
async def test_b8_pydantic_fields_that_were_set_to_none_are_written() -> None:
    assert await returning(Pair, Model(x=5, y=None)).ainvoke({"x": 1, "y": 2}) == {"x": 5, "y": None}


class ModelWithDefault(BaseModel):
    x: int = 10
    y: int | None = 20


@dataclass
class DataWithDefault:
    x: int = 10
    y: int | None = 20


@pytest.mark.parity("B8")
@pytest.mark.parametrize("schema", [ModelWithDefault, DataWithDefault])
async def test_b8_other_defaults_are_written(schema: Any) -> None:
    assert await returning(Pair, schema()).ainvoke({"x": 1, "y": 2}) == {"x": 10, "y": 20}


@pytest.mark.parity("B8")
@pytest.mark.parametrize("schema", [ModelWithDefault, DataWithDefault])
async def test_b8_none_in_place_of_another_default_is_written(schema: Any) -> None:
    assert await returning(Pair, schema(y=None)).ainvoke({"x": 1, "y": 2}) == {"x": 10, "y": None}


@pytest.mark.parity("B10")
@pytest.mark.parametrize("schema", [Model, Data])
async def test_b10_invoke_returns_a_dict_for_class_schemas(schema: Any) -> None:
    app = graph(schema, ("keep", keep), paths=["START keep"]).compile()
    assert await app.ainvoke(schema(x=1, y=2)) == {"x": 1, "y": 2}


class Total(TypedDict):
    total: Annotated[int, operator.add]


@pytest.mark.parity("B7")
async def test_b7_an_update_may_be_a_list_of_pairs_inside_a_command() -> None:
    app = returning(Total, Command(update=[("total", 1), ("total", 2)]))
    assert await app.ainvoke({"total": 10}) == {"total": 13}


@pytest.mark.parity("B5")
async def test_b5_two_nodes_may_be_one_function_under_two_names() -> None:
    app = graph(Log, ("one", says("x")), ("two", says("x")), paths=["START one two"]).compile()
    assert await app.ainvoke({}) == {"log": ["x", "x"]}
