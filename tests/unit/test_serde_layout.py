"""Records of declared types lie in a layout: exactly as they were, whatever else is among them, and for ever."""

import enum
import threading
from collections import defaultdict
from dataclasses import dataclass, make_dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated, Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphrt.errors import DeserializationError, SerializationError
from graphrt.serde import MAX_DEPTH, Serializer, TypeRegistry, UnknownValue
from tests.unit.serde_typed import (
    FAMILIES,
    Call,
    Grade,
    Part,
    Role,
    Tree,
    Turn,
    turn,
    turns,
    typed_registry,
    typed_serializer,
    typed_values,
)
from tests.unit.serde_world import World, seen, values

TYPED = typed_serializer()
AT = datetime(2026, 1, 1, tzinfo=UTC)
NAIVE = datetime.fromisoformat("2026-01-02T03:04:05.678")


def again(value: Any, serializer: Serializer = TYPED) -> Any:
    return serializer.loads(serializer.dumps(value))


def is_laid(value: Any, serializer: Serializer = TYPED) -> bool:
    return b"!layout" in serializer.dumps(value)


def reader(*classes: Any, **versions: Any) -> Serializer:
    """One that knows classes by their short names, in the given versions."""
    registry = TypeRegistry()
    for cls in classes:
        registry.register(cls.__name__, cls, **versions.get(cls.__name__, {}))
    return Serializer(registry)


def record(name: str, **fields: Any) -> Any:
    return make_dataclass(name, fields.items())


@dataclass
class SubCall(Call):
    more: int = 0


@dataclass
class LikeCall(Call):
    """Nothing but another type."""


@dataclass
class Link:
    at: datetime
    next: "Link | None" = None


# ---- exactness


@settings(max_examples=200)
@given(typed_values)
def test_a_typed_value_comes_back_as_it_was(value: Any) -> None:
    data = TYPED.dumps(value)
    assert seen(TYPED.loads(data)) == seen(value)
    assert seen(TYPED.loads_raw(data)) == seen(value)
    assert TYPED.dumps(TYPED.loads(data)) == data


@settings(max_examples=200)
@given(typed_values, st.sampled_from([item.name for item in Turn.__dataclass_fields__.values()]), values)
def test_whatever_a_field_holds_comes_back_as_it_was(value: Any, name: str, odd: Any) -> None:
    registry = typed_registry()
    registry.register_schema(World)
    serializer = Serializer(registry)
    records = (
        list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else [value]
    )
    for record in records[:1]:
        if hasattr(record, name):
            setattr(record, name, odd)
    assert seen(again(value, serializer)) == seen(value)


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_many_records_lie_in_a_layout_and_few_do_not(family: Any) -> None:
    assert is_laid(turns(20, family)) and seen(again(turns(20, family))) == seen(turns(20, family))
    assert not is_laid(turns(2, family)) and not is_laid(turn(family))
    named = {str(number): record for number, record in enumerate(turns(20, family))}
    assert is_laid(named) and seen(again(named)) == seen(named)


def test_a_record_that_holds_many_lies_in_a_layout() -> None:
    holder = turn(calls=[Call("a", {"n": number}) for number in range(100)])
    assert is_laid(holder)
    assert again(holder) == holder


def test_a_layout_is_smaller_than_its_tags() -> None:
    laid, tagged = turns(20), [*turns(19), turn(either=2**70)]
    assert len(TYPED.dumps(laid)) < len(TYPED.dumps(tagged)) / 1.5


def test_no_layout_is_written_that_is_longer_than_the_tags_it_saves() -> None:
    many: Any = enum.Enum("Many", {f"member_{number}": number for number in range(300)})
    value = [record("Row", state=many)(many.member_7)] * 10
    assert not is_laid(value, reader(type(value[0]), many))
    assert is_laid(value * 30, reader(type(value[0]), many))


class Guessing(enum.Enum):
    KNOWN = "known"

    @classmethod
    def _missing_(cls, value: object) -> "Guessing":
        raise AssertionError("the class was asked")


class Rights(enum.Flag):
    READ = 1
    WRITE = 2


@pytest.mark.parametrize("member", [Guessing.KNOWN, Rights.READ | Rights.WRITE, Rights(0)], ids=str)
def test_an_enum_that_finds_members_by_code_of_its_own_is_written_by_name(member: Any) -> None:
    row = record("Row", state=type(member), at=datetime)
    value, serializer = [row(member, AT)] * 20, reader(row, type(member))
    assert not is_laid(value, serializer) and again(value, serializer) == value


@pytest.mark.parametrize(
    "fields",
    [
        {"score": 1},
        {"points": [1.0, 2]},
        {"span": (1, 2)},
        {"span": [1, 2.0]},
        {"span": (1, 2.0, 3)},
        {"tags": ["x"]},
        {"tags": ("x", None)},
        {"content": Role.AI},
        {"content": [Part("text", None), "text"]},
        {"role": "ai"},
        {"id": "7"},
        {"at": datetime(2026, 1, 2, tzinfo=timezone(timedelta(hours=2)))},
        {"at": datetime(2026, 1, 2, tzinfo=timezone(timedelta(0), "UTC"))},
        {"at": NAIVE.replace(fold=1)},
        {"at": "2026-01-02T00:00:00Z"},
        {"took": 3.5},
        {"cost": 3},
        {"calls": [SubCall("a", {})]},
        {"calls": [LikeCall("a", {})]},
        {"last": LikeCall("a", {})},
        {"calls": (Call("a", {}),)},
        {"calls": [Call("a", {"x": (1,)})]},
        {"calls": [Call("a", {"x": {1: 2}})]},
        {"calls": [Call("a", {Role.AI: 2})]},
        {"calls": [Call("a", {"ai": 1, "x": Role.AI})]},
        {"calls": [{"name": "a", "args": {}}]},
        {"named": defaultdict(list)},
        {"named": {1: Call("a", {})}},
        {"named": {Role.AI: Call("a", {})}},
        {"last": {"name": "a", "args": {}}},
        {"either": True},
        {"either": 2**64},
        {"either": "\ud800"},
        {"grade": 1},
        {"day": NAIVE},
    ],
    ids=str,
)
def test_a_value_that_is_not_as_declared_comes_back_as_it_was(fields: dict[str, Any]) -> None:
    registry = typed_registry()
    registry.register("sub", SubCall)
    registry.register("like", LikeCall)
    value = [*turns(), turn(**fields)]
    assert seen(again(value, Serializer(registry))) == seen(value)


def test_a_constraint_that_a_value_breaks_does_not_keep_it_from_coming_back() -> None:
    class Bounded(msgspec.Struct):
        size: Annotated[int, msgspec.Meta(ge=0)]
        at: datetime

    registry = TypeRegistry()
    registry.register("bounded", Bounded)
    value = [Bounded(-number, AT) for number in range(20)]
    assert is_laid(value, Serializer(registry)) and again(value, Serializer(registry)) == value


def test_an_attribute_that_is_no_field_of_a_nested_record_is_refused() -> None:
    value = turns()
    value[3].calls[0].colour = "red"
    with pytest.raises(SerializationError, match="'colour' is no field") as caught:
        TYPED.dumps(value)
    assert caught.value.path == "[3].calls[0]"


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_the_path_leads_into_nested_records(family: Any) -> None:
    value = {"log": [*turns(20, family), turn(family, calls=[family.Call("a", {"x": [threading.Lock()]})])]}
    with pytest.raises(SerializationError) as caught:
        TYPED.dumps(value)
    assert caught.value.path == "['log'][20].calls[0].args['x'][0]"
    assert caught.value.type_name == "_thread:lock"


def test_a_nested_class_that_nobody_registered_is_refused() -> None:
    registry = TypeRegistry()
    registry.register("turn", Turn)
    with pytest.raises(SerializationError, match="Role is not a registered type"):
        Serializer(registry).dumps(turns())


def test_a_class_that_is_registered_later_lies_in_a_layout_from_then_on() -> None:
    registry = TypeRegistry()
    registry.register("turn", Turn)
    serializer = Serializer(registry)
    with pytest.raises(SerializationError):
        serializer.dumps(turns())
    for typ in (Role, Part, Call, Grade):
        registry.register(typ.__name__, typ)
    assert is_laid(turns(), serializer) and again(turns(), serializer) == turns()


def test_the_same_records_have_the_same_bytes_in_every_serializer() -> None:
    assert typed_serializer().dumps(turns()) == TYPED.dumps(turns())


def test_no_constructor_runs_on_reading_nested_records() -> None:
    @dataclass
    class Loud:
        at: datetime

        def __post_init__(self) -> None:
            made.append(self)

    made: list[Loud] = []
    registry = TypeRegistry()
    registry.register("loud", Loud)
    value = [Loud(AT) for _ in range(20)]
    assert again(value, Serializer(registry)) == value
    assert len(made) == 20


# ---- trees, cycles, depth


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_trees_lie_in_a_layout(family: Any) -> None:
    value = family.Tree("root", [family.Tree(str(number), [family.Tree("leaf")]) for number in range(20)])
    assert is_laid(value)
    assert again(value) == value


def test_a_record_that_is_met_twice_is_written_twice() -> None:
    leaf = Tree("leaf")
    value = Tree("root", [Tree("a", [leaf])] * 20)
    assert again(value) == value


def test_a_tree_that_contains_itself_is_refused() -> None:
    root = Tree("root", [Tree(str(number)) for number in range(20)])
    root.children[7].children = [root, root]
    with pytest.raises(SerializationError, match="contains itself") as caught:
        TYPED.dumps(root)
    assert caught.value.path == ".children[7].children[0]"


@pytest.mark.parametrize("width", [1, 20])
def test_nested_records_are_as_deep_as_everything_else(width: int) -> None:
    value = Tree("leaf")
    for _ in range(MAX_DEPTH // 2 - 1):
        value = Tree("", [value, *(Tree("side") for _ in range(width))])
    assert again(value) == value
    with pytest.raises(SerializationError, match=f"deeper than {MAX_DEPTH}"):
        TYPED.dumps(Tree("", [Tree("", [value])] * 20))


@pytest.mark.parametrize("length, fits", [(MAX_DEPTH - 1, True), (MAX_DEPTH, False)])
def test_records_in_records_are_as_deep_as_everything_else(length: int, fits: bool) -> None:
    registry = TypeRegistry()
    registry.register_schema(Link)
    links: list[Link] = []
    for _ in range(12):
        link = Link(AT)
        for _ in range(length - 1):
            link = Link(AT, link)
        links.append(link)
    if fits:
        assert is_laid(links, Serializer(registry)) and again(links, Serializer(registry)) == links
    else:
        with pytest.raises(SerializationError, match="deeper"):
            Serializer(registry).dumps(links)


def test_a_deep_value_in_a_nested_record_is_refused() -> None:
    deep: Any = 1
    for _ in range(MAX_DEPTH - 3):
        deep = [deep]
    value = [*turns(), turn(calls=[Call("a", {"x": deep})])]
    with pytest.raises(SerializationError, match=f"deeper than {MAX_DEPTH}"):
        TYPED.dumps(value)
    assert again([*turns(20), turn(last=Call("a", {"x": deep[0][0]}))])[-1].last.args == {"x": deep[0][0]}


# ---- change


Inner = record("Inner", n=int, at=datetime)
Outer = record("Outer", items=list[Inner], state=Grade, size=int)
WRITER = reader(Outer, Inner, Grade)
OLD = WRITER.dumps([Outer([Inner(number, AT)], Grade.HIGH, 3) for number in range(30)])


def test_what_the_next_tests_read_lies_in_a_layout() -> None:
    assert b"!layout" in OLD
    assert WRITER.loads(OLD)[29] == Outer([Inner(29, AT)], Grade.HIGH, 3)


def test_an_upgrade_of_a_nested_class_runs() -> None:
    upgrade = {"version": 2, "upgrade": {1: lambda body: {**body, "n": body["n"] + 1000}}}
    result = reader(Outer, Inner, Grade, Inner=upgrade).loads(OLD)
    assert [row.items[0].n for row in result] == [*range(1000, 1030)]


def test_a_newer_version_of_a_nested_class_is_refused_and_shown_raw() -> None:
    data = reader(Outer, Inner, Grade, Inner={"version": 2}).dumps(WRITER.loads(OLD))
    with pytest.raises(DeserializationError, match="'Inner' has version 2") as caught:
        WRITER.loads(data)
    assert caught.value.tag == "Inner"
    assert WRITER.loads_raw(data)[1].items == [UnknownValue("Inner", 2, {"n": 1, "at": AT})]


def test_an_unknown_nested_class_is_an_error_that_names_it_and_is_shown_raw() -> None:
    serializer = reader(Outer, Grade)
    with pytest.raises(DeserializationError, match="unknown type 'Inner'"):
        serializer.loads(OLD)
    assert serializer.loads_raw(OLD)[2].items == [UnknownValue("Inner", 1, {"n": 2, "at": AT})]
    raw = Serializer().loads_raw(OLD)[2]
    assert raw.data["state"] == UnknownValue("Grade", 1, "HIGH")
    assert raw.tag == "Outer"


def test_a_new_field_takes_its_default_and_a_removed_one_is_left_out() -> None:
    changed = make_dataclass("Outer", [("state", Grade), ("note", str, "new")])
    assert reader(changed, Inner, Grade).loads(OLD)[0] == changed(Grade.HIGH, "new")


def test_a_new_field_without_a_default_is_an_error_that_names_it() -> None:
    with pytest.raises(DeserializationError, match="'note' is missing"):
        reader(record("Outer", items=list[Inner], note=str), Inner, Grade).loads(OLD)


@pytest.mark.parametrize(
    "fields",
    [
        {"n": int, "at": str},
        {"n": str, "at": datetime},
        {"n": float, "at": datetime | None},
        {"n": UUID, "at": Call},
        {"n": list[int], "at": tuple[datetime, ...]},
    ],
    ids=str,
)
def test_what_was_written_comes_back_whatever_the_class_declares_today(fields: dict[str, Any]) -> None:
    inner = record("Inner", **fields)
    result = reader(record("Outer", items=list[inner], state=Grade, size=str), inner, Grade, Call).loads(OLD)
    assert seen([(row.items[0].n, row.items[0].at, row.size) for row in result[:2]]) == seen(
        [(0, AT, 3), (1, AT, 3)]
    )


def test_a_class_with_another_kind_of_field_where_a_nested_record_was_is_not_filled_with_it() -> None:
    other = record("Other", n=int, at=datetime)
    result = reader(record("Outer", items=list[other], state=Grade, size=int), Inner, other, Grade).loads(OLD)
    assert type(result[0].items[0]) is Inner


def test_members_of_an_enum_are_known_by_their_names() -> None:
    changed: Any = enum.Enum("Grade", {"LOW": 2, "HIGH": 1})
    result = reader(record("Outer", state=changed), Inner, changed).loads(OLD)
    assert {row.state for row in result} == {changed.HIGH}
    smaller: Any = enum.Enum("Grade", {"LOW": 1})
    with pytest.raises(DeserializationError, match="'Grade'"):
        reader(record("Outer", state=smaller), Inner, smaller).loads(OLD)


def test_a_record_class_can_become_a_struct() -> None:
    inner = msgspec.defstruct("Inner", [("n", int), ("at", datetime)])
    outer = msgspec.defstruct("Outer", [("items", list[inner]), ("state", Grade), ("size", int)])
    assert reader(outer, inner, Grade).loads(OLD)[4] == outer([inner(4, AT)], Grade.HIGH, 3)


def test_a_serializer_learns_of_a_class_after_it_has_read_without_it() -> None:
    serializer = reader(Outer, Grade)
    assert isinstance(serializer.loads_raw(OLD)[0].items[0], UnknownValue)
    serializer.registry.register("Inner", Inner)
    assert serializer.loads_raw(OLD) == serializer.loads(OLD) == WRITER.loads(OLD)
