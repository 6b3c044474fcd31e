"""Bytes that someone else wrote do nothing but fail: no import, no code, no file, no socket; only typed errors."""

import importlib.abc
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.msgpack import Ext

from graphrt.errors import DeserializationError
from graphrt.serde import Serializer, TypeRegistry
from graphrt.serde.layouts import Layouts
from graphrt.serde.revive import Reviver
from tests.unit.serde_typed import Role, Turn, TurnStruct, turns, typed_serializer, typed_values
from tests.unit.serde_world import EXAMPLES, hashables, values, world_serializer

WORLD = world_serializer()
TYPED = typed_serializer()
SEEDS = [WORLD.dumps(value) for value in EXAMPLES.values()]
TAGS = sorted(WORLD.registry.tags() - {"!zoneinfo"})  # a valid zone is read from the system's zone files
FORBIDDEN = (
    "import",
    "exec",
    "compile",
    "open",
    "socket.",
    "subprocess.",
    "os.",
    "ctypes.",
    "pickle.",
    "shutil.",
)

watched: list[list[str]] = []


def _audit(event: str, args: tuple[object, ...]) -> None:
    if watched and event.startswith(FORBIDDEN):
        watched[-1].append(f"{event} {args!r}")


class Importing(importlib.abc.MetaPathFinder):
    """Sees what the audit hook does not: `importlib.import_module`."""

    def find_spec(self, name: str, path: object, target: object = None) -> None:
        watched[-1].append(f"import {name}")


sys.addaudithook(_audit)  # can never be removed, so it looks only while something is watched


@contextmanager
def nothing_happens() -> Iterator[None]:
    events: list[str] = []
    importing = Importing()
    watched.append(events)
    sys.meta_path.insert(0, importing)
    try:
        yield
    finally:
        sys.meta_path.remove(importing)
        watched.pop()
    assert events == []


def read(data: bytes, serializer: Serializer = WORLD) -> None:
    for reader in (serializer.loads, serializer.loads_raw):
        with nothing_happens():
            try:
                reader(data)
            except DeserializationError:
                pass


def tagged(tag: object, version: object, body: object) -> bytes:
    return msgspec.msgpack.encode(Ext(71, msgspec.msgpack.encode([tag, version, body])))


@pytest.mark.parametrize("act", [lambda: compile("1", "", "eval"), lambda: find_spec("no_such_module")])
def test_the_watch_sees_what_it_is_there_for(act: Callable[[], object]) -> None:
    with pytest.raises(AssertionError), nothing_happens():
        act()


@settings(max_examples=300)
@given(st.binary(max_size=60))
def test_random_bytes(data: bytes) -> None:
    read(data)


def mutated(whole: bytes, data: st.DataObject) -> bytes:
    blob = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(blob)))
        match data.draw(st.sampled_from(["set", "cut", "insert", "splice"])):
            case "set" if at < len(blob):
                blob[at] = data.draw(st.integers(0, 255))
            case "cut":
                del blob[at : at + data.draw(st.integers(1, 8))]
            case "insert":
                blob[at:at] = data.draw(st.binary(max_size=4))
            case _:
                blob[at:at] = data.draw(st.sampled_from(SEEDS))
    return bytes(blob)


@settings(max_examples=300)
@given(values, st.data())
def test_mutated_bytes(value: Any, data: st.DataObject) -> None:
    read(mutated(WORLD.dumps(value), data))


@settings(max_examples=300)
@given(typed_values, st.data())
def test_mutated_bytes_of_a_layout(value: Any, data: st.DataObject) -> None:
    read(mutated(TYPED.dumps(value), data), TYPED)


names = st.sampled_from(["os.system", "__class__", "list", "C", "<i2", "O"])
texts = st.text(st.characters(codec="utf-8"), max_size=8) | names
bodies = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.binary(max_size=8)
    | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=600)
@given(st.sampled_from(TAGS), st.integers(0, 2), bodies, st.booleans())
def test_known_tags_with_any_body(tag: str, version: int, body: Any, many: bool) -> None:
    read(tagged("!list", 1, [tag, version, body]) if many else tagged(tag, version, body))


@pytest.mark.parametrize(
    "body", [[1], ["!list", 1, []], [["!uuid"], 1, []], ["!uuid", "1", []], {"a": 1}, None, [[], [], []]]
)
def test_crafted_lists_of_records(body: Any) -> None:
    read(tagged("!list", 1, body))


@pytest.mark.parametrize(
    "header", [["!tuple"], [1, 1, []], ["!tuple", "1", []], {}, ["!tuple", -1, [1]], ["!tuple", 2**63, []]]
)
def test_crafted_headers(header: Any) -> None:
    read(msgspec.msgpack.encode(Ext(71, msgspec.msgpack.encode(header))))


@pytest.mark.parametrize(
    "tag",
    [
        "os:system",
        "builtins:eval",
        "subprocess:Popen",
        "graphrt.serde.registry:TypeRegistry",
        "json:JSONDecoder",
        "",
    ],
)
def test_a_tag_is_never_a_name_to_import(tag: str) -> None:
    with nothing_happens(), pytest.raises(DeserializationError, match="unknown type"):
        WORLD.loads(tagged(tag, 1, ["x"]))


@pytest.mark.parametrize(
    "key", ["../../etc/passwd", "/etc/passwd", "os.path", "Nowhere/City", "", "a" * 5000, "x\0", 3]
)
def test_a_time_zone_key_opens_no_file_and_imports_no_package(key: object) -> None:
    WORLD.loads(WORLD.dumps(ZoneInfo("UTC")))
    with pytest.raises(DeserializationError):
        WORLD.loads(tagged("!zoneinfo", 1, "No/Zone"))  # the list of packaged zones has been read
    with nothing_happens(), pytest.raises(DeserializationError):
        WORLD.loads(tagged("!zoneinfo", 1, key))


# ---- layouts

ROLE, TURN, STRUCT = (f"{cls.__module__}:{cls.__qualname__}" for cls in (Role, Turn, TurnStruct))
words = st.sampled_from(
    ["any", "null", "str", "int", "float", "datetime", "uuid", "decimal", "os.system", 0, 1, 2, -1, 2**40]
)
layouts = st.recursive(
    words,
    lambda inner: (
        st.tuples(st.sampled_from(["list", "dict", "tuple", "fixed", "or", "eval"]), inner, inner)
        | st.tuples(st.sampled_from(["list", "dict", "tuple", "or"]), inner).map(list)
    ),
    max_leaves=5,
)
laid_classes = st.tuples(
    st.sampled_from(["record", "enum", "call"]),
    st.sampled_from([ROLE, TURN, STRUCT, "!uuid", "!datetime", "os:system", "!layout"]),
    st.integers(0, 2),
    st.dictionaries(st.sampled_from(["role", "content", "at", "USER", "__class__"]), layouts, max_size=3),
)


@settings(max_examples=600)
@given(st.lists(laid_classes, max_size=3), layouts, bodies)
def test_crafted_layouts(classes: list[Any], root: Any, data: Any) -> None:
    header = msgspec.msgpack.encode([classes, root])
    read(tagged("!layout", 1, [header, data]), TYPED)


@pytest.mark.parametrize(
    "header", [b"", b"\xc1", b"\x92\x90", b"\x92\x90\x00", b"\x92\x90\x91\xa4list", b"\x90", 3, None, "text"]
)
def test_crafted_headers_of_layouts(header: Any) -> None:
    for data in ([], {}, [b"x" * 2000], None):
        read(tagged("!layout", 1, [header, data]), TYPED)
    for body in ([], [header], header, {"a": 1}, b"\xc4"):
        read(tagged("!layout", 1, body), TYPED)


def test_a_class_that_refers_to_itself_without_end() -> None:
    header = msgspec.msgpack.encode([[["record", TURN, 1, {"content": ["or", "null", 0]}]], 0])
    data: Any = None
    for _ in range(400):
        data = {"content": data}
    read(tagged("!layout", 1, [header, data]), TYPED)


def test_ever_new_layouts_do_not_fill_the_memory() -> None:
    registry = TYPED.registry
    reviver = Reviver(registry, Layouts(registry), raw=True)
    for number in range(1_100):
        header = msgspec.msgpack.encode([[["record", f"unknown {number}", 1, {}]], 0])
        reviver.decode(tagged("!layout", 1, [header, {}]))
    assert 0 < len(reviver._laid) <= 1_001


@settings(max_examples=300)
@given(
    st.binary(max_size=6), st.lists(st.tuples(st.sampled_from(TAGS), st.integers(0, 2), bodies), max_size=3)
)
def test_crafted_lists_of_several_types(order: bytes, groups: list[Any]) -> None:
    read(tagged("!mixed", 1, [order, groups]))


@pytest.mark.parametrize("order", [b"", b"\0", b"\0\0\0", b"\1\0", b"\0\0\1"])
def test_a_list_of_several_types_whose_order_is_damaged_is_an_error(order: bytes) -> None:
    data = tagged("!mixed", 1, [order, [["!list", 1, ["!tuple", 1, [[1], [2]]]]]])
    with pytest.raises(DeserializationError):
        WORLD.loads(data)
    assert WORLD.loads(tagged("!mixed", 1, [b"\0\0", [["!list", 1, ["!tuple", 1, [[1], [2]]]]]])) == [
        (1,),
        (2,),
    ]


@pytest.mark.parametrize("tag", ["!list", "!mixed", "!layout"])
def test_a_newer_form_of_many_values_is_refused(tag: str) -> None:
    for reader in (WORLD.loads, WORLD.loads_raw):
        with pytest.raises(DeserializationError, match=f"'{tag}' has version 2"):
            reader(tagged(tag, 2, []))


@pytest.mark.parametrize("size", [900, 1_000, 5_000, 70_000])
@pytest.mark.parametrize("cut", [1, 2, 3, 5, 8, 13, 40])
def test_long_values_that_are_cut_short(size: int, cut: int) -> None:
    whole = TYPED.dumps(turns(20))
    payload = msgspec.msgpack.encode(["!bytearray", 1, b"x" * size])
    for data in (
        whole[:cut],
        whole[:-cut],
        msgspec.msgpack.encode(Ext(71, payload[:cut] + payload[cut + 1 :])),
    ):
        read(data, TYPED)


def test_extensions_nested_without_end_are_an_error() -> None:
    data = b"\xc0"
    for _ in range(3000):
        data = msgspec.msgpack.encode(Ext(71, msgspec.msgpack.encode(["!tuple", 1, [msgspec.Raw(data)]])))
    read(data)
    with pytest.raises(DeserializationError):
        WORLD.loads(data)


@pytest.mark.parametrize(
    "tag, body",
    [
        ("!bytearray", 2**40),
        ("!numpy.ndarray", ["<U0", [2**40], "C", b""]),
        ("!numpy.ndarray", ["<i2", [2**40], "C", b"xx"]),
        ("!numpy.ndarray", ["|O", [1], "C", b"12345678"]),
        ("!numpy.ndarray", ["i4,(2,3)f8", [1], "C", b""]),
        ("!frozenset", 2**40),
        ("!defaultdict", ["exec", {}]),
        ("!decimal", [0, [1] * 3, 2**60]),
        ("!tuple", "abc"),
        ("!dict", [[[]], [1]]),
        ("!dict", [[1], []]),
        ("!error", ["a"]),
        ("!ExceptionGroup", [["a", [1]], None, {}]),
        ("!graphrt.Send", {"node": "n", "arg": 1, "evil": 1, "x": 2, "__class__": 3}),
        ("!graphrt.Send", ["node", "arg"]),
    ],
)
def test_crafted_bodies_are_refused_or_harmless(tag: str, body: Any) -> None:
    read(tagged(tag, 1, body))


def test_a_pattern_that_prints_when_it_is_compiled_is_refused() -> None:
    with pytest.raises(DeserializationError, match="DEBUG"):
        WORLD.loads(tagged("!pattern", 1, ["a", re.DEBUG.value]))


@settings(max_examples=100)
@given(st.lists(hashables, max_size=3))
def test_bytes_of_known_types_mean_nothing_to_a_registry_without_them(items: list[Any]) -> None:
    data = WORLD.dumps(items)
    serializer = type(WORLD)(TypeRegistry())
    with nothing_happens():
        serializer.loads_raw(data)
