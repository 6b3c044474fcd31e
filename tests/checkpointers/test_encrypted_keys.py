"""Keys are given in many ways and shown in none."""

import copy
import pickle
import subprocess
import sys
from base64 import b64encode, urlsafe_b64encode
from traceback import format_exception

import pytest

from graphrt.checkpoint.encrypted import Keys
from graphrt.errors import DecryptionError, GraphValidationError

ONE, TWO = bytes(range(32)), bytes(range(200, 232))
TEXT_ONE, TEXT_TWO = b64encode(ONE).decode(), b64encode(TWO).decode()


def same(left: Keys, right: Keys, *ids: str) -> bool:
    return all(left.subkey(name, b"x") == right.subkey(name, b"x") for name in ids)


def test_first_key_is_current_unless_another_is_said_to_be() -> None:
    assert Keys({"a": ONE, "b": TWO}).current == "a"
    assert Keys({"a": ONE, "b": TWO}, current="b").current == "b"


def test_keys_with_ids_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHRT_AES_KEY", f"2025:{TEXT_TWO}, 2024:{TEXT_ONE}\n")
    keys = Keys.from_env()
    assert keys.current == "2025"
    assert same(keys, Keys({"2025": TWO, "2024": ONE}), "2025", "2024")


def test_variable_may_have_another_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", f"k:{TEXT_ONE}")
    assert Keys.from_env("MY_KEY").current == "k"


@pytest.mark.parametrize("value", [None, "", " \n"])
def test_missing_variable_is_named(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    monkeypatch.delenv("GRAPHRT_AES_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("GRAPHRT_AES_KEY", value)
    with pytest.raises(GraphValidationError, match="GRAPHRT_AES_KEY"):
        Keys.from_env()


def test_key_without_an_id_has_the_same_one_wherever_it_stands() -> None:
    before, after = Keys.from_text(TEXT_ONE), Keys.from_text(f"{TEXT_TWO} {TEXT_ONE}")
    assert before.current in after
    assert before.current != after.current
    assert same(before, after, before.current)


def test_base64_of_either_alphabet() -> None:
    key = b"\xfb\xff" * 16
    assert same(
        Keys.from_text(f"k:{urlsafe_b64encode(key).decode()}"),
        Keys.from_text(f"k:{b64encode(key).decode()}"),
        "k",
    )


@pytest.mark.parametrize(
    "text",
    ["k:not-base64!", f"k:{TEXT_ONE[:-9]}", "k:", f"k:{TEXT_ONE},k:{TEXT_TWO}", "k:c2VjcmV0", "geheim"],
)
def test_text_that_holds_no_keys_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(GraphValidationError) as caught:
        Keys.from_text(text)
    told = "".join(format_exception(caught.value))
    assert all(word not in str(caught.value) for word in text.replace("k:", "").split(",") if word)
    assert "c2VjcmV0" not in told and "secret" not in told


@pytest.mark.parametrize("name", ["", "a b", "a,b", "a:b", "ä", "x" * 65, "a\n"])
def test_ids_are_short_and_plain(name: str) -> None:
    with pytest.raises(GraphValidationError, match="id is"):
        Keys({name: ONE})


@pytest.mark.parametrize("length", [0, 15, 17, 31, 33, 64])
def test_keys_of_other_lengths_are_refused_and_not_shown(length: int) -> None:
    with pytest.raises(GraphValidationError, match=f"{length} bytes long") as caught:
        Keys({"k": b"Z" * length})
    assert "ZZZ" not in str(caught.value)


def test_there_must_be_a_key_and_the_current_one_among_them() -> None:
    with pytest.raises(GraphValidationError, match="needs a key"):
        Keys({})
    with pytest.raises(GraphValidationError, match="not among"):
        Keys({"a": ONE}, current="b")


def test_keys_are_not_shown_pickled_or_copied() -> None:
    keys = Keys({"new": b"A" * 32, "old": b"B" * 32})
    assert (repr(keys), str(keys)) == ("Keys(current='new', older=['old'])",) * 2
    for act in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="not pickled or copied"):
            act(keys)


def test_unknown_key_is_named() -> None:
    with pytest.raises(DecryptionError, match=r"'2023'.*\['2024'\]"):
        Keys({"2024": ONE}).subkey("2023", b"x")


def test_what_the_caller_does_with_its_mapping_later_changes_nothing() -> None:
    given = {"a": ONE}
    keys = Keys(given)
    expected = keys.subkey("a", b"x")
    given["a"] = TWO
    assert keys.subkey("a", b"x") == expected != Keys(given).subkey("a", b"x")


def test_missing_package_says_what_to_install() -> None:
    code = "import sys; sys.modules['cryptography'] = None; import graphrt.checkpoint.encrypted"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "pip install 'graphrt[encryption]'" in done.stderr
