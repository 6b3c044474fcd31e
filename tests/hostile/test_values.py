"""Crafted values one by one: what `tests/unit/test_serde_hostile.py` does not have, as it came with databases."""

from typing import Any

import pytest

from graphrt.edits import Merge, Weave
from graphrt.errors import DeserializationError
from graphrt.serde import Serializer
from tests.hostile import canary
from tests.hostile.mutation import CALLS, HUGE, NAMES, PICKLES, extension

SERIALIZER = Serializer()


@pytest.fixture(autouse=True)
def canary_stays_silent() -> Any:
    canary.sung.clear()
    yield
    assert canary.sung == []


def both(data: bytes) -> list[Any]:
    """What the two ways of reading make of bytes; nothing where they refuse."""
    read: list[Any] = []
    for reader in (SERIALIZER.loads, SERIALIZER.loads_raw):
        try:
            read.append(reader(data))
        except DeserializationError:
            continue
    return read


@pytest.mark.parametrize("code", [*range(-1, 8), 70, 72, 127])
@pytest.mark.parametrize("call", CALLS, ids=str)
def test_extensions_of_others_are_refused(code: int, call: Any) -> None:
    assert both(extension(code, call)) == []


@pytest.mark.parametrize("name", [name for name in NAMES if name != "!tuple"])
@pytest.mark.parametrize("version", [0, 1, 2])
def test_names_of_importable_things_are_no_tags(name: str, version: int) -> None:
    with pytest.raises(DeserializationError):
        SERIALIZER.loads(extension(71, [name, version, ["true"]]))


@pytest.mark.parametrize("data", [*PICKLES, *HUGE, b""])
def test_pickles_and_lengths_of_things_that_never_come_are_refused(data: bytes) -> None:
    assert both(data) == []


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_data_that_looks_like_a_call_is_data(call: Any) -> None:
    data = SERIALIZER.dumps({"user": call})
    assert both(data) == [{"user": call}] * 2


@pytest.mark.parametrize("text", ["__main__:Note", "!uuid", "\ufeff", "\udc80", "\0", "a" * 70_000])
def test_text_that_looks_like_a_tag_is_text(text: str) -> None:
    value = [text, 1, {"tag": text, text: [text]}]
    assert both(SERIALIZER.dumps(value)) == [value] * 2


def test_extension_objects_of_a_user_cannot_be_stored() -> None:
    from msgspec.msgpack import Ext

    from graphrt.errors import SerializationError

    with pytest.raises(SerializationError):
        SERIALIZER.dumps([Ext(71, b"")])


# ---- parts of values that grew


def grown(value: Any, *parts: Any) -> Any:
    return SERIALIZER.loads_grown(SERIALIZER.dumps(value), [SERIALIZER.dumps(part) for part in parts])


@pytest.mark.parametrize(
    "weave",
    [
        Weave([[0, 2, 0]] * 1_000, []),
        Weave([[0, 0, 50], [0, 0, -50]] * 1_000, list(range(50))),
        Weave([[0, -1, 0], [0, 3, 0]] * 1_000, []),
        Weave([[0, 2**70, 0]], []),
    ],
    ids=["again and again", "back and forth", "negative lengths", "very long"],
)
def test_part_makes_no_list_longer_than_what_there_is(weave: Weave) -> None:
    try:
        assert len(grown(["a", "b"], weave)) <= 2 + len(weave.items)
    except DeserializationError:
        pass


@pytest.mark.parametrize(
    "value, part",
    [
        ([1], {"a": 1}),
        ([1], "text"),
        ([1], Merge([], {})),
        ({"a": 1}, [1]),
        ({"a": 1}, Weave([], [])),
        ("text", ["text"]),
        ("text", None),
        (1, 1),
        (None, []),
        ((1,), [1]),
    ],
)
def test_part_of_another_kind_is_refused(value: Any, part: Any) -> None:
    with pytest.raises(DeserializationError):
        grown(value, part)


BODIES = [
    None,
    1,
    "abc",
    b"x",
    [],
    ["abc"],
    [["a", 1]],
    [[1]],
    {"a": 1},
    {"": []},
    [[0, 1]],
    [["0", "1", "2"]],
    [{}],
]


@pytest.mark.parametrize("field", ["drop", "put"])
@pytest.mark.parametrize("body", BODIES, ids=str)
def test_crafted_merge(field: str, body: Any) -> None:
    fields = {"drop": [], "put": {}, field: body}
    read_grown({"a": 1}, extension(71, ["!graphrt.Merge", 1, fields]))


@pytest.mark.parametrize("field", ["runs", "items"])
@pytest.mark.parametrize("body", BODIES, ids=str)
def test_crafted_weave(field: str, body: Any) -> None:
    fields = {"runs": [[0, 1, 1]], "items": [1], field: body}
    read_grown(["a"], extension(71, ["!graphrt.Weave", 1, fields]))


def read_grown(value: Any, part: bytes) -> None:
    """A value of the same type, or a typed error."""
    for reader in (SERIALIZER.loads_grown, SERIALIZER.loads_grown_raw):
        try:
            assert type(reader(SERIALIZER.dumps(value), [part])) is type(value)
        except DeserializationError:
            pass


@pytest.mark.parametrize(
    "parts", [[b""], [b"", b""], [b"\x91"], [b"\x91\x01\x91\x02"], [b"\x91\x01", b""], [b"\xc1"]]
)
def test_parts_cut_short_or_run_together(parts: list[bytes]) -> None:
    with pytest.raises(DeserializationError):
        SERIALIZER.loads_grown(SERIALIZER.dumps([0]), parts)
