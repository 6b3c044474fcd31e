"""`--input` and `--resume`: JSON on the command line, in a file or on standard input."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
import msgspec

from graphrt.types import Command

__all__ = ["read_input"]


def read_input(given: str | None, answer: str | None = None) -> Any:
    """What the run is given: the value of `--input`, or that of `--resume` as an answer; None continues the thread.

    Raises:
        click.BadParameter: there is no such file, or what was given is not JSON.
    """
    if answer is not None:
        if given is not None:
            raise click.UsageError("Pass --input or --resume: new input drops what the thread waits for.")
        return Command(resume=_json(answer, "--resume"))
    return None if given is None else _json(given, "--input")


def _json(given: str, option: str) -> Any:
    text, where = _text(given, option)
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _bad(f"{where} is not JSON: {error}.{_advice(given)}", option) from error


def _text(given: str, option: str) -> tuple[bytes, str]:
    if given == "-":
        return sys.stdin.buffer.read(), "Standard input"
    if not given.startswith("@"):
        return given.encode(errors="surrogateescape"), "It"
    try:
        return Path(given[1:]).read_bytes(), f"The file {given[1:]}"
    except OSError as error:
        raise _bad(f"Cannot read {given[1:]}: {error.strerror}.", option) from error


def _advice(given: str) -> str:
    if given == "-" or given.startswith("@"):
        return ""
    return " Write @FILE for a file, - for standard input, and text in double quotes inside single ones: '\"text\"'."


def _bad(message: str, option: str) -> click.BadParameter:
    return click.BadParameter(message, param_hint=f"'{option}'")
