"""Every family of classes comes back as it was, with a schema as the only thing it was told, and inside every other."""

import enum
import re
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypedDict, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import attrs
import msgspec
import numpy as np
import pydantic
import pydantic.v1
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphrt.serde import Serializer, TypeRegistry
from graphrt.types import Command, Interrupt, Overwrite, Send

pytestmark = pytest.mark.parity("T4")

T = TypeVar("T")
NAIVE = datetime.fromisoformat("2026-01-02T03:04:05.678")


# ---- dataclasses


@dataclass
class Open:
    x: Any
    more: list[Any] = field(default_factory=list)


@dataclass(frozen=True)
class Frozen:
    x: Any


@dataclass(slots=True)
class Slotted:
    x: Any
    y: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyed:
    x: Any
    _hidden: int = 0


@dataclass
class Base:
    x: Any
    kind: str = "base"


@dataclass
class Derived(Base):
    _: KW_ONLY
    y: int = 1


@dataclass(slots=True)
class SlottedBelow(Base):
    z: int = 2


@dataclass
class Holder(Generic[T]):
    x: T


@dataclass
class IntHolder(Holder[int]): ...


# ---- NamedTuples, Structs


class Pair(NamedTuple):
    x: Any
    y: int = 0


class GenericPair(NamedTuple, Generic[T]):
    x: T


class Plain(msgspec.Struct):
    x: Any


class Tagged(msgspec.Struct, tag=True, frozen=True, array_like=True):
    x: Any


class Brief(msgspec.Struct, omit_defaults=True, rename="camel", kw_only=True):
    x: Any
    long_name: int = 0


class GenericStruct(msgspec.Struct, Generic[T]):
    x: T


# ---- pydantic


class Inner(pydantic.BaseModel):
    x: Any


class Outer(pydantic.BaseModel):
    x: Any
    inner: Inner | None = None
    many: dict[str, list[Inner]] = {}


class Extra(pydantic.BaseModel, extra="allow", frozen=True):
    x: Any


class Private(pydantic.BaseModel):
    x: Any
    _count: int = pydantic.PrivateAttr(default=0)
    _unset: int


class Computed(pydantic.BaseModel):
    x: Any
    size: int = pydantic.Field(default=3, alias="Size")

    @pydantic.computed_field  # type: ignore[prop-decorator]
    @property
    def double(self) -> int:
        return self.size * 2

    @cached_property
    def later(self) -> object:
        return object()


class GenericModel(pydantic.BaseModel, Generic[T]):
    x: T


class Root(pydantic.RootModel[list[Any]]): ...


class Guarded(pydantic.BaseModel):
    x: Any

    @pydantic.field_validator("x")
    @classmethod
    def refuse(cls, value: Any) -> Any:
        raise AssertionError("validated again")


@pydantic.dataclasses.dataclass
class ModelData:
    x: Any
    y: int = 0


class First(pydantic.v1.BaseModel):
    x: Any
    size: int = 3


class FirstExtra(pydantic.v1.BaseModel):
    x: Any
    inner: First | None = None
    _count: int = pydantic.v1.PrivateAttr(0)

    class Config:
        extra = "allow"
        allow_mutation = False


# ---- attrs


@attrs.define
class Attrs:
    x: Any
    _private: int = 0
    made: list[int] = attrs.Factory(list)


@attrs.frozen
class AttrsFrozen:
    x: Any


@attrs.define(slots=False)
class AttrsOpen:
    x: Any = attrs.field(converter=lambda value: value, validator=lambda *_: None)


@attrs.define
class AttrsBelow(Attrs):
    y: int = 1


# ---- enums, exceptions, subclasses, dicts


class Plate(enum.Enum):
    RED = (1, "r")
    BLUE = frozenset()


class Mood(enum.StrEnum):
    GOOD = "good"


class Rank(enum.IntEnum):
    ONE = 1


class Right(enum.IntFlag):
    READ = 1
    WRITE = 2


class UserId(str):
    __slots__ = ()


class Payment(Exception):
    def __init__(self, x: Any) -> None:
        super().__init__(x, "declined")
        self.x = x


class Usage(TypedDict, total=False):
    x: Any
    model: Inner


class Everything(TypedDict):
    dataclasses: Open | Frozen | Slotted | Keyed | Derived | SlottedBelow | Holder[Inner] | IntHolder
    tuples: Pair | GenericPair[int]
    structs: Plain | Tagged | Brief | GenericStruct[Inner]
    models: Outer | Extra | Private | Computed | GenericModel[int] | Root | Guarded | ModelData
    first: First | FirstExtra
    attrs: Attrs | AttrsFrozen | AttrsOpen | AttrsBelow
    others: Plate | Mood | Rank | Right | UserId | Payment | Usage


def everything() -> Serializer:
    registry = TypeRegistry()
    registry.register_schema(Everything)
    return Serializer(registry)


EVERYTHING = everything()


def private(x: Any) -> Private:
    made = Private(x=x)
    made._count = 7
    return made


def computed(x: Any) -> Computed:
    made = Computed(x=x, Size=4)
    assert made.later
    return made


def first_extra(x: Any) -> FirstExtra:
    made = FirstExtra(x=x, inner=First(x=1), more=[x])
    object.__setattr__(made, "_count", 9)
    return made


def failed(x: Any) -> Payment:
    error = Payment(x)
    error.add_note("at the till")
    return error


MAKERS: dict[str, Callable[[Any], Any]] = {
    "dataclass": lambda x: Open(x, [x]),
    "frozen dataclass": Frozen,
    "slotted dataclass": Slotted,
    "keyword dataclass": lambda x: Keyed(x=x, _hidden=3),
    "derived dataclass": lambda x: Derived(x, "derived", y=2),
    "half slotted dataclass": SlottedBelow,
    "generic dataclass": lambda x: Holder(x),
    "class of a generic": lambda x: IntHolder(x),
    "named tuple": Pair,
    "generic named tuple": GenericPair,
    "Struct": Plain,
    "array-like Struct": Tagged,
    "brief Struct": lambda x: Brief(x=x),
    "generic Struct": GenericStruct,
    "model": lambda x: Outer(x=x, inner=Inner(x=x), many={"a": [Inner(x=1)]}),
    "model with extra": lambda x: Extra(x=x, other=x),
    "model with private attributes": private,
    "model with computed fields": computed,
    "generic model": lambda x: GenericModel[int].model_construct(x=x),
    "root model": lambda x: Root([x]),
    "model made without validation": lambda x: Guarded.model_construct(x=x),
    "pydantic dataclass": ModelData,
    "v1 model": lambda x: First(x=x),
    "v1 model with extra": first_extra,
    "attrs": lambda x: Attrs(x, private=1, made=[1]),
    "frozen attrs": AttrsFrozen,
    "open attrs": AttrsOpen,
    "derived attrs": AttrsBelow,
    "exception": failed,
    "TypedDict": lambda x: Usage(x=x, model=Inner(x=1)),
    "Send": lambda x: Send("node", x),
    "Command": lambda x: Command(update={"a": x}, goto=[Send("n", x), "m"]),
    "Interrupt": lambda x: Interrupt(x, "id"),
    "Overwrite": Overwrite,
    "list": lambda x: [x, x],
    "tuple": lambda x: (x,),
    "dict": lambda x: {"a": x, 3: x, (1, None): x},
    "deque": lambda x: deque([x], 4),
}
LEAVES: dict[str, Any] = {
    "none": None,
    "int": 2**70,
    "str": "a\0\ud800",
    "bytes": b"\0",
    "nan": float("nan"),
    "set": {1, "a", (2, None)},
    "frozenset": frozenset({UUID(int=3), Mood.GOOD}),
    "datetime": datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin")),
    "times": [date(2026, 1, 2), time(3, 4, tzinfo=UTC), timedelta(-1, 5), NAIVE],
    "uuid": UUID(int=5),
    "decimal": Decimal("1.10"),
    "path": Path("a/b"),
    "enums": [Plate.RED, Plate.BLUE, Mood.GOOD, Rank.ONE, Right.READ | Right.WRITE],
    "enum as key": {Mood.GOOD: 1, "good ": 2},
    "text of a kind": UserId("ada"),
    "array": np.arange(6, dtype="<i4").reshape(2, 3),
    "array of texts": np.array(["a", "bcd"]),
    "scalars": [np.float32(1.5), np.int64(3), np.bool_(True), np.datetime64("2026-01-01T00:00")],
    "pattern": re.compile("a", re.IGNORECASE),
    "counter": Counter("aab"),
    "secret": pydantic.SecretStr("key"),
}


def again(value: Any, serializer: Serializer = EVERYTHING) -> Any:
    return serializer.loads(serializer.dumps(value))


def same(one: Any, other: Any) -> bool:
    """Alike in all there is to see, types first."""
    return type(one) is type(other) and described(one) == described(other)


def described(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return (value.dtype.str, value.tolist(), np.shape(value))
    return models(value) if isinstance(value, pydantic.BaseModel | pydantic.v1.BaseModel) else plain(value)


def models(value: Any) -> Any:
    if isinstance(value, pydantic.v1.BaseModel):
        return described([dict(value.__dict__), value.__fields_set__, getattr(value, "_count", None)])
    fields = {name: getattr(value, name) for name in type(value).model_fields}
    parts = (fields, value.model_fields_set, value.model_extra, value.__pydantic_private__)
    return described([type(value).__name__, *parts])


def plain(value: Any) -> Any:
    match value:
        case pydantic.SecretStr():
            return value.get_secret_value()
        case dict():
            return [(described(key), described(item)) for key, item in value.items()]
        case list() | tuple() | deque():
            return [(type(item), described(item)) for item in value]
        case set() | frozenset():
            return {repr(item) for item in value}
        case BaseException():
            return described([value.args, value.__dict__])
        case datetime() | time():
            return (value.isoformat(), value.fold, type(value.tzinfo))
        case _ if attrs.has(type(value)):
            return [described(getattr(value, item.name)) for item in attrs.fields(type(value))]
        case _ if hasattr(value, "__dataclass_fields__"):
            return [described(getattr(value, name)) for name in value.__dataclass_fields__]
        case msgspec.Struct():
            return described(msgspec.structs.asdict(value))
        case _:
            return repr(value)


@pytest.mark.parametrize("leaf", LEAVES)
@pytest.mark.parametrize("maker", MAKERS)
def test_each_family_holds_each_kind_of_value(maker: str, leaf: str) -> None:
    value = MAKERS[maker](LEAVES[leaf])
    assert same(again(value), value)
    assert same(again([value] * 12), [value] * 12)


@pytest.mark.parametrize("inner", MAKERS)
@pytest.mark.parametrize("outer", MAKERS)
def test_each_family_holds_each_other(outer: str, inner: str) -> None:
    value = {"state": [MAKERS[outer](MAKERS[inner](1)), MAKERS[inner](MAKERS[outer]("x"))]}
    assert same(again(value), value)


anything = st.recursive(
    st.sampled_from(list(LEAVES.values())),
    lambda inner: (
        st.builds(lambda maker, held: maker(held), st.sampled_from(list(MAKERS.values())), inner)
        | st.lists(inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=300)
@given(anything)
def test_families_in_any_depth_and_order(value: Any) -> None:
    assert same(again(value), value)
    assert same(again([value] * 3), [value] * 3)


def test_a_fresh_process_that_knows_the_schema_reads_it_all() -> None:
    value = [MAKERS[maker](leaf) for maker in MAKERS for leaf in LEAVES.values()]
    assert same(everything().loads(EVERYTHING.dumps(value)), value)


def test_a_half_slotted_dataclass_loses_no_attribute() -> None:
    with pytest.raises(Exception, match="'colour' is no field"):
        value = SlottedBelow(1)
        value.colour = "red"  # type: ignore[attr-defined]
        EVERYTHING.dumps(value)


def test_private_attributes_that_were_never_set_stay_unset() -> None:
    result = again(private(1))
    assert result._count == 7
    with pytest.raises(AttributeError):
        result._unset  # noqa: B018


def test_a_v1_model_takes_defaults_for_new_fields_and_forgets_removed_ones() -> None:
    data = EVERYTHING.dumps([First(x=1, size=4)])
    changed = pydantic.v1.create_model("First", size=(int, 9), note=(str, "new"))
    registry = TypeRegistry()
    registry.register(f"{First.__module__}:First", changed)
    [result] = Serializer(registry).loads(data)
    assert (result.dict(), result.__fields_set__) == ({"size": 4, "note": "new"}, {"size"})


def test_a_v1_model_takes_defaults_for_new_private_attributes() -> None:
    registry = TypeRegistry()
    registry.register(f"{First.__module__}:First", FirstExtra)
    result = Serializer(registry).loads(EVERYTHING.dumps(First(x=1, size=3)))
    assert (result.x, result._count) == (1, 0)


def test_a_v1_model_can_become_a_model_of_version_2() -> None:
    data = EVERYTHING.dumps(first_extra(1))
    changed = pydantic.create_model(
        "Changed", __config__=pydantic.ConfigDict(extra="allow"), x=(Any, ...), inner=(Any, None)
    )
    registry = TypeRegistry()
    registry.register(f"{FirstExtra.__module__}:FirstExtra", changed)
    registry.register_schema(First)
    result = Serializer(registry).loads(data)
    assert (result.x, result.inner, result.model_extra) == (1, First(x=1), {"more": [1]})


def test_messages_are_registered_by_the_schema_that_names_their_base() -> None:
    class Message(pydantic.BaseModel):
        content: str | list[str | dict[str, Any]]
        id: str | None = None

    class HumanMessage(Message):
        type: str = "human"

    class AIMessage(Message):
        tool_calls: list[dict[str, Any]] = []

    registry = TypeRegistry()
    registry.register_schema(list[Message])
    value = [HumanMessage(content="hi"), AIMessage(content=["a", {"b": 1}], tool_calls=[{"id": 1}])] * 5
    assert same(again(value, Serializer(registry)), value)
