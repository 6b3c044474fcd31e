"""`--input`: JSON on the command line, in a file or on standard input."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
import msgspec

__all__ = ["read_input"]


def read_input(given: str | None) -> Any:
    """The value of `--input`; None if the option is missing, which means "continue the thread".

    Raises:
        click.BadParameter: there is no such file, or what was given is not JSON.
    """
    if given is None:
        return None
    text, where = _text(given)
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _bad(f"{where} is not JSON: {error}.{_advice(given)}") from error


def _text(given: str) -> tuple[bytes, str]:
    if given == "-":
        return sys.stdin.buffer.read(), "Standard input"
    if not given.startswith("@"):
        return given.encode(errors="surrogateescape"), "It"
    try:
        return Path(given[1:]).read_bytes(), f"The file {given[1:]}"
    except OSError as error:
        raise _bad(f"Cannot read {given[1:]}: {error.strerror}.") from error


def _advice(given: str) -> str:
    if given == "-" or given.startswith("@"):
        return ""
    return " Write @FILE for a file, - for standard input, and text in double quotes inside single ones: '\"text\"'."


def _bad(message: str) -> click.BadParameter:
    return click.BadParameter(message, param_hint="'--input'")
