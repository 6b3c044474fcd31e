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
from typing import Any, Final, TypeAlias

from graphrt.engine.door import running_loop
from graphrt.errors import StreamOverflowError
from graphrt.types import StreamWriter

__all__ = ["SILENT", "Chunk", "Hub", "Targets", "Writer", "Writers"]

BUFFER: Final = 128
"""Chunks between a run and its consumer before awaiting writers wait."""
Chunk: TypeAlias = "tuple[tuple[str, ...], str, Any]"
HARD_LIMIT: Final = 65_536
"""Chunks that plain writers on the loop's thread may pile up."""


class Hub:
    """Between one run and one consumer. Chunks are (namespace, mode, payload).

    `chunks` are what the consumer has not taken yet, `writers` wait for room among them; whoever takes one has to
    `grant` them that. `wants_*` tell which payloads are worth building, `subgraphs` whether those of graphs inside the
    run are. Only `write` and `tell` may be called from other threads than the loop's. `failure` is what the run raised.
    `seen` are ids of messages that need not be shown as a whole any more.
    """

    __slots__ = (
        "_consumer", "_granted", "_loop", "_run", "_thread", "chunks", "closed", "failure", "modes",
        "seen", "subgraphs", "wants_checkpoints", "wants_custom", "wants_messages", "wants_tasks", "wants_tools",
        "wants_updates", "wants_values", "writers",
    )  # fmt: skip

    def __init__(self, modes: Iterable[str], *, subgraphs: bool = False) -> None:
        self.modes = frozenset(modes)
        self.subgraphs = subgraphs
        debug = "debug" in self.modes
        self.wants_values = "values" in self.modes
        self.wants_updates = "updates" in self.modes
        self.wants_custom = "custom" in self.modes
        self.wants_messages = "messages" in self.modes
        self.wants_tools = "tools" in self.modes
        self.seen: set[str] = set()
        self.wants_tasks = debug or "tasks" in self.modes
        self.wants_checkpoints = debug or "checkpoints" in self.modes
        self.chunks: deque[Chunk] = deque()
        self._consumer: asyncio.Future[None] | None = None
        self._run: asyncio.Future[None] | None = None
        self.writers: deque[asyncio.Future[None]] = deque()
        self._granted = 0
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self.closed = False
        self.failure: BaseException | None = None

    def put(self, mode: str, payload: Any, ns: tuple[str, ...] = ()) -> None:
        """Add what the engine reports, if somebody subscribed to it; a step's own reports are bounded by its tasks."""
        if mode in self.modes and not self.closed:
            self.chunks.append((ns, mode, payload))
            _wake(self._consumer)

    def tell(self, mode: str, payload: Any, ns: tuple[str, ...]) -> None:
        """`put` from any thread: a graph that runs inside this run may have a loop of its own."""
        if threading.get_ident() == self._thread:
            self.put(mode, payload, ns)
        else:
            self._loop.call_soon_threadsafe(self.put, mode, payload, ns)

    def write(self, mode: str, payload: Any, ns: tuple[str, ...] = ()) -> None:
        """Add what a node reports, from any thread.

        Raises:
            StreamOverflowError: on the loop's thread, which cannot wait, with the hard limit reached.
        """
        if self.closed:
            return
        if threading.get_ident() == self._thread:
            if len(self.chunks) >= HARD_LIMIT:
                raise StreamOverflowError(HARD_LIMIT)
            self.put(mode, payload, ns)
        elif running_loop() is not None:
            self._loop.call_soon_threadsafe(self.put, mode, payload, ns)
        else:
            asyncio.run_coroutine_threadsafe(self.asend(mode, payload, ns), self._loop).result()

    async def asend(self, mode: str, payload: Any, ns: tuple[str, ...] = ()) -> None:
        """Add what a node reports when there is room and no other writer waits."""
        # What each token of a model goes through: no call if nobody has to wait (`python -m bench --case tokens_10k`).
        if self.writers or len(self.chunks) + self._granted >= BUFFER:
            await self._turn()
        if not self.closed:
            self.chunks.append((ns, mode, payload))
            consumer = self._consumer
            if consumer is not None and not consumer.done():
                consumer.set_result(None)

    async def room(self) -> None:
        """Wait until the buffer has room, or the stream is closed; for runs inside the run, in the same loop."""
        if self.subgraphs:
            await self.has_room()

    async def has_room(self) -> None:
        """The same for whoever has written without waiting."""
        if threading.get_ident() == self._thread:
            while not self.closed and self._full():
                await self._turn()

    def _full(self) -> bool:
        return len(self.chunks) + self._granted >= BUFFER

    async def _turn(self) -> None:
        """Wait in line until there is room for one more."""
        turn = self._loop.create_future()
        self.writers.append(turn)
        try:
            await turn
        finally:
            if turn.done() and not turn.cancelled():
                self._granted -= 1
            else:
                self.writers.remove(turn)

    def grant(self) -> None:
        """Promise each writer that waits a place, as long as there are places."""
        while self.writers and (self.closed or not self._full()):
            turn = self.writers.popleft()
            if not turn.done():
                self._granted += 1
                turn.set_result(None)

    async def drained(self) -> None:
        """Wait until the consumer has taken everything and asks for more; only the run itself waits so."""
        while not self.closed and (self.chunks or self._consumer is None):
            self._run = self._loop.create_future()
            try:
                await self._run
            finally:
                self._run = None

    def close(self) -> None:
        """The run or its consumer is gone: nobody waits any more, chunks that come now are dropped."""
        self.closed = True
        self.grant()
        _wake(self._run)
        _wake(self._consumer)

    async def take(self) -> Chunk | None:
        """Wait for the next chunk; None when the hub is closed and empty."""
        while not self.chunks:
            if self.closed:
                return None
            self._consumer = self._loop.create_future()
            try:
                _wake(self._run)
                await self._consumer
            finally:
                self._consumer = None
        chunk = self.chunks.popleft()
        if self.writers:
            self.grant()
        return chunk


Targets: TypeAlias = "tuple[tuple[Hub, tuple[str, ...]], ...]"
"""Streams, each with the namespace under which a task's reports go there."""


def _wake(waiter: asyncio.Future[None] | None) -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)


class Writer:
    """The `StreamWriter` of one task."""

    __slots__ = ("_hub", "_ns")

    def __init__(self, hub: Hub, ns: tuple[str, ...] = ()) -> None:
        self._hub = hub
        self._ns = ns

    def __call__(self, chunk: Any, /) -> None:
        self._hub.write("custom", chunk, self._ns)

    def asend(self, chunk: Any, /) -> Any:  # the hub's coroutine, not one more round it
        return self._hub.asend("custom", chunk, self._ns)


class Writers:
    """The `StreamWriter` of a task whose graph is shown by two streams."""

    __slots__ = ("_first", "_second")

    def __init__(self, first: StreamWriter, second: StreamWriter) -> None:
        self._first = first
        self._second = second

    def __call__(self, chunk: Any, /) -> None:
        self._first(chunk)
        self._second(chunk)

    async def asend(self, chunk: Any, /) -> None:
        await self._first.asend(chunk)
        await self._second.asend(chunk)


class _Silent:
    """The writer of a run without a `custom` stream."""

    __slots__ = ()

    def __call__(self, chunk: Any, /) -> None:
        return None

    async def asend(self, chunk: Any, /) -> None:
        return None


SILENT: Final[StreamWriter] = _Silent()
