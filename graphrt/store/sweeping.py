"""A task that deletes, now and then, what is over. Reads do not need it: they never see such items."""

from __future__ import annotations

import asyncio
import logging
from abc import abstractmethod
from types import TracebackType
from typing import Any, Final

from graphrt.errors import GraphValidationError
from graphrt.store.clock import SYSTEM_CLOCK, Clock
from graphrt.store.contract import BaseStore

__all__ = ["SweptStore"]

_log: Final = logging.getLogger(__name__)
_EVERY_MINUTES: Final = 5.0


class SweptStore(BaseStore):
    """A store whose items can end. Leaving it, as an async context manager, stops its sweeper."""

    supports_ttl = True
    clock: Clock = SYSTEM_CLOCK
    _sweeper: asyncio.Task[None] | None = None

    @abstractmethod
    async def sweep_ttl(self) -> int:
        """Delete what is over; returns how many items that were."""

    async def start_ttl_sweeper(self, sweep_interval_minutes: float | None = None) -> asyncio.Task[None]:
        """Sweep now and then from now on, in a task of the running loop; one that sweeps already goes on as it is.

        Args:
            sweep_interval_minutes: how often; left out, as `ttl_config` says, or every five minutes.
        """
        if self._sweeper is None or self._sweeper.done():
            minutes = sweep_interval_minutes
            if minutes is None:
                minutes = (self.ttl_config or {}).get("sweep_interval_minutes")
            minutes = _EVERY_MINUTES if minutes is None else minutes
            if minutes <= 0:
                raise GraphValidationError(f"A sweeper cannot sweep every {minutes} minutes.")
            self._sweeper = asyncio.create_task(self._sweep(minutes * 60), name="graphrt store sweeper")
        return self._sweeper

    async def stop_ttl_sweeper(self, timeout: float | None = None) -> bool:
        """Stop sweeping, and wait until that is so. Returns whether nothing sweeps any more.

        Args:
            timeout: wait at most so many seconds for a sweep that is under way.
        """
        task, self._sweeper = self._sweeper, None
        if task is None or task.done():
            return True
        task.cancel()
        _, alive = await asyncio.wait((task,), timeout=timeout)
        return not alive

    async def _sweep(self, interval_s: float) -> None:
        while True:
            await self.clock.sleep(interval_s)
            try:
                await self.sweep_ttl()
            except Exception:  # the database may be back at the next turn
                _log.exception(
                    "A sweep of expired items failed; the next one comes in %s seconds.", interval_s
                )

    async def __aenter__(self) -> Any:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop_ttl_sweeper()
