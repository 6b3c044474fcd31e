"""Nested records of declared types, the same as dataclasses and as Structs, with values that keep to them."""

import enum
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, Literal
from uuid import UUID

import msgspec
from hypothesis import strategies as st

from graphrt.serde import Serializer, TypeRegistry


class Role(enum.StrEnum):
    USER = "user"
    AI = "ai"


class Grade(enum.Enum):
    LOW = 1
    HIGH = 2


@dataclass
class Call:
    name: str
    args: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    kind: Literal["text", "image"]
    data: bytes | None


@dataclass
class Turn:
    role: Role
    content: str | list[Part]
    id: UUID
    at: datetime
    calls: list[Call] = field(default_factory=list)
    tags: tuple[str, ...] = ()
    span: tuple[int, float] = (0, 0.0)
    cost: Decimal | None = None
    day: date | None = None
    hour: time | None = None
    took: timedelta = timedelta()
    grade: Grade | None = None
    last: Call | None = None
    named: dict[str, Call] = field(default_factory=dict)
    score: float = 0.0
    either: int | float | str = 0
    points: list[float] = field(default_factory=list)


@dataclass
class Tree:
    label: str
    children: list["Tree"] = field(default_factory=list)


class CallStruct(msgspec.Struct):
    name: str
    args: dict[str, Any]


class PartStruct(msgspec.Struct, frozen=True):
    kind: Literal["text", "image"]
    data: bytes | None


class TurnStruct(msgspec.Struct, kw_only=True):
    role: Role
    content: str | list[PartStruct]
    id: UUID
    at: datetime
    calls: list[CallStruct] = []
    tags: tuple[str, ...] = ()
    span: tuple[int, float] = (0, 0.0)
    cost: Decimal | None = None
    day: date | None = None
    hour: time | None = None
    took: timedelta = timedelta()
    grade: Grade | None = None
    last: CallStruct | None = None
    named: dict[str, CallStruct] = {}
    score: float = 0.0
    either: int | float | str = 0
    points: list[float] = []


class TreeStruct(msgspec.Struct):
    label: str
    children: list["TreeStruct"] = []


DATACLASSES = SimpleNamespace(Call=Call, Part=Part, Turn=Turn, Tree=Tree)
STRUCTS = SimpleNamespace(Call=CallStruct, Part=PartStruct, Turn=TurnStruct, Tree=TreeStruct)
FAMILIES = {"dataclasses": DATACLASSES, "structs": STRUCTS}


def typed_registry() -> TypeRegistry:
    registry = TypeRegistry()
    registry.register_schema(Turn | Tree | TurnStruct | TreeStruct)
    return registry


def typed_serializer() -> Serializer:
    return Serializer(typed_registry())


def turn(family: Any = DATACLASSES, **fields: Any) -> Any:
    """A record that has something in most of its fields."""
    made: dict[str, Any] = {
        "role": Role.AI,
        "content": "hello",
        "id": UUID(int=7),
        "at": datetime(2026, 1, 2, tzinfo=UTC),
        "calls": [family.Call("search", {"q": ["a", 1]})],
        "tags": ("x",),
    }
    return family.Turn(**{**made, **fields})


def turns(number: int = 20, family: Any = DATACLASSES) -> list[Any]:
    """Enough of them for a layout to pay."""
    return [turn(family, span=(number, 0.5)) for number in range(number)]


# ---- values that keep to their annotations

plain_text = st.text(st.characters(codec="utf-8"), max_size=6)
int64s = st.integers(-(2**63), 2**63 - 1)
plain = st.recursive(
    st.none() | st.booleans() | int64s | st.floats() | plain_text | st.binary(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(plain_text, inner, max_size=3),
    max_leaves=6,
)
utc_or_naive = st.sampled_from([None, UTC])


def typed_turns(family: Any) -> st.SearchStrategy[Any]:
    calls = st.builds(family.Call, plain_text, st.dictionaries(plain_text, plain, max_size=3))
    parts = st.builds(family.Part, st.sampled_from(["text", "image"]), st.none() | st.binary(max_size=3))
    return st.builds(
        family.Turn,
        role=st.sampled_from(Role),
        content=plain_text | st.lists(parts, max_size=2),
        id=st.uuids(),
        at=st.datetimes(timezones=utc_or_naive),
        calls=st.lists(calls, max_size=2),
        tags=st.lists(plain_text, max_size=2).map(tuple),
        span=st.tuples(int64s, st.floats()),
        cost=st.none() | st.decimals(),
        day=st.none() | st.dates(),
        hour=st.none() | st.times(timezones=utc_or_naive),
        took=st.timedeltas(),
        grade=st.none() | st.sampled_from(Grade),
        last=st.none() | calls,
        named=st.dictionaries(plain_text, calls, max_size=2),
        score=st.floats(),
        either=int64s | st.floats() | plain_text,
        points=st.lists(st.floats(), max_size=2),
    )


def trees(family: Any) -> st.SearchStrategy[Any]:
    return st.recursive(
        st.builds(family.Tree, plain_text),
        lambda inner: st.builds(family.Tree, plain_text, st.lists(inner, max_size=4)),
        max_leaves=30,
    )


def several(records: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    """A few, again and again: enough for a layout, without making as many."""
    return st.lists(records, min_size=1, max_size=3).map(lambda items: (items * 12)[:12])


typed_values = st.sampled_from(list(FAMILIES.values())).flatmap(
    lambda family: (
        several(typed_turns(family))
        | several(typed_turns(family)).map(lambda records: dict(zip("abcdefghijkl", records, strict=True)))
        | st.lists(trees(family), min_size=1, max_size=9)
        | typed_turns(family)
    )
)
"""Lists, dicts and single records, most of them many enough to lie in a layout."""
