"""Sees what a piece of code does to the process: imports, code that is compiled or run, files, sockets, processes.

An audit hook can never be removed, so this is for processes of their own (`tests/hostile/fuzz_*.py`).
"""

import importlib.abc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

FORBIDDEN = (
    "code.__new__",
    "compile",
    "cpython.run_",
    "ctypes.",
    "exec",
    "function.__new__",
    "ftplib.",
    "glob.",
    "http.",
    "import",
    "marshal.",
    "open",
    "os.",
    "pickle.",
    "pty.",
    "shutil.",
    "smtplib.",
    "socket.",
    "subprocess.",
    "sys._getframe",
    "tempfile.",
    "urllib.",
    "webbrowser.",
)

happened: list[str] = []
_watching: list[bool] = []
_allowed: list[str] = []


def _audit(event: str, args: tuple[object, ...]) -> None:
    if _watching and event.startswith(FORBIDDEN) and not event.startswith(tuple(_allowed)):
        happened.append(f"{event} {args!r}"[:300])


class _Importing(importlib.abc.MetaPathFinder):
    """Sees what the audit hook does not: `importlib.import_module`."""

    def find_spec(self, name: str, path: object, target: object = None) -> None:
        if _watching:
            happened.append(f"import of {name!r}")


def begin(*allowed: str) -> None:
    """Look from now on, inside of `watched` only; events that begin with one of `allowed` are none."""
    _allowed.extend(allowed)
    sys.addaudithook(_audit)
    sys.meta_path.insert(0, _Importing())


@contextmanager
def watched() -> Iterator[None]:
    """While this lasts, everything forbidden is noted in `happened`."""
    _watching.append(True)
    try:
        yield
    finally:
        _watching.pop()
