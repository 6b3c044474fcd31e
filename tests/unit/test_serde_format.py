"""The bytes of each kind of value. A line here changes only together with a version, never by itself.

The rules are those of `graphrt.serde`; what is stored today has to be readable for ever.
"""

import re
from collections import Counter, OrderedDict, defaultdict, deque
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from ipaddress import ip_address, ip_network
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pydantic
import pytest

from graphrt.serde import RemoteError, Serializer, TypeRegistry
from graphrt.types import Command, Interrupt, Overwrite, Send
from tests.unit.serde_world import (
    EVENTS,
    Box,
    Color,
    Message,
    Model,
    Mood,
    Name,
    Note,
    Pair,
    Point,
    Rights,
    UserId,
    seen,
    world_serializer,
)

WORLD = world_serializer()

GOLDEN: list[tuple[Any, bytes]] = [
    (None, b"\xc0"),
    (True, b"\xc3"),
    (7, b"\x07"),
    (-1.5, b"\xcb\xbf\xf8\x00\x00\x00\x00\x00\x00"),
    ("grün", b"\xa5gr\xc3\xbcn"),
    (b"\x00\xff", b"\xc4\x02\x00\xff"),
    ([1, [2]], b"\x92\x01\x91\x02"),
    ({"a": {"b": None}}, b"\x81\xa1a\x81\xa1b\xc0"),
    (2**64, b"\xc7\x1bG\x93\xa4!int\x01\xb30x10000000000000000"),
    ("\ud800", b"\xc7\x0cG\x93\xa4!str\x01\xc4\x03\xed\xa0\x80"),
    ((1, (2,)), b"\xc7\x19G\x93\xa6!tuple\x01\x92\x01\xc7\x0bG\x93\xa6!tuple\x01\x91\x02"),
    ({3, 1, 2}, b"\xc7\x0bG\x93\xa4!set\x01\x93\x01\x02\x03"),
    (frozenset({"b", "a"}), b"\xc7\x12G\x93\xaa!frozenset\x01\x92\xa1a\xa1b"),
    ({1: "a", "b": 2}, b"\xc7\x11G\x93\xa5!dict\x01\x92\x92\x01\xa1b\x92\xa1a\x02"),
    (bytearray(b"x"), b"\xd8G\x93\xaa!bytearray\x01\xc4\x01x"),
    (deque([1], 2), b"\xc7\rG\x93\xa6!deque\x01\x92\x91\x01\x02"),
    (OrderedDict(a=1), b"\xc7\x13G\x93\xac!ordereddict\x01\x81\xa1a\x01"),
    (Counter("aa"), b"\xc7\x0fG\x93\xa8!counter\x01\x81\xa1a\x02"),
    (defaultdict(list, {"a": [1]}), b"\xc7\x1aG\x93\xac!defaultdict\x01\x92\xa4list\x81\xa1a\x91\x01"),
    (
        1 + 2j,
        b"\xc7\x1eG\x93\xa8!complex\x01\x92\xcb?\xf0\x00\x00\x00\x00\x00\x00\xcb@\x00\x00\x00\x00\x00\x00\x00",
    ),
    (Decimal("1.10"), b"\xd8G\x93\xa8!decimal\x01\xa41.10"),
    (Fraction(1, 3), b"\xc7\x0fG\x93\xa9!fraction\x01\x92\x01\x03"),
    (range(1, 9, 2), b"\xc7\rG\x93\xa6!range\x01\x93\x01\t\x02"),
    (date(2024, 2, 29), b"\xc7\x13G\x93\xa5!date\x01\xaa2024-02-29"),
    (datetime.fromisoformat("2024-02-29T01:02:03"), b"\xc7 G\x93\xa9!datetime\x01\xb32024-02-29T01:02:03"),
    (datetime(2024, 2, 29, tzinfo=UTC), b"\xc7&G\x93\xa9!datetime\x01\xb92024-02-29T00:00:00+00:00"),
    (
        datetime(2024, 10, 27, 2, fold=1, tzinfo=ZoneInfo("Europe/Berlin")),
        b"\xc7?G\x93\xa9!datetime\x01\x93\xb32024-10-27T02:00:00\x01\xc7\x1aG\x93\xa9!zoneinfo\x01\xadEurope/Berlin",
    ),
    (time(1, 2, 3, 4), b"\xc7\x18G\x93\xa5!time\x01\xaf01:02:03.000004"),
    (timedelta(1, 2, 3), b"\xc7\x11G\x93\xaa!timedelta\x01\x93\x01\x02\x03"),
    (timezone(timedelta(hours=2)), b"\xc7\x12G\x93\xa9!timezone\x01\x93\x00\xcd\x1c \x00"),
    (timezone(timedelta(hours=2), "X"), b"\xc7\x14G\x93\xa9!timezone\x01\x94\x00\xcd\x1c \x00\xa1X"),
    (
        UUID(int=7),
        b"\xc7\x1aG\x93\xa5!uuid\x01\xc4\x10\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x07",
    ),
    (PurePosixPath("/a"), b"\xc7\x11G\x93\xab!path.posix\x01\xa2/a"),
    (PureWindowsPath("c:/a"), b"\xc7\x15G\x93\xad!path.windows\x01\xa4c:\\a"),
    (re.compile("a", re.IGNORECASE), b'\xc7\x0fG\x93\xa8!pattern\x01\x92\xa1a"'),
    (ip_address("10.0.0.1"), b"\xc7\x18G\x93\xac!ipv4address\x01\xa810.0.0.1"),
    (ip_network("10.0.0.0/8"), b"\xc7\x1aG\x93\xac!ipv4network\x01\xaa10.0.0.0/8"),
    (Color.RED, b"\xc7#G\x93\xbctests.unit.serde_world:Color\x01\xa3RED"),
    (Mood.GOOD, b"\xc7#G\x93\xbbtests.unit.serde_world:Mood\x01\xa4GOOD"),
    (Rights.READ | Rights.WRITE, b"\xc7!G\x93\xbdtests.unit.serde_world:Rights\x01\x03"),
    (UserId("u"), b'\xc7"G\x93\xbdtests.unit.serde_world:UserId\x01\xa1u'),
    (Point(1, 2), b"\xc7&G\x93\xbctests.unit.serde_world:Point\x01\x82\xa1x\x01\xa1y\x02"),
    (
        Note("a", 1, 0.5, ["t"]),
        b"\xc7DG\x93\xbbtests.unit.serde_world:Note\x01\x84\xa4text\xa1a\xa5stars\x01\xa5score\xcb?\xe0\x00\x00\x00\x00\x00\x00\xa4tags\x91\xa1t",
    ),
    (
        Note("a", 1, 2),
        b"\xc7GG\x93\xbbtests.unit.serde_world:Note\x01\x84\xa4text\xa1a\xa5stars\x01\xa5score\xc7\x0bG\x93\xa4!int\x01\xa30x2\xa4tags\x90",
    ),
    (
        Pair((1,), None),
        b"\xc79G\x93\xbbtests.unit.serde_world:Pair\x01\x82\xa4left\xc7\x0bG\x93\xa6!tuple\x01\x91\x01\xa5right\xc0",
    ),
    (
        Message("user", Name("n"), 1.0),
        b"\xc7JG\x93\xbetests.unit.serde_world:Message\x01\x84\xa4role\xa4user\xa4name\xa1n\xa5score\xcb?\xf0\x00\x00\x00\x00\x00\x00\xa6counts\x80",
    ),
    (Box(1), b"\xc7+G\x93\xbatests.unit.serde_world:Box\x01\x81\xabinner_value\x01"),
    (
        Model(title="t", items=[1]),
        b"\xc7=G\x93\xbctests.unit.serde_world:Model\x01\x94\x82\xa5title\xa1t\xa5items\x91\x01\xc0\xc0\x81\xa7_secret\xc0",
    ),
    (
        Model(title="t"),
        b"\xc7BG\x93\xbctests.unit.serde_world:Model\x01\x94\x82\xa5title\xa1t\xa5items\x90\x91\xa5title\xc0\x81\xa7_secret\xc0",
    ),
    (
        [Pair(1), Pair(2)],
        b"\xc7CG\x93\xa5!list\x01\x93\xbbtests.unit.serde_world:Pair\x01\x92\x82\xa4left\x01\xa5right\xc0\x82\xa4left\x02\xa5right\xc0",
    ),
    (
        [UUID(int=1), UUID(int=2)],
        b"\xc75G\x93\xa5!list\x01\x93\xa5!uuid\x01\x92\xc4\x10\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\xc4\x10\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02",
    ),
    (Send("n", {"a": 1}), b"\xc7 G\x93\xad!graphrt.Send\x01\x82\xa4node\xa1n\xa3arg\x81\xa1a\x01"),
    (
        Command(update={"a": 1}, goto="n"),
        b"\xc75G\x93\xb0!graphrt.Command\x01\x84\xa5graph\xc0\xa6update\x81\xa1a\x01\xa6resume\xc0\xa4goto\xa1n",
    ),
    (Overwrite([1]), b"\xc7\x1eG\x93\xb2!graphrt.Overwrite\x01\x81\xa5value\x91\x01"),
    (
        Interrupt("why", "i1"),
        b"\xc77G\x93\xb2!graphrt.Interrupt\x01\x83\xa5value\xa3why\xa2id\xa2i1\xafresponse_schema\xc0",
    ),
    (ValueError("x"), b"\xc7\x14G\x93\xab!ValueError\x01\x93\x91\xa1x\xc0\x80"),
    (RemoteError("m:E", "text", ("1",)), b"\xc7\x17G\x93\xa6!error\x01\x94\xa3m:E\xa4text\x91\xa11\x90"),
    (
        np.array([1, 2], dtype="<i2"),
        b"\xc7 G\x93\xae!numpy.ndarray\x01\x94\xa3<i2\x91\x02\xa1C\xc4\x04\x01\x00\x02\x00",
    ),
    (np.float64(1.5), b"\xc7\x1fG\x93\xad!numpy.scalar\x01\x92\xa3<f8\xc4\x08\x00\x00\x00\x00\x00\x00\xf8?"),
    (pydantic.SecretStr("k"), b"\xc7\x18G\x93\xb3!pydantic.SecretStr\x01\xa1k"),
    (msgspec.UNSET, b"\xc7\nG\x93\xa6!unset\x01\xc0"),
]


EVENT_LAYOUT = (
    b"\x92\x92\x94\xa6record\xbctests.unit.serde_world:Event\x01"
    b"\x84\xa4mood\x01\xa2at\xa8datetime\xa4span\x93\xa5fixed\xa3int\xa3str\xa4user\x93\xa2or\xa4null\xa3str"
    b"\x94\xa4enum\xbbtests.unit.serde_world:Mood\x01\x82\xa4GOOD\xa4good\xa3BAD\xa3bad"
)
"""The classes; how they lie comes behind it: `0` for one event, `["list", 0]` for many."""

EVENT = b"\x84\xa4mood\xa4good\xa2at\xd6\xffe\x92\x00\x80\xa4span\x92%b\xa1a\xa4user\xc0"

GOLDEN += [
    (
        EVENTS,
        b"\xc8\x02PG\x93\xa7!layout\x01\x92\xc4\x9e%b\x92\xa4list\x00\x9c%b"
        % (EVENT_LAYOUT, b"".join(EVENT % bytes([number]) for number in range(12))),
    ),
    (
        dict(zip("abcdefghijkl", EVENTS, strict=True)),
        b"\xc8\x02hG\x93\xa7!layout\x01\x92\xc4\x9e%b\x92\xa4dict\x00\x8c%b"
        % (
            EVENT_LAYOUT,
            b"".join(
                b"\xa1%b%b" % (name.encode(), EVENT % bytes([number]))
                for number, name in enumerate("abcdefghijkl")
            ),
        ),
    ),
    (
        [Pair(1), Point(1)] * 4,
        b"\xc7\xb8G\x93\xa6!mixed\x01\x92\xc4\x08\x00\x01\x00\x01\x00\x01\x00\x01\x92"
        b"\x93\xa5!list\x01\x93\xbbtests.unit.serde_world:Pair\x01\x94%b"
        b"\x93\xa5!list\x01\x93\xbctests.unit.serde_world:Point\x01\x94%b"
        % (b"\x82\xa4left\x01\xa5right\xc0" * 4, b"\x82\xa1x\x01\xa1y\x00" * 4),
    ),
]

IDS = [f"{type(value).__name__}-{index}" for index, (value, _) in enumerate(GOLDEN)]


@pytest.mark.parametrize("value, data", GOLDEN, ids=IDS)
def test_the_bytes_of_a_value_never_change(value: Any, data: bytes) -> None:
    assert WORLD.dumps(value) == data


EARLIER: list[tuple[Any, bytes]] = [
    (
        Command(update={"a": 1}, goto="n"),
        b"\xc7&G\x93\xb0!graphrt.Command\x01\x82\xa6update\x81\xa1a\x01\xa4goto\xa1n",
    ),
    (Interrupt("why", "i1"), b"\xc7&G\x93\xb2!graphrt.Interrupt\x01\x82\xa5value\xa3why\xa2id\xa2i1"),
]
"""Bytes of values whose classes have got more fields since."""


@pytest.mark.parametrize("value, data", [*GOLDEN, *EARLIER], ids=[*IDS, "Command", "Interrupt"])
def test_bytes_that_were_stored_once_can_be_read(value: Any, data: bytes) -> None:
    assert seen(WORLD.loads(data)) == seen(value)


def test_plain_values_are_plain_message_pack() -> None:
    value: dict[str, Any] = {"a": [None, True, 1, 1.5, "x", b"y", {"z": []}]}
    assert WORLD.dumps(value) == msgspec.msgpack.encode(value)


def test_a_union_lies_the_same_in_whatever_order_it_is_annotated() -> None:
    @dataclass
    class Forth:
        at: datetime | None

    @dataclass
    class Back:
        at: None | datetime  # noqa: RUF036

    data = [
        dumps_as("same", cls, [cls(datetime(2024, 1, 1, tzinfo=UTC)) for _ in range(12)])
        for cls in (Forth, Back)
    ]
    assert data[0] == data[1]
    assert b"!layout" in data[0]


def dumps_as(tag: str, cls: type, value: Any) -> bytes:
    registry = TypeRegistry()
    registry.register(tag, cls)
    return Serializer(registry).dumps(value)


def test_everything_else_is_one_extension_type_with_tag_version_and_body() -> None:
    [item] = msgspec.msgpack.decode(WORLD.dumps([(1, 2)]))
    assert item.code == 71
    assert msgspec.msgpack.decode(item.data) == ["!tuple", 1, [1, 2]]


def test_plain_values_among_others_are_plain() -> None:
    items: list[Any] = [Pair(1), "x", 1, Point(1), None] * 10
    decoded = msgspec.msgpack.decode(WORLD.dumps(items))
    assert [item for item in decoded if type(item) is not msgspec.msgpack.Ext] == ["x", 1, None] * 10


def test_no_value_looks_like_a_tagged_one() -> None:
    value: list[Any] = ["!tuple", 1, [1, 2]]
    assert WORLD.loads(WORLD.dumps(value)) == value


def test_no_value_starts_with_the_byte_of_envelopes() -> None:
    assert all(data[0] != 0xC1 for _, data in GOLDEN)
