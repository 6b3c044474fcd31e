"""How types become known: by registration, by a schema, as subclasses of what a schema names; and how they change."""

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, Literal, NamedTuple, NewType, Optional, TypedDict, TypeVar

import msgspec
import pydantic
import pytest

from graphrt.errors import DeserializationError, SerializationError
from graphrt.serde import Serializer, TypeRegistry


class Money:
    def __init__(self, cents: int) -> None:
        self.cents = cents

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Money) and other.cents == self.cents

    __hash__ = None  # type: ignore[assignment]


def registry_of(schema: object) -> TypeRegistry:
    registry = TypeRegistry()
    registry.register_schema(schema)
    return registry


# ---- register


def test_a_registered_class_goes_through_its_functions() -> None:
    registry = TypeRegistry()
    registry.register("money", Money, encode=lambda money: (money.cents,), decode=lambda body: Money(*body))
    serializer = Serializer(registry)
    value = {"a": [Money(1), Money(2)], "b": Money(3)}
    assert serializer.loads(serializer.dumps(value)) == value
    assert serializer.loads_raw(serializer.dumps(Money(3))) == Money(3)


def test_a_type_can_be_registered_after_it_was_refused() -> None:
    registry = TypeRegistry()
    serializer = Serializer(registry)
    with pytest.raises(SerializationError):
        serializer.dumps(Money(1))
    registry.register("money", Money, encode=lambda money: money.cents, decode=Money)
    assert serializer.loads(serializer.dumps(Money(1))) == Money(1)


def test_a_tag_or_a_type_is_registered_once() -> None:
    registry = TypeRegistry()
    registry.register("a", Money, encode=vars, decode=lambda body: Money(**body))
    with pytest.raises(ValueError, match="'a' already stands for"):
        registry.register("a", type("Other", (str,), {}))
    with pytest.raises(ValueError, match="Money is registered already"):
        registry.register("b", Money, encode=vars, decode=Money)


@pytest.mark.parametrize("typ", [int, str, dict, list, tuple, float, ValueError])
def test_built_in_types_cannot_be_taken_over(typ: type) -> None:
    with pytest.raises(ValueError, match="registered already"):
        TypeRegistry().register("mine", typ, encode=repr, decode=repr)


def test_mistakes_in_registering_are_told() -> None:
    registry = TypeRegistry()
    with pytest.raises(TypeError, match="does not say what it is made of"):
        registry.register("money", Money)
    with pytest.raises(ValueError, match="both encode and decode"):
        registry.register("money", Money, encode=vars)
    with pytest.raises(ValueError, match="does not start with '!'"):
        registry.register("!money", Money, encode=vars, decode=Money)
    with pytest.raises(ValueError, match="each version before 3"):
        registry.register("money", Money, encode=vars, decode=Money, version=3, upgrade={1: vars})


# ---- register_schema


class Color(enum.Enum):
    RED = 1


class Size(enum.StrEnum):
    BIG = "big"


@dataclass
class Leaf:
    color: Color


class Twig(NamedTuple):
    leaf: "Leaf"
    more: Sequence["Twig"] = ()


class Branch(msgspec.Struct):
    twigs: Mapping[str, list[Twig]]


T = TypeVar("T")


@dataclass
class Basket(Generic[T]):
    items: list[T]


class Owner(pydantic.BaseModel):
    basket: Basket[Leaf] | None = None


class Ident(str): ...  # noqa: SLOT000 - as users write it


OwnerName = NewType("OwnerName", Ident)


class Tree(TypedDict, total=False):
    owner: Annotated[Optional["Owner"], "metadata"]
    branches: list[Branch]
    size: Literal[Size.BIG, "none"]
    name: OwnerName
    visit: Callable[[int], str]
    other: Any


def test_a_schema_registers_every_class_its_annotations_reach() -> None:
    tags = registry_of(Tree).tags() - TypeRegistry().tags()
    names = {"Color", "Size", "Leaf", "Twig", "Branch", "Basket", "Owner", "Ident"}
    assert tags == {f"{__name__}:{name}" for name in names}


def test_a_schema_can_be_any_annotation_and_be_registered_twice() -> None:
    registry = registry_of(Annotated[list[Leaf] | None, "reducer"])
    registry.register_schema(list[Leaf])
    serializer = Serializer(registry)
    assert serializer.loads(serializer.dumps([Leaf(Color.RED)])) == [Leaf(Color.RED)]


def test_a_class_keeps_the_tag_it_was_registered_under() -> None:
    registry = TypeRegistry()
    registry.register("leaf", Leaf)
    registry.register_schema(Tree)
    assert b"leaf" in Serializer(registry).dumps(Leaf(Color.RED))


def test_names_that_cannot_be_resolved_are_passed_over() -> None:
    class Partly:
        known: "Leaf"
        unknown: "Nowhere"  # type: ignore[name-defined]  # noqa: F821

    assert f"{__name__}:Leaf" in registry_of(Partly).tags()


def test_two_classes_of_one_name_are_told_apart_or_refused() -> None:
    def make() -> type:
        @dataclass
        class Same:
            x: int

        return Same

    registry = registry_of(make())
    with pytest.raises(ValueError, match="already stands for"):
        registry.register_schema(make())


class Shape: ...


@dataclass
class Circle(Shape):
    radius: float
    leaf: Leaf | None = None


def test_a_declared_class_stands_for_its_subclasses() -> None:
    serializer = Serializer(registry_of(list[Shape]))
    data = serializer.dumps([Circle(1.5, Leaf(Color.RED))])
    fresh = Serializer(registry_of(list[Shape]))  # another process, which has not written a Circle
    assert fresh.loads(data) == [Circle(1.5, Leaf(Color.RED))]


@pytest.mark.parametrize(
    "schema", [object, Any, pydantic.BaseModel, enum.Enum, Exception, dict[str, msgspec.Struct]]
)
def test_a_class_of_a_library_does_not_stand_for_everybodys_subclasses(schema: object) -> None:
    serializer = Serializer(registry_of(schema))
    for value in (Owner(), Color.RED, Branch({})):
        with pytest.raises(SerializationError, match="is not a registered type"):
            serializer.dumps(value)


# ---- change


def written_by(value: Any, **options: Any) -> bytes:
    registry = TypeRegistry()
    registry.register("doc", type(value), **options)
    return Serializer(registry).dumps([value, {"again": value}])


def read_as(typ: Any, data: bytes, **options: Any) -> Any:
    registry = TypeRegistry()
    registry.register("doc", typ, **options)
    first, rest = Serializer(registry).loads(data)
    assert rest == {"again": first}
    return first


@dataclass
class Note:
    at: datetime
    text: str


@dataclass
class DocV1:
    title: str
    pages: int


@dataclass
class DocV2:
    title: str
    tags: tuple[str, ...] = ("new",)


class DocStruct(msgspec.Struct):
    title: str
    tags: list[str] = []


class DocModel(pydantic.BaseModel):
    title: str
    tags: list[str] = []


@pytest.mark.parametrize("typ", [DocV2, DocStruct, DocModel])
def test_a_new_field_takes_its_default_and_a_removed_one_is_left_out(typ: Any) -> None:
    old_model = pydantic.create_model("Old", title=(str, ...), pages=(int, 0))
    old = old_model(title="a", pages=2) if typ is DocModel else DocV1("a", 2)
    assert read_as(typ, written_by(old)) == typ(title="a")


def test_a_new_field_without_a_default_is_an_error_that_names_it() -> None:
    with pytest.raises(DeserializationError, match="'pages' is missing"):
        read_as(DocV1, written_by(DocV2("a")))


def test_an_older_version_is_upgraded_step_by_step() -> None:
    upgrade = {
        1: lambda body: {**body, "title": body["title"] + "!"},
        2: lambda body: {**body, "tags": ("up",)},
    }
    assert read_as(DocV2, written_by(DocV1("a", 1)), version=3, upgrade=upgrade) == DocV2("a!", ("up",))


@pytest.mark.parametrize("version", [1, 127, 128, 70_000])
@pytest.mark.parametrize("tag", ["d", "d" * 31, "d" * 32, "d" * 300], ids=len)
@pytest.mark.parametrize("length", [5, 900, 1_000, 70_000])
def test_values_of_any_tag_version_and_length_come_back(tag: str, version: int, length: int) -> None:
    registry = TypeRegistry()
    registry.register(tag, Note, version=version)
    value = [Note(datetime(2026, 1, 1, tzinfo=UTC), "x" * length)]
    for notes in (value, value * 2, value * 20, (value, {"a": value * 3})):
        serializer = Serializer(registry)
        assert serializer.loads(serializer.dumps(notes)) == notes


def test_upgrades_run_for_records_that_msgspec_could_read_by_itself() -> None:
    upgrade = {1: lambda body: {**body, "pages": body["pages"] + 1}}
    assert read_as(DocV1, written_by(DocV1("a", 1)), version=2, upgrade=upgrade) == DocV1("a", 2)


def test_a_newer_version_is_refused_while_running_and_shown_in_history() -> None:
    data = written_by(DocV1("a", 1), version=2)
    with pytest.raises(DeserializationError, match="has version 2, but this program knows 1"):
        read_as(DocV1, data)
    registry = TypeRegistry()
    registry.register("doc", DocV1)
    assert Serializer(registry).loads_raw(data)[0].version == 2
