"""Methods that serve callers with an event loop and callers without one."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from graphrt.errors import RunningLoopError

__all__ = ["Done", "in_loop", "refuse_in_loop"]


class Done(Coroutine[Any, Any, None]):
    """What a method gives that has done its work already: it can be awaited, and is no loss if it is not."""

    def send(self, value: Any) -> Any:
        raise StopIteration

    def throw(self, *error: Any) -> Any:
        raise StopIteration

    def close(self) -> None:
        return

    def __await__(self) -> Any:
        return iter(())


def in_loop() -> bool:
    """Does an event loop run in this thread?"""
    return asyncio._get_running_loop() is not None  # the public one raises instead, which costs more


def refuse_in_loop(method: str) -> None:
    """Keep a blocking method from being called where it would stop everything.

    Raises:
        RunningLoopError: an event loop runs in this thread.
    """
    if in_loop():
        raise RunningLoopError(method)
