"""What is read is what was written: equal, and of the same type at every depth."""

from collections import OrderedDict
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pydantic
import pytest
from hypothesis import given, settings

from graphrt.errors import ErrorCode, GraphRecursionError
from graphrt.serde import MAX_DEPTH, RemoteError, Serializer, TypeRegistry
from tests.unit.serde_world import (
    EXAMPLES,
    Flat,
    Model,
    Name,
    Note,
    Pair,
    Row,
    UserId,
    seen,
    values,
    world_serializer,
)

WORLD = world_serializer()


def again(value: Any, serializer: Serializer = WORLD) -> Any:
    return serializer.loads(serializer.dumps(value))


@settings(max_examples=400)
@given(values)
def test_a_value_comes_back_as_it_was(value: Any) -> None:
    assert seen(again(value)) == seen(value)


@settings(max_examples=100)
@given(values)
def test_what_comes_back_has_the_same_bytes_and_raw_reading_agrees(value: Any) -> None:
    data = WORLD.dumps(value)
    assert WORLD.dumps(WORLD.loads(data)) == data
    assert seen(WORLD.loads_raw(data)) == seen(value)


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_come_back_as_they_were(name: str) -> None:
    assert seen(again(EXAMPLES[name])) == seen(EXAMPLES[name])


@pytest.mark.parametrize(
    "value", [2**63 - 1, -(2**63), 2**63, 2**64 - 1, 2**64, -(2**63) - 1, 10**6000], ids=hex
)
def test_ints_of_any_size(value: int) -> None:
    assert again(value) == value
    assert again({"deep": [{"x": (value,)}]}) == {"deep": [{"x": (value,)}]}


def test_lone_surrogates_and_nul_survive_as_value_and_as_key() -> None:
    value = {"\ud800key": ["\udfff", "\0"], "fine": "\ud800"}
    assert again(value) == value
    assert again(Note("\ud800", 1, 0.5)) == Note("\ud800", 1, 0.5)


def test_an_int_in_a_field_declared_float_stays_an_int() -> None:
    flats = again([Flat("a", 1, 3), Flat("b", 1, 3.0)])
    assert [type(flat.score) for flat in flats] == [int, float]
    assert type(again(Flat("a", 1, 3)).score) is int
    assert type(again(Row(Name("n"), "a", 1.5, 3)).either) is int


def test_ints_and_floats_in_a_declared_list_of_floats_stay_what_they_are() -> None:
    @dataclass
    class Series:
        points: list[float]

    registry = TypeRegistry()
    registry.register("series", Series)
    result = again([Series([1, 2.0]), Series([])], Serializer(registry))[0]
    assert [type(point) for point in result.points] == [int, float]


def test_a_field_may_hold_what_its_class_does_not_declare() -> None:
    assert again(Note(("a",), {1: 2}, "high", None)) == Note(("a",), {1: 2}, "high", None)  # type: ignore[arg-type]


def test_dicts_keep_their_order_and_their_kind_of_keys() -> None:
    value = {2: "b", 1: "a", "1": "c", (1, None): "d", True is None: "e"}
    assert list(again(value).items()) == list(value.items())
    assert type(next(iter(again({UserId("ada"): 1})))) is UserId


@pytest.mark.parametrize(
    "odd",
    [
        {UserId("a"): 1}, {1: 1}, {"a": 1, "b": (1,)}, {"a": UserId("x")}, {"a": (1,)}, {"b": 1}, {}, (), None,
        OrderedDict(a=1), {"a": {"b": [{"c": {"d": UserId("x")}}]}}, {"a": [{UserId("b"): 1}]}, {"a": 2**70},
    ],
    ids=repr,
)  # fmt: skip
@pytest.mark.parametrize("size", [1, 20])
def test_one_odd_item_among_many_dicts_comes_back_as_it_was(odd: Any, size: int) -> None:
    for value in (
        [{"a": 1}] * size + [odd],
        [odd] + [{"a": "x"}] * size,
        {"x": [{"a": 1}] * size, "y": [odd]},
    ):
        assert seen(again(value)) == seen(value)


def test_a_plain_value_is_encoded_without_being_copied_or_changed() -> None:
    value: dict[str, Any] = {"a": [1, {"b": (1, 2)}], "c": OrderedDict(x=1)}
    WORLD.dumps(value)
    assert value == {"a": [1, {"b": (1, 2)}], "c": OrderedDict(x=1)}
    assert type(value["a"][1]["b"]) is tuple


def test_the_deepest_value_that_is_written_can_be_read_far_down_the_stack() -> None:
    value: Any = ()
    for _ in range(MAX_DEPTH - 1):
        value = (value,)
    data = WORLD.dumps(value)

    def read_below(frames: int) -> Any:
        return read_below(frames - 1) if frames else WORLD.loads(data)

    assert read_below(300) == value


# ---- exceptions


@pytest.mark.parametrize(
    "error",
    [
        ValueError("x", (1,)),
        KeyError("k"),
        FileNotFoundError(2, "No such file", "name"),
        UnicodeDecodeError("utf8", b"\xff", 0, 1, "bad"),
        ExceptionGroup("many", [ValueError(1), ExceptionGroup("inner", [TypeError(2)])]),
        GraphRecursionError("too far", limit=3, step=3),
    ],
    ids=lambda error: type(error).__name__,
)
def test_known_exceptions_come_back_as_their_class(error: Exception) -> None:
    error.add_note("in node 'a'")
    result = again(error)
    assert repr(result) == repr(error) and str(result) == str(error)
    assert type(result) is type(error) and result.__notes__ == error.__notes__


def test_an_exceptions_attributes_come_back() -> None:
    result = again(GraphRecursionError("too far", limit=3, step=2))
    assert (result.limit, result.step, result.code) == (3, 2, ErrorCode.GRAPH_RECURSION_LIMIT)
    assert again(FileNotFoundError(2, "no", "name")).filename == "name"


def test_an_unregistered_exception_becomes_a_remote_error() -> None:
    class LocalError(Exception): ...

    error = LocalError("card", 3)
    error.add_note("declined")
    result = again({"error": error})["error"]
    assert type(result) is RemoteError
    assert result.type_name.endswith(":" + LocalError.__qualname__)
    assert (result.text, result.arguments, result.__notes__) == ("('card', 3)", ("'card'", "3"), ["declined"])
    assert repr(again(result)) == repr(result)


def test_an_exception_that_carries_something_unstorable_is_still_stored() -> None:
    class Broken:
        def __repr__(self) -> str:
            raise RuntimeError

    result = again(ValueError("x", Broken()))
    assert result.type_name == "builtins:ValueError"
    assert result.arguments == ("'x'", "<RuntimeError in repr()>")


# ---- classes


def test_no_constructor_runs_on_reading() -> None:
    @dataclass
    class Loud:
        x: int
        calls = 0

        def __post_init__(self) -> None:
            Loud.calls += 1

    registry = TypeRegistry()
    registry.register("loud", Loud)
    assert again([Loud(1), Loud(2)], Serializer(registry)) == [Loud(1), Loud(2)]
    assert Loud.calls == 4  # those of the test itself


def test_a_model_comes_back_without_validation_and_with_all_it_has() -> None:
    model = Model.model_construct({"title"}, title=3, items=(), more=[1])
    model._secret = UserId("s")
    result = again(model)
    assert result == model
    assert (result.model_fields_set, result._secret, result.__pydantic_extra__) == (
        {"title"},
        "s",
        {"more": [1]},
    )


def test_secrets_come_back_secret() -> None:
    secret = again(pydantic.SecretStr("key"))
    assert type(secret) is pydantic.SecretStr and secret.get_secret_value() == "key"


def test_a_cached_property_is_computed_again() -> None:
    @dataclass
    class Doc:
        text: str

        @cached_property
        def words(self) -> object:
            return object()

    registry = TypeRegistry()
    registry.register("doc", Doc)
    doc = Doc("a b")
    assert doc.words
    assert vars(again(doc, Serializer(registry))) == {"text": "a b"}


def test_a_field_that_was_never_set_stays_unset() -> None:
    @dataclass
    class Late:
        x: int
        y: int = field(init=False)

    registry = TypeRegistry()
    registry.register("late", Late)
    late, *_ = again([Late(1), Late(1)], Serializer(registry))
    assert late.x == 1 and not hasattr(late, "y")


def test_arrays_come_back_writable_and_in_their_order() -> None:
    array = np.asfortranarray(np.arange(6, dtype=">i2").reshape(2, 3))
    result = again(array)
    assert result.dtype.newbyteorder("<") == np.dtype("<i2") and result.flags.f_contiguous
    result[0, 0] = 9
    assert array[0, 0] == 0


@pytest.mark.parametrize(
    "settings",
    [{"array_like": True}, {"omit_defaults": True}, {"tag": True}, {"rename": "camel"}, {"dict": True}],
    ids=str,
)
def test_structs_with_settings_of_their_own_are_written_by_field(settings: Any) -> None:
    row_type = msgspec.defstruct("RowType", [("first_one", int, 1), ("second_one", float, 2.0)], **settings)
    registry = TypeRegistry()
    registry.register("row", row_type)
    serializer = Serializer(registry)
    rows = [row_type(), row_type(2, 3)]
    assert seen(again(rows, serializer)) == seen(rows)
    for data in (serializer.dumps(rows), serializer.dumps(rows[0])):
        assert b"first_one" in data and b"RowType" not in data


def test_sets_have_the_same_bytes_in_any_order() -> None:
    forward, backward = set(map(str, range(100))), set(map(str, reversed(range(100))))
    assert WORLD.dumps(forward) == WORLD.dumps(backward)
    assert WORLD.dumps({1, "a", (1,)}) == WORLD.dumps({(1,), "a", 1})


def test_a_long_list_of_records_is_faithful_record_by_record() -> None:
    notes: list[Any] = [Note(f"n{i}", i, i / 2) for i in range(50)]
    notes[20] = Note("odd", 1, Decimal(1), [Path("x")])  # type: ignore[arg-type, list-item]
    notes[21] = Pair(1)
    assert seen(again(notes)) == seen(notes)
    assert seen(again(notes[:20])) == seen(notes[:20])
    assert seen(again(notes[:21])) == seen(notes[:21])
