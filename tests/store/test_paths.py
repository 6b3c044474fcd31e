"""Where in a value its texts are (LangGraph S4)."""

import pytest

from graphrt.store.base import get_text_at_path, tokenize_path

VALUE = {
    "title": "T",
    "n": 1,
    "yes": True,
    "null": None,
    "by": {"name": "N", "city": {"name": "C"}},
    "docs": [{"text": "a"}, {"text": "b", "tags": ["x", "y"]}],
}


@pytest.mark.parametrize(
    "path, texts",
    [
        ("title", ["T"]),
        ("n", ["1"]),
        ("yes", ["True"]),
        ("null", []),
        ("nobody", []),
        ("title.deeper", []),
        ("by.city.name", ["C"]),
        ("by.{name,city.name}", ["N", "C"]),
        ("by.{name, nobody}", ["N"]),
        ("docs[0].text", ["a"]),
        ("docs[-1].text", ["b"]),
        ("docs[7].text", []),
        ("docs[x].text", []),
        ("docs.text", []),
        ("docs[*].text", ["a", "b"]),
        ("docs.*.text", ["a", "b"]),
        ("docs[*].tags[*]", ["x", "y"]),
        ("docs[0]", ['{"text": "a"}']),
        ("by.*", ["N", '{"name": "C"}']),
        ("$.title", ["T"]),
        (["docs", "[1]", "text"], ["b"]),
    ],
    ids=repr,
)
def test_path_leads_to_texts(path: str, texts: list[str]):
    assert get_text_at_path(VALUE, path) == texts


@pytest.mark.parametrize("path", ["$", "", []])
def test_whole_value_is_json_with_sorted_keys(path: str):
    assert get_text_at_path({"b": "é", "a": [1]}, path) == ['{"a": [1], "b": "é"}']


def test_tokens():
    assert tokenize_path("a.b[0][*].{c,d.e}.*") == ["a", "b", "[0]", "[*]", "{c,d.e}", "*"]
    assert tokenize_path("a[b") == ["a[b"]
    assert tokenize_path("") == []
