"""A coroutine waited for by a thread that has no running event loop.

Not the engine's sync door: a store is below the engine, and what it waits for may belong to a loop of another thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from graphrt.errors import RunningLoopError
from graphrt.loops import PrivateLoops

__all__ = ["refuse_in_loop", "run_blocking"]

T = TypeVar("T")


def run_blocking(
    coroutine: Coroutine[Any, Any, T],
    *,
    method: str,
    owner: str = "store",
    home: asyncio.AbstractEventLoop | None = None,
) -> T:
    """Run a coroutine to its end: in the loop `home` if that runs in another thread, else in a loop of this thread.

    Raises:
        RunningLoopError: a loop is running in this thread; the coroutine is closed.
    """
    try:
        refuse_in_loop(method, owner=owner)
    except RunningLoopError:
        coroutine.close()
        raise
    if home is not None and home.is_running():
        return asyncio.run_coroutine_threadsafe(coroutine, home).result()
    return _private.runner().run(coroutine)


def refuse_in_loop(method: str, *, owner: str = "store") -> None:
    """Keep a blocking method from being called where it would stop everything.

    Raises:
        RunningLoopError: an event loop runs in this thread.
    """
    if asyncio._get_running_loop() is not None:  # the public one raises instead, which costs more
        raise RunningLoopError(method, owner=owner)


_private: Final = PrivateLoops()
"""Not the engine's: between two chunks of a blocking stream nothing may go on in that one."""
