"""Loops of threads that have none running: what is async is driven there until it ends."""

from __future__ import annotations

import asyncio
import atexit
import threading
from collections.abc import Callable
from sys import is_finalizing
from typing import Any

__all__ = ["PrivateLoops"]


class PrivateLoops:
    """A loop for each thread: made when first needed, closed with the thread.

    Args:
        factory: gives what makes a loop, None for asyncio's own.
    """

    def __init__(self, factory: Callable[[], Callable[[], Any] | None] = lambda: None) -> None:
        self._factory = factory
        self._held = threading.local()

    def runner(self) -> asyncio.Runner:
        """This thread's. (A `threading.local` drops what it holds when the thread ends, but does not end itself.)"""
        try:
            own: _Own = self._held.own
        except AttributeError:
            own = self._held.own = _Own(self._factory())
        return own.runner


class _Own:
    """That of the main thread is closed before the interpreter is taken apart."""

    __slots__ = ("runner",)

    def __init__(self, factory: Callable[[], Any] | None) -> None:
        self.runner = asyncio.Runner(loop_factory=factory)
        if threading.current_thread() is threading.main_thread():
            atexit.register(self._close_idle)

    def _close_idle(self) -> None:
        if not asyncio.all_tasks(self.runner.get_loop()):  # what was left behind half done may never end
            self.runner.close()

    def __del__(self) -> None:
        if not is_finalizing():
            self.runner.close()  # when the interpreter ends, what a loop needs for it may be gone already
