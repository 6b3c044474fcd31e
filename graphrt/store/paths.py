"""Where in a value its texts are (LangGraph S4).

title           the title                    docs[0].text    the text of the first of the docs
docs[*].text    each doc's text, by itself   docs[-1].text   ... of the last one
*               everything on this level     author.{name,city}  two fields, each by itself
$  or ""        the whole value as JSON
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final, cast

__all__ = ["get_text_at_path", "tokenize_path"]

_CLOSING: Final = {"[": "]", "{": "}"}


def tokenize_path(path: str) -> list[str]:
    """The steps of a path: `"docs[*].{a,b}"` is `["docs", "[*]", "{a,b}"]`."""
    tokens: list[str] = []
    word = ""
    at = 0
    while at < len(path):
        closing = _CLOSING.get(path[at])
        end = path.find(closing, at) if closing else -1
        if path[at] == "." or end >= 0:
            if word:
                tokens.append(word)
            word = ""
        else:
            word += path[at]
        if end >= 0:
            tokens.append(path[at : end + 1])
            at = end
        at += 1
    if word:
        tokens.append(word)
    return tokens


def get_text_at_path(obj: Any, path: str | Sequence[str]) -> list[str]:
    """The texts that a path, or its steps, leads to; none if it leads nowhere.

    Lists and dicts are texts as JSON, with sorted keys, so that vectors that LangGraph made of the same values fit;
    numbers and booleans are as Python says them; null is no text.
    """
    tokens = tokenize_path(path) if isinstance(path, str) else list(path)
    if tokens[:1] == ["$"]:
        del tokens[0]
    return list(_texts(obj, tokens)) if tokens else [_json(obj)]


def _json(obj: Any) -> str:
    return json.dumps(obj, sort_keys=True, ensure_ascii=False)


def _texts(obj: Any, tokens: Sequence[str]) -> Iterator[str]:
    if not tokens:
        if obj is not None:
            yield _json(obj) if isinstance(obj, dict | list | tuple) else str(obj)
        return
    for found in _step(obj, tokens[0]):
        yield from _texts(found, tokens[1:])


def _step(obj: Any, token: str) -> Iterator[Any]:
    if isinstance(obj, dict):
        yield from _in_dict(cast("dict[str, Any]", obj), token)
    elif isinstance(obj, list | tuple):
        yield from _in_list(cast("Sequence[Any]", obj), token)


def _in_dict(obj: dict[str, Any], token: str) -> Iterator[Any]:
    if token in {"*", "[*]"}:
        yield from obj.values()
    elif token[:1] == "{" and token[-1:] == "}":
        for name in token[1:-1].split(","):
            # a field may be a path of its own: {name,home.city}
            yield from _walk(obj, tokenize_path(name.strip()))
    elif token in obj:
        yield obj[token]


def _walk(obj: Any, tokens: Sequence[str]) -> Iterator[Any]:
    if not tokens:
        yield obj
        return
    for found in _step(obj, tokens[0]):
        yield from _walk(found, tokens[1:])


def _in_list(obj: Sequence[Any], token: str) -> Iterator[Any]:
    if token in {"*", "[*]"}:
        yield from obj
    elif token[:1] == "[" and token[-1:] == "]":
        number = token[1:-1].strip()
        if number.removeprefix("-").isdecimal() and -len(obj) <= int(number) < len(obj):
            yield obj[int(number)]
