"""A run's stream: the run puts chunks in, one consumer takes them out, and a bounded buffer is between them.

Who waits for whom:
- The next superstep starts when the consumer has taken everything and asks for more (LangGraph J12), so a consumer
  that stops at a chunk knows that nothing after that step has begun.
- `await writer.asend(x)` waits while the buffer is full, and so does a plain `writer(x)` in a worker thread.
- A plain `writer(x)` on the loop's thread cannot wait: it may overfill the buffer up to a hard limit, then it raises.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Iterable
from typing import Any, Final

from graphrt.engine.door import running_loop
from graphrt.errors import StreamOverflowError
from graphrt.types import StreamWriter

__all__ = ["SILENT", "Hub", "Writer"]

BUFFER: Final = 128
"""Chunks between a run and its consumer before awaiting writers wait."""
HARD_LIMIT: Final = 65_536
"""Chunks that plain writers on the loop's thread may pile up."""


class Hub:
    """Between one run and one consumer. Chunks are (mode, payload); `wants_*` tell which payloads are worth building.

    Only `write` may be called from other threads than the loop's. `failure` is what the run raised.
    """

    __slots__ = (
        "_chunks", "_consumer", "_granted", "_loop", "_run", "_thread", "_writers", "closed", "failure", "modes",
        "wants_checkpoints", "wants_custom", "wants_tasks", "wants_updates", "wants_values",
    )  # fmt: skip

    def __init__(self, modes: Iterable[str]) -> None:
        self.modes = frozenset(modes)
        debug = "debug" in self.modes
        self.wants_values = "values" in self.modes
        self.wants_updates = "updates" in self.modes
        self.wants_custom = "custom" in self.modes
        self.wants_tasks = debug or "tasks" in self.modes
        self.wants_checkpoints = debug or "checkpoints" in self.modes
        self._chunks: deque[tuple[str, Any]] = deque()
        self._consumer: asyncio.Future[None] | None = None
        self._run: asyncio.Future[None] | None = None
        self._writers: deque[asyncio.Future[None]] = deque()
        self._granted = 0
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self.closed = False
        self.failure: Exception | None = None

    def put(self, mode: str, payload: Any) -> None:
        """Add what the engine reports, if somebody subscribed to it; a step's own reports are bounded by its tasks."""
        if mode in self.modes and not self.closed:
            self._chunks.append((mode, payload))
            _wake(self._consumer)

    def write(self, chunk: Any) -> None:
        """Add a custom chunk from any thread.

        Raises:
            StreamOverflowError: on the loop's thread, which cannot wait, with the hard limit reached.
        """
        if self.closed:
            return
        if threading.get_ident() == self._thread:
            if len(self._chunks) >= HARD_LIMIT:
                raise StreamOverflowError(HARD_LIMIT)
            self.put("custom", chunk)
        elif running_loop() is not None:
            self._loop.call_soon_threadsafe(self.put, "custom", chunk)
        else:
            asyncio.run_coroutine_threadsafe(self.asend(chunk), self._loop).result()

    async def asend(self, chunk: Any) -> None:
        """Add a custom chunk when there is room and no other writer waits."""
        if self._writers or len(self._chunks) + self._granted >= BUFFER:
            turn = self._loop.create_future()
            self._writers.append(turn)
            try:
                await turn
            finally:
                if turn.done() and not turn.cancelled():
                    self._granted -= 1
                else:
                    self._writers.remove(turn)
        self.put("custom", chunk)

    def _grant(self) -> None:
        """Promise each writer that waits a place, as long as there are places."""
        while self._writers and (self.closed or len(self._chunks) + self._granted < BUFFER):
            turn = self._writers.popleft()
            if not turn.done():
                self._granted += 1
                turn.set_result(None)

    async def drained(self) -> None:
        """Wait until the consumer has taken everything and asks for more; only the run itself waits so."""
        while not self.closed and (self._chunks or self._consumer is None):
            self._run = self._loop.create_future()
            try:
                await self._run
            finally:
                self._run = None

    def close(self) -> None:
        """The run or its consumer is gone: nobody waits any more, chunks that come now are dropped."""
        self.closed = True
        self._grant()
        _wake(self._run)
        _wake(self._consumer)

    async def take(self) -> tuple[str, Any] | None:
        """Wait for the next chunk; None when the hub is closed and empty."""
        while not self._chunks:
            if self.closed:
                return None
            self._consumer = self._loop.create_future()
            try:
                _wake(self._run)
                await self._consumer
            finally:
                self._consumer = None
        chunk = self._chunks.popleft()
        if self._writers:
            self._grant()
        return chunk


def _wake(waiter: asyncio.Future[None] | None) -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)


class Writer:
    """The `StreamWriter` of one task."""

    __slots__ = ("_hub",)

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def __call__(self, chunk: Any, /) -> None:
        self._hub.write(chunk)

    async def asend(self, chunk: Any, /) -> None:
        await self._hub.asend(chunk)


class _Silent:
    """The writer of a run without a `custom` stream."""

    __slots__ = ()

    def __call__(self, chunk: Any, /) -> None:
        return None

    async def asend(self, chunk: Any, /) -> None:
        return None


SILENT: Final[StreamWriter] = _Silent()
