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
from graphrt.serde import TypeRegistry
from tests.unit.serde_world import EXAMPLES, hashables, values, world_serializer

WORLD = world_serializer()
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


def read(data: bytes) -> None:
    for reader in (WORLD.loads, WORLD.loads_raw):
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


@settings(max_examples=300)
@given(values, st.data())
def test_mutated_bytes(value: Any, data: st.DataObject) -> None:
    blob = bytearray(WORLD.dumps(value))
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
    read(bytes(blob))


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
