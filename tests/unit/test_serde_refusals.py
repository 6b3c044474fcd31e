"""A value that cannot be stored is refused with the path to it; bytes that cannot be read, with their tag."""

import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from graphrt.errors import DeserializationError, SerializationError
from graphrt.serde import MAX_DEPTH, Serializer, TypeRegistry, UnknownValue
from graphrt.types import Send
from tests.unit.serde_world import Box, Flat, Model, Note, Pair, Point, UserId, world_serializer

WORLD = world_serializer()
LOCK = threading.Lock()


class Stranger: ...


@pytest.mark.parametrize(
    "value, path",
    [
        (LOCK, ""),
        ({"user": Pair(1, [1, 2, LOCK])}, "['user'].right[2]"),
        ([[{"a": (1, LOCK)}]], "[0][0]['a'][1]"),
        ([Point(1, 2), Point(1, LOCK)], "[1].y"),
        ([Note("a", 1, 0.5), Note("b", 1, 0.5, [LOCK])], "[1].tags[0]"),  # type: ignore[list-item]
        ([Pair(1), Point(1, 2)] * 10 + [Pair(LOCK)], "[20].left"),
        (Box({1: LOCK}), ".inner_value[1]"),
        ({(1, LOCK): 2}, f"<key {(1, LOCK)!r}>[1]"),
        ({LOCK}, "{...}"),
        (deque([1, LOCK]), "[1]"),
        (OrderedDict(a=LOCK), "['a']"),
        (Model.model_construct(title=[LOCK]), ".title[0]"),
        (Model.model_construct(title="t", extra=LOCK), ".extra"),
        (Send("n", {"x": LOCK}), ".arg['x']"),
        ({"huge": 2**70, "x": LOCK}, "['x']"),
        ({"\ud800": 1, "x": [LOCK]}, "['x'][0]"),
    ],
    ids=lambda part: part.partition(" at 0x")[0] if isinstance(part, str) else type(part).__name__,
)
def test_the_path_leads_to_the_value(value: Any, path: str) -> None:
    with pytest.raises(SerializationError) as caught:
        WORLD.dumps(value)
    assert caught.value.path == path
    assert caught.value.type_name == "_thread:lock"
    assert path in str(caught.value)


class Shy:
    def __repr__(self) -> str:
        raise LookupError


@pytest.mark.parametrize(
    "key, path",
    [(10**5000, "[<int>][0]"), ("x" * 300, f"['{'x' * 199}...][0]"), (Shy(), "<key <Shy>>")],
    ids=["huge int", "long text", "no repr"],
)
def test_a_key_that_cannot_be_shown_does_not_hide_the_path(key: Any, path: str) -> None:
    with pytest.raises(SerializationError) as caught:
        WORLD.dumps({key: [LOCK]})
    assert caught.value.path == path


def test_the_message_says_what_to_do() -> None:
    with pytest.raises(
        SerializationError,
        match=r"at \['a'\]: .*:Stranger is not a registered type.*annotations.*serde\.register",
    ):
        WORLD.dumps({"a": Stranger()})


@pytest.mark.parametrize(
    "value",
    [type("Sub", (base,), {})() for base in (str, int, float, bytes, list, dict, tuple, set)],
    ids=lambda value: type(value).__mro__[1].__name__,
)
def test_a_subclass_nobody_registered_is_not_written_as_its_base(value: Any) -> None:
    for place in (value, [value], {"a": value}, (1, value), [1, value], Note("x", 1, value)):
        with pytest.raises(SerializationError, match="Sub is not a registered type"):
            WORLD.dumps(place)


def test_a_key_of_a_subclass_nobody_registered_is_refused() -> None:
    class Key(str): ...  # noqa: SLOT000 - as users write it

    with pytest.raises(SerializationError, match="Key is not a registered type"):
        WORLD.dumps({"a": {Key("a"): 1}})


def test_a_dataclass_nobody_registered_is_refused() -> None:
    @dataclass
    class Local:
        x: int

    with pytest.raises(SerializationError, match="Local is not a registered type") as caught:
        WORLD.dumps({"items": [Local(1), Local(2)]})
    assert caught.value.path == "['items'][0]"


def test_an_attribute_that_is_no_field_is_refused_instead_of_lost() -> None:
    note, flat = Note("a", 1, 0.5), Flat("a", 1, 0.5)
    note.colour = flat.colour = "red"  # type: ignore[attr-defined]
    for value in (note, flat, [note, note], [flat, flat]):
        with pytest.raises(SerializationError, match="its attribute 'colour' is no field"):
            WORLD.dumps(value)


def test_a_field_that_is_not_set_is_refused() -> None:
    @dataclass(slots=True)
    class Slotted:
        x: int
        y: int = 2

    registry = TypeRegistry()
    registry.register("slotted", Slotted)
    broken = Slotted(1)
    del broken.y
    for value in (broken, [broken, broken]):
        with pytest.raises(SerializationError, match="its field 'y' is not set"):
            Serializer(registry).dumps(value)


def test_an_attribute_of_a_subclass_of_str_is_refused_instead_of_lost() -> None:
    user = UserId("ada")
    user.age = 3  # type: ignore[attr-defined]
    with pytest.raises(SerializationError, match="attributes of its own"):
        WORLD.dumps(user)


def test_arrays_of_objects_are_refused() -> None:
    with pytest.raises(SerializationError, match="dtype") as caught:
        WORLD.dumps({"a": np.array([object()])})
    assert caught.value.path == "['a']"


def test_a_value_that_contains_itself_is_refused() -> None:
    node: dict[str, Any] = {"name": "a"}
    node["children"] = [node]
    with pytest.raises(SerializationError, match="contains itself") as caught:
        WORLD.dumps([1, node])
    assert caught.value.path == "[1]['children'][0]"


@pytest.mark.parametrize("wrap", [lambda v: [Pair(v), Pair(1)], lambda v: [(v,), ()]])
def test_a_list_of_one_type_counts_as_a_level_of_its_own(wrap: Callable[[Any], Any]) -> None:
    value: Any = 1
    for _ in range(MAX_DEPTH // 2):
        value = wrap(value)
    assert WORLD.loads(WORLD.dumps(value)) == value
    for deeper in (wrap(value), [value]):
        with pytest.raises(SerializationError, match="deeper"):
            WORLD.dumps(deeper)


@pytest.mark.parametrize(
    "wrap", [lambda v: [v], lambda v: {"a": v}, lambda v: (v,), lambda v: {1: v}, lambda v: Pair(v)]
)
def test_a_value_nested_too_deeply_is_refused(wrap: Any) -> None:
    value: Any = wrap(1)
    for _ in range(MAX_DEPTH - 1):
        value = wrap(value)
    assert WORLD.loads(WORLD.dumps(value)) == value
    with pytest.raises(SerializationError, match=f"deeper than {MAX_DEPTH}"):
        WORLD.dumps(wrap(value))


def test_no_recursion_error_however_deep_the_value() -> None:
    value: Any = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(SerializationError):
        WORLD.dumps(value)


def test_an_error_in_a_registered_encoder_is_told_with_its_cause() -> None:
    registry = TypeRegistry()
    registry.register("stranger", Stranger, encode=lambda value: value.missing, decode=lambda body: body)
    with pytest.raises(SerializationError, match=r"Stranger cannot be written: .*missing") as caught:
        Serializer(registry).dumps([Stranger()])
    assert isinstance(caught.value.__cause__, AttributeError)


# ---- reading


def test_an_unknown_tag_is_an_error_that_names_it() -> None:
    data = WORLD.dumps({"a": [Pair(1)]})
    with pytest.raises(DeserializationError, match=r"unknown type 'tests\.unit\.serde_world:Pair'") as caught:
        Serializer().loads(data)
    assert caught.value.tag == "tests.unit.serde_world:Pair"


def test_reading_raw_shows_what_is_behind_an_unknown_tag() -> None:
    data = WORLD.dumps({"one": Pair(Path("p")), "two": [Pair(1), Pair((2,))]})
    tag = "tests.unit.serde_world:Pair"
    assert Serializer().loads_raw(data) == {
        "one": UnknownValue(tag, 1, {"left": Path("p"), "right": None}),
        "two": [
            UnknownValue(tag, 1, {"left": 1, "right": None}),
            UnknownValue(tag, 1, {"left": (2,), "right": None}),
        ],
    }


def test_what_raw_reading_shows_cannot_be_stored_again() -> None:
    value = Serializer().loads_raw(WORLD.dumps([Pair(1)]))
    with pytest.raises(SerializationError, match="loads_raw") as caught:
        WORLD.dumps(value)
    assert caught.value.path == "[0]"


@pytest.mark.parametrize(
    "data", [b"", b"\xc1", b"\x92\x01", b"\x01\x02", b"\xa1\xff", b"\xdd\xff\xff\xff\xff", b"\xd4\x05x"]
)
def test_damaged_bytes_are_an_error(data: bytes) -> None:
    for read in (WORLD.loads, WORLD.loads_raw):
        with pytest.raises(DeserializationError):
            read(data)


def test_a_damaged_body_is_an_error_that_names_the_tag() -> None:
    data = msgspec.msgpack.encode(msgspec.msgpack.Ext(71, msgspec.msgpack.encode(["!uuid", 1, b"short"])))
    with pytest.raises(DeserializationError, match="'!uuid'") as caught:
        WORLD.loads(data)
    assert caught.value.tag == "!uuid"
