"""How a command ends: one exit code per kind of ending, and errors in words."""

from __future__ import annotations

import traceback
from collections.abc import Generator
from contextlib import contextmanager
from enum import IntEnum

import click

from graphrt.errors import (
    EmptyInputError,
    GraphError,
    GraphRecursionError,
    GraphValidationError,
    InvalidResumeError,
    ThreadConflict,
    UnknownInterruptError,
)

__all__ = ["EXIT_CODES", "Exit", "Refused", "errors_in_words", "in_words"]


class Exit(IntEnum):
    """Documented in `--help` and docs/cli.md."""

    OK = 0
    FAILED = 1
    USAGE = 2
    CONFLICT = 3
    LIMIT = 4
    PAUSED = 5
    INTERRUPTED = 130


EXIT_CODES = """\
\b
Exit codes:
  0    the graph came to its end
  1    a node failed, or the graph could not go on
  2    the command line, the input or the graph's declaration is wrong
  3    another run has moved the thread on
  4    the recursion limit was reached
  5    the run waits: for an answer, or at a breakpoint
  130  interrupted (Ctrl-C)
"""


class Refused(click.ClickException):
    """The command cannot do what it was asked for; nothing ran."""

    exit_code = Exit.USAGE


def exit_code(error: Exception) -> Exit:
    """Which of the codes an error stands for."""
    match error:
        case ThreadConflict():
            return Exit.CONFLICT
        case GraphRecursionError():
            return Exit.LIMIT
        case EmptyInputError() | GraphValidationError() | InvalidResumeError() | UnknownInterruptError():
            return Exit.USAGE
        case _:
            return Exit.FAILED


def in_words(error: BaseException) -> str:
    """What happened, with the notes that say where."""
    words = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return "\n".join([words, *getattr(error, "__notes__", ())])


@contextmanager
def errors_in_words(*, with_traceback: bool) -> Generator[None]:
    """Turn what goes wrong inside into words on stderr and an exit code; the traceback only if it is asked for.

    Raises:
        SystemExit: something went wrong that is not click's to report.
    """
    try:
        yield
    except (click.Abort, click.exceptions.Exit, BrokenPipeError):
        raise
    except Exception as error:
        cause = error.__cause__ if isinstance(error, click.ClickException) else error
        if with_traceback and cause is not None:
            click.echo("".join(traceback.format_exception(cause)), err=True, nl=False)
        if isinstance(error, click.ClickException):
            raise
        hint = "" if with_traceback or isinstance(error, GraphError) else "\nUse --traceback to see the line."
        click.echo(f"Error: {in_words(error)}{hint}", err=True)
        raise SystemExit(exit_code(error)) from error
