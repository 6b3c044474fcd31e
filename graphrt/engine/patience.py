"""Waiting that a cancel cannot cut short: for things that must have ended before their owner does."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

__all__ = ["wait_out"]


async def wait_out(tasks: Iterable[asyncio.Future[Any]]) -> None:
    """Wait until all `tasks` are done, whatever they come to and however often the waiter is cancelled.

    Raises:
        CancelledError: the waiter was cancelled meanwhile; the tasks are done all the same.
    """
    alive: list[asyncio.Future[Any]] = [task for task in tasks if not task.done()]
    cancelled = False
    while alive:
        try:
            await asyncio.wait(alive)
        except asyncio.CancelledError:
            cancelled = True
        alive = [task for task in alive if not task.done()]
    if cancelled:
        raise asyncio.CancelledError
