"""What can be set about a SqliteSaver, by keyword or in its URL, and which file it means."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias, get_args
from urllib.parse import parse_qsl, unquote

from msgspec import Struct, ValidationError, convert
from msgspec.structs import fields

from graphrt.errors import GraphValidationError, did_you_mean

__all__ = ["MEMORY", "SYNCHRONOUS", "Options", "Synchronous", "options_of", "place_of"]

Synchronous: TypeAlias = Literal["OFF", "NORMAL", "FULL", "EXTRA"]
SYNCHRONOUS: Final[tuple[Synchronous, ...]] = get_args(Synchronous)
"""From the fastest to the safest."""

MEMORY: Final = ":memory:"


class Options(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """See `SqliteSaver.from_conn_string`."""

    synchronous: Synchronous = "NORMAL"
    busy_timeout_s: float = 30.0
    readers: int = 2


_NAMES: Final = tuple(field.name for field in fields(Options))


def options_of(given: Mapping[str, Any], *, noun: str = "SqliteSaver") -> Options:
    """Options from words and numbers, or from text that stands for them.

    Raises:
        GraphValidationError: a name or a value that there is not.
    """
    for name in given:
        if name not in _NAMES:
            raise GraphValidationError(f"{noun} has no option {name!r}.{did_you_mean(name, _NAMES)}")
    level = given.get("synchronous")
    chosen = {**given, "synchronous": level.upper()} if isinstance(level, str) else dict(given)
    try:
        options = convert(chosen, Options, strict=False)
    except ValidationError as error:
        raise GraphValidationError(f"{noun}'s options: {error}.") from None
    if options.busy_timeout_s < 0 or options.readers < 1:
        raise GraphValidationError(
            f"busy_timeout_s must not be negative and readers at least 1, got {options.busy_timeout_s!r} and "
            f"{options.readers!r}."
        )
    return options


def place_of(conn_string: str, given: Mapping[str, Any], *, noun: str = "SqliteSaver") -> tuple[str, Options]:
    """The file that a path or URL names, and the options in the URL; those given by keyword go before.

    `sqlite:///chat.db` is relative, `sqlite:////var/chat.db` absolute, `sqlite://` and `:memory:` are in memory.

    Raises:
        GraphValidationError: it names no file.
    """
    scheme, _, behind = conn_string.partition(":")
    if scheme.lower() != "sqlite":
        if not conn_string:
            raise GraphValidationError(f"{noun} needs a file's path, or ':memory:'.")
        if behind.startswith("//"):
            raise GraphValidationError(
                f"{noun} keeps what it has in a file, {scheme}:// is no file. Pass a path, or sqlite:///chat.db."
            )
        return _absolute(conn_string), options_of(given, noun=noun)
    rest, _, query = behind.partition("?")
    if not rest.startswith("//") or (rest != "//" and not rest.startswith("///")):
        raise GraphValidationError(
            f"An SQLite URL is written sqlite:///chat.db, or sqlite:////var/chat.db for an absolute path, got "
            f"{conn_string!r}."
        )
    path = unquote(rest[3:]) or MEMORY
    return _absolute(path), options_of({**dict(parse_qsl(query, keep_blank_values=True)), **given}, noun=noun)


def _absolute(path: str) -> str:
    return path if path == MEMORY or os.path.isabs(path) else os.path.join(os.getcwd(), path)
