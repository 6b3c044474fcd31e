"""Values of every kind that serde knows, nested in each other, and a way to see whether two are the same."""

import enum
import re
from collections import Counter, OrderedDict, defaultdict, deque
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from ipaddress import ip_address, ip_interface, ip_network
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Literal, NamedTuple, NewType, TypedDict
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pydantic
from hypothesis import strategies as st

from graphrt.serde import Serializer, TypeRegistry
from graphrt.types import Command, Interrupt, Overwrite, Send


class Color(enum.Enum):
    RED = (1, 0)
    BLUE = (0, 1)


class Mood(enum.StrEnum):
    GOOD = "good"
    BAD = "bad"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Rights(enum.Flag):
    READ = 1
    WRITE = 2


class UserId(str): ...  # noqa: SLOT000 - as users write it


class Count(int): ...


class Stack(list[Any]): ...


class Table(dict[Any, Any]): ...


class Point(NamedTuple):
    x: Any
    y: Any = 0


@dataclass
class Note:
    """Fields that msgspec could read by itself; tests put other things in."""

    text: str
    stars: int
    score: float
    tags: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Pair:
    left: Any
    right: Any = None


@dataclass
class Flat:
    """Nothing but atoms, when its declaration is kept to: the case that msgspec writes and reads by itself."""

    text: str
    count: int
    score: float
    more: float | None = None


Name = NewType("Name", str)


class Message(msgspec.Struct):
    role: Literal["user", "tool"]
    name: Name
    score: float | None = None
    counts: dict[str, int] = {}


class Row(msgspec.Struct, frozen=True):
    name: Name
    kind: Literal["a", "b"]
    score: float
    either: int | float = 0


class Box(msgspec.Struct, frozen=True, tag="box", rename="camel"):
    inner_value: Any


class Event(msgspec.Struct):
    """Nothing that a tag alone could tell: many of these lie in a layout."""

    mood: Mood
    at: datetime
    span: tuple[int, str]
    user: Name | None = None


class Model(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")
    title: str
    items: list[Any] = []
    _secret: Any = None


class PaymentError(Exception):
    def __init__(self, amount: object, reason: object) -> None:
        super().__init__(f"{amount!r} was refused")
        self.reason = reason


class World(TypedDict):
    colors: dict[Color, Mood] | Level
    rights: Rights
    users: tuple[UserId, Count]
    shapes: list[Stack | Table]
    records: list[Point | Note | Pair | Flat | Message | Row | Box | Event | Model]
    error: PaymentError


def world_serializer() -> Serializer:
    registry = TypeRegistry()
    registry.register_schema(World)
    return Serializer(registry)


# ---- values

ZONES = [
    None,
    UTC,
    timezone(timedelta(hours=2)),
    timezone(timedelta(hours=-3, seconds=7), "here"),
    ZoneInfo("UTC"),
]
ZONED = [*ZONES, ZoneInfo("Europe/Berlin")]

text = st.text(st.characters(), max_size=6)  # lone surrogates included
atoms = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=-(2**200), max_value=2**200),
    st.floats(),
    text,
    st.binary(max_size=6),
)
hashable_leaves = st.one_of(
    atoms,
    st.complex_numbers(),
    st.decimals().filter(lambda value: not value.is_snan()),  # signalling: cannot be hashed
    st.fractions(),
    st.datetimes(timezones=st.sampled_from(ZONED)).map(lambda value: value.replace(fold=0)),
    st.datetimes(timezones=st.sampled_from(ZONED)).map(lambda value: value.replace(fold=1)),
    st.times(timezones=st.sampled_from(ZONES)),
    st.dates(),
    st.timedeltas(),
    st.sampled_from([zone for zone in ZONED if zone is not None]),
    st.uuids(),
    st.sampled_from([*Color, *Mood, *Level, *Rights, Rights.READ | Rights.WRITE, Rights(0)]),
    st.sampled_from(
        [
            Path("a/b"),
            PurePosixPath("/x"),
            PureWindowsPath("c:/x"),
            re.compile("a+", re.IGNORECASE),
            re.compile(b"x"),
        ]
    ),
    st.sampled_from(
        [ip_address("::1"), ip_network("10.0.0.0/8"), ip_interface("10.0.0.1/8"), ip_address("1.2.3.4")]
    ),
    st.sampled_from([range(3), range(9, 1, -2)]),
    st.builds(UserId, text),
    st.builds(Count, st.integers()),
    st.sampled_from(
        [
            np.float64(1.5),
            np.int8(3),
            np.bool_(True),
            np.str_("ab"),
            np.datetime64("2024-01-01"),
            np.str_(""),
            np.bytes_(),
        ]
    ),
)
leaves = st.one_of(
    hashable_leaves,
    st.builds(bytearray, st.binary(max_size=6)),
    st.sampled_from(
        [np.arange(6).reshape(2, 3), np.asfortranarray(np.eye(2)), np.array(["a", "bc"]), np.zeros((0, 2))]
    ),
    st.builds(Counter, text),
    st.sampled_from([msgspec.UNSET, Decimal("sNaN7")]),
)
hashables = st.recursive(
    hashable_leaves,
    lambda inner: st.one_of(
        st.tuples(inner), st.frozensets(inner, max_size=3), st.builds(Pair, inner, inner), inner.map(Point)
    ),
    max_leaves=4,
)


def _model(title: Any, items: Any, extra: dict[str, Any], secret: Any) -> Model:
    made = Model.model_construct(title=title, items=items, **extra)
    made._secret = secret
    return made


def _containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    lists = st.lists(inner, max_size=3)
    dicts = st.dictionaries(hashables, inner, max_size=3)
    return st.one_of(
        lists,
        st.lists(inner, max_size=1).map(lambda items: items * 3),  # one type throughout
        st.dictionaries(text, inner, max_size=3),
        dicts,
        lists.map(tuple),
        st.builds(deque, lists, st.sampled_from([None, 3])),
        st.sets(hashables, max_size=3),
        st.builds(OrderedDict, dicts),
        st.builds(defaultdict, st.sampled_from([None, list, int]), dicts),
        st.builds(Stack, lists),
        st.builds(Table, dicts),
        st.builds(Point, inner, inner),
        st.builds(Pair, inner, inner),
        st.lists(
            st.builds(Note, text | inner, inner, st.floats() | st.integers() | inner, inner), max_size=3
        ),
        st.lists(st.builds(Note, text, st.integers(), st.floats()), max_size=3),
        st.lists(st.builds(Flat, text, st.integers(), *[st.floats() | st.integers()] * 2), max_size=3),
        st.builds(Flat, *[inner] * 4),
        st.lists(st.builds(Row, text, st.sampled_from("ab"), *[st.floats() | st.integers()] * 2), max_size=3),
        st.builds(Row, *[inner] * 4),
        st.builds(Message, inner, inner, st.floats() | st.integers() | inner, inner),
        st.lists(st.builds(Message, st.just("user"), text, st.floats()), max_size=3),
        st.builds(Box, inner),
        st.builds(_model, inner, inner, st.dictionaries(st.sampled_from("pq"), inner), inner),
        st.builds(ValueError, inner),
        st.builds(PaymentError, inner, inner),
        st.builds(Send, text, inner),
        st.builds(Overwrite, inner),
        st.builds(Interrupt, inner, text),
        st.builds(
            lambda update, goto: Command(update=update, goto=goto), inner, st.builds(Send, text, inner)
        ),
    )


values = st.recursive(leaves, _containers, max_leaves=12)


# ---- the same, not just equal


def seen(value: Any) -> Any:
    """All there is to see of a value, as something that compares by content: types, order, signs, folds, names."""
    return (type(value), _content(value))


def _content(value: Any) -> Any:
    match value:
        case datetime() | time():
            return (value.replace(tzinfo=None).isoformat(), value.fold, seen(value.tzinfo))
        case np.ndarray():
            return (value.dtype.str, value.shape, value.flags.f_contiguous, value.tobytes())
        case np.generic():
            return (value.dtype.str, value.tobytes())
        case enum.Enum():
            return value.name
        case dict() | list() | tuple() | deque():
            settings = (getattr(value, "maxlen", None), getattr(value, "default_factory", None))
            return (settings, [seen(item) for item in (value.items() if isinstance(value, dict) else value)])
        case set() | frozenset():
            return sorted(repr(seen(item)) for item in value)
        case _:
            return _fields(value)


def _fields(value: Any) -> Any:
    match value:
        case BaseException():
            return seen([list(value.args), value.__dict__])
        case pydantic.BaseModel():
            private, extra = value.__pydantic_private__, value.__pydantic_extra__
            return seen([value.__dict__, sorted(value.model_fields_set), extra, private])
        case msgspec.Struct():
            return seen(msgspec.structs.asdict(value))
        case _ if is_dataclass(value):
            return [seen(getattr(value, item.name)) for item in fields(value)]
        case _:
            return repr(value)


EVENTS = [Event(Mood.GOOD, datetime(2024, 1, 1, tzinfo=UTC), (number, "a")) for number in range(12)]

EXAMPLES: dict[str, Any] = {
    "date": date(2024, 2, 29),
    "uuid": UUID(int=7),
    "decimal": Decimal("1.10"),
    "fraction": Fraction(1, 3),
    "note": Note("a", 1, 0.5, ["x"]),
    "flats": [Flat("a", 1, 1.5), Flat("b", 2, 2, 3)],
    "rows": [Row(Name("n"), "a", 1.5), Row(Name("m"), "b", 2.0, 3)],
    "messages": [Message("user", Name("a"), 1.5), Message("tool", Name("b"))],
    "events": EVENTS,
    "events by name": {f"e{number}": event for number, event in enumerate(EVENTS)},
    "several types": [Pair(1), Point(1), Pair((2,)), Note("a", 1, 0.5), *EVENTS],
    "model": Model(title="t", items=[Pair(1, (2,))]),
    "nested": {"a": [Point(1, {2: "x"}), {Color.RED}], (1, "b"): Send("n", Path("p"))},
}
"""Some of each, for tests that want one and not all."""
