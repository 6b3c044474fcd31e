"""An envelope opens in one place: what stands between a value and its neighbours, each taken by itself."""

from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from checkpointers.encrypted.envelope import Vault
from checkpointers.encrypted.places import Thread
from graphrt.checkpoint.encrypted import Keys
from graphrt.errors import DecryptionError
from graphrt.testing.conformance.records import checkpoint, result

VAULT = Vault(Keys({"k": bytes(32)}))
RECORD = checkpoint("parent", id="id", next=("a",), ran=("b",), metadata={"user": "ada"})
TAG, OTHER_TAG = b"1" * 16, b"2" * 16


def test_envelope_is_what_the_docs_say() -> None:
    envelope = VAULT.seal(b"thread", b"place", b"value")
    assert envelope[:4] == b"\xc1\x01\x01k"
    assert len(envelope) == 4 + 12 + len(b"value") + 16
    assert VAULT.open(b"thread", b"place", envelope, "it") == b"value"


def test_no_two_envelopes_have_the_same_nonce() -> None:
    assert len({VAULT.seal(b"thread", b"place", b"")[4:16] for _ in range(1_000)}) == 1_000


@pytest.mark.parametrize(
    "thread, place", [(b"other", b"place"), (b"thread", b"other"), (b"", b""), (b"threa", b"dplace")]
)
def test_envelope_opens_in_its_thread_and_place_alone(thread: bytes, place: bytes) -> None:
    with pytest.raises(DecryptionError, match="it is not what was encrypted"):
        VAULT.open(thread, place, VAULT.seal(b"thread", b"place", b"value"), "it")


def test_keys_of_threads_differ_and_are_not_the_key() -> None:
    keys = Keys({"k": bytes(32)})
    subkeys = {keys.subkey("k", purpose) for purpose in (b"graphrt thread 1\0a", b"graphrt thread 1\0b")}
    assert len(subkeys) == 2
    assert bytes(32) not in subkeys


def test_more_threads_than_keys_are_kept_for_can_be_read() -> None:
    envelopes = [VAULT.seal(b"%d" % n, b"place", b"%d" % n) for n in range(1_100)]
    assert [VAULT.open(b"%d" % n, b"place", data, "it") for n, data in enumerate(envelopes)] == [
        b"%d" % n for n in range(1_100)
    ]


def places_of(thread: Thread) -> dict[str, bytes]:
    one = result("path", log=b"1", name=None)
    return {
        "whole a": thread.whole("a"),
        "whole b": thread.whole("b"),
        "part a": thread.part("a", TAG),
        "part a behind another": thread.part("a", OTHER_TAG),
        "part b": thread.part("b", TAG),
        "result": thread.result("id", "child", one),
        "result of another commit": thread.result("id", "other", one),
        "result of another checkpoint": thread.result("other", "child", one),
        "result of another path": thread.result("id", "child", replace(one, path="other")),
        "result of another node": thread.result("id", "child", replace(one, node="other")),
        "result with an error": thread.result("id", "child", replace(one, error="")),
        "result of other writes": thread.result("id", "child", result("path", log=b"1", name=b"")),
        "result of more writes": thread.result("id", "child", result("path", log=b"1", name=None, more=None)),
        "checkpoint": thread.checkpoint(RECORD, {}),
        "checkpoint with a value": thread.checkpoint(RECORD, {"a": TAG}),
        "checkpoint with another value": thread.checkpoint(RECORD, {"a": OTHER_TAG}),
        **{
            f"checkpoint with another {name}": thread.checkpoint(replace(RECORD, **{name: value}), {})
            for name, value in OTHERWISE.items()
        },
    }


OTHERWISE: dict[str, Any] = {
    "id": "other", "version": 2, "step": 1, "source": "fork", "next": ("b",), "ran": ("a",),
    "metadata": {"user": "eve"},
}  # fmt: skip


def test_all_places_differ() -> None:
    threads = [Thread("t", ""), Thread("t", "n"), Thread("u", ""), Thread("", "t"), Thread("tn", "")]
    places = [(place, name) for thread in threads for name, place in places_of(thread).items()]
    assert [(one[1], two[1]) for one, two in combinations(places, 2) if one[0] == two[0]] == []


def test_parent_is_no_part_of_the_place() -> None:
    thread = Thread("t", "")
    assert thread.checkpoint(RECORD, {}) == thread.checkpoint(replace(RECORD, parent_id=None), {})


texts = st.text(st.characters(), max_size=3)  # lone surrogates included
names = st.lists(texts, max_size=3).map(tuple)
scalars = texts | st.integers() | st.floats(allow_nan=False) | st.booleans() | st.none()
records = st.fixed_dictionaries(
    {"id": texts, "next": names, "ran": names, "metadata": st.dictionaries(texts, scalars, max_size=2)}
)


@given(records, records)
def test_records_that_differ_are_different_places(left: dict[str, Any], right: dict[str, Any]) -> None:
    thread = Thread("t", "")
    one, two = (thread.checkpoint(replace(RECORD, **fields), {}) for fields in (left, right))
    assert (one == two) == (told(left) == told(right))


def told(fields: dict[str, Any]) -> Any:
    """All there is to tell apart: numbers by what they are worth, yes and no from 1 and 0."""
    metadata = {key: (type(value) is bool, value) for key, value in fields["metadata"].items()}
    return (fields["id"], fields["next"], fields["ran"], metadata)
