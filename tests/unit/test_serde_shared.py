"""Types registered for the whole process: one line beside the class, seen by every graph, clashes told."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypedDict

import pytest

from graphrt import serde
from graphrt.errors import DeserializationError, SerializationError
from graphrt.graph import END, START, StateGraph
from graphrt.serde import Serializer, TypeRegistry
from graphrt.serde.shared import SHARED


class Money:
    def __init__(self, cents: int) -> None:
        self.cents = cents

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Money) and other.cents == self.cents

    __hash__ = None  # type: ignore[assignment]


@dataclass
class Note:
    text: str


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    types, tags = SHARED.types.copy(), SHARED.tags.copy()
    yield
    SHARED.types, SHARED.tags = types, tags
    SHARED.changes += 1


def register_money() -> None:
    serde.register("money", Money, encode=lambda money: money.cents, decode=Money)


def again(value: Any, serializer: Serializer) -> Any:
    return serializer.loads(serializer.dumps(value))


def test_every_registry_knows_the_type_from_then_on() -> None:
    before, value = Serializer(), {"a": [Money(1), Money(2)]}
    with pytest.raises(SerializationError, match=r"serde\.register"):
        before.dumps(value)
    register_money()
    assert again(value, before) == value
    assert Serializer().loads(before.dumps(value)) == value
    assert "money" in TypeRegistry().tags()


def test_a_graph_stores_it_without_naming_it() -> None:
    class State(TypedDict):
        paid: Any

    register_money()
    graph = (
        StateGraph(State)
        .add_node("pay", lambda state: {})
        .add_edge(START, "pay")
        .add_edge("pay", END)
        .compile()
    )
    assert again(Money(3), graph.serializer) == Money(3)


def test_a_class_that_describes_itself_needs_no_functions() -> None:
    serde.register("note", Note)
    data = Serializer().dumps([Note("a"), Note("b")])
    assert b"note" in data and Note.__module__.encode() not in data
    assert Serializer().loads(data) == [Note("a"), Note("b")]


def test_a_schema_does_not_give_it_another_tag() -> None:
    serde.register("note", Note)
    registry = TypeRegistry()
    registry.register_schema(list[Note])
    assert Serializer(registry).dumps(Note("a")) == Serializer().dumps(Note("a"))


@pytest.mark.parametrize(
    "functions", [{}, {"encode": lambda note: note.text, "decode": Note}], ids=["own", "given"]
)
def test_what_was_stored_under_the_name_of_the_class_can_still_be_read(functions: Any) -> None:
    registry = TypeRegistry()
    registry.register_schema(Note)
    data = Serializer(registry).dumps([Note("a"), {"b": Note("b")}])
    serde.register("note", Note, **functions)
    assert Serializer().loads(data) == [Note("a"), {"b": Note("b")}]
    alone = TypeRegistry()
    alone.register("mine", type("Mine", (), {}), encode=vars, decode=vars)
    assert Serializer(alone).loads(data) == [Note("a"), {"b": Note("b")}]


def test_an_older_body_under_the_name_of_the_class_is_upgraded() -> None:
    registry = TypeRegistry()
    registry.register_schema(Note)
    data = Serializer(registry).dumps(Note("a"))
    serde.register("note", Note, version=2, upgrade={1: lambda body: {"text": body["text"] + "!"}})
    assert Serializer().loads(data) == Note("a!")


def test_an_unknown_tag_says_what_to_do() -> None:
    register_money()
    data = Serializer().dumps(Money(1))
    SHARED.types.clear()
    SHARED.tags.clear()
    with pytest.raises(DeserializationError, match=r"unknown type 'money'.*serde\.register\('money'"):
        Serializer().loads(data)


# ---- clashes


def test_a_tag_and_a_type_are_registered_once() -> None:
    register_money()
    with pytest.raises(ValueError, match=r"The tag 'money' already stands for .*Money"):
        serde.register("money", Note)
    with pytest.raises(ValueError, match="Money is registered already"):
        serde.register("cash", Money, encode=vars, decode=vars)
    with pytest.raises(ValueError, match="registered already"):
        serde.register("list", list, encode=list, decode=list)


def test_a_graph_cannot_take_what_is_shared() -> None:
    register_money()
    with pytest.raises(ValueError, match="The tag 'money' already stands for"):
        TypeRegistry().register("money", Note)
    with pytest.raises(ValueError, match="Money is registered already"):
        TypeRegistry().register("cash", Money, encode=vars, decode=vars)


def test_a_shared_tag_that_means_something_else_in_a_graph_is_not_written_there() -> None:
    registry = TypeRegistry()
    registry.register("money", Note)
    register_money()
    serializer = Serializer(registry)
    assert again(Note("a"), serializer) == Note("a")
    with pytest.raises(SerializationError, match=r"The tag 'money' already stands for .*Note"):
        serializer.dumps(Money(1))


def test_a_class_that_is_defined_again_takes_the_place_of_the_old_one() -> None:
    def define(text: str) -> Any:
        return dataclass(
            type("Cell", (), {"__annotations__": {"text": str}, "text": text, "__module__": "notebook"})
        )

    old, new = define("old"), define("new")
    serde.register("cell", old)
    data = Serializer().dumps(old())
    serde.register("cell", new)
    assert type(Serializer().loads(data)) is new
    with pytest.raises(SerializationError, match="Cell is not a registered type"):
        Serializer().dumps(old())


def test_two_local_classes_of_one_name_are_a_clash() -> None:
    def define() -> Any:
        @dataclass
        class Local:
            x: int

        return Local

    serde.register("local", define())
    with pytest.raises(ValueError, match="already stands for"):
        serde.register("local", define())


def test_mistakes_are_told() -> None:
    with pytest.raises(TypeError, match="does not say what it is made of"):
        serde.register("money", Money)
    with pytest.raises(ValueError, match="both encode and decode"):
        serde.register("money", Money, encode=vars)
    with pytest.raises(ValueError, match="does not start with '!'"):
        serde.register("!money", Money, encode=vars, decode=Money)
