"""The consumer's end of a stream: an async iterator that owns the task its run works in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self, TypeAlias

from graphrt.engine.patience import wait_out
from graphrt.engine.stream import Chunk, Hub
from graphrt.errors import GraphBubbleUp

__all__ = ["RunStream"]

Execute: TypeAlias = Callable[[Hub], Coroutine[Any, Any, None]]


async def _work(execute: Execute, hub: Hub) -> None:
    try:
        await execute(hub)
    except (Exception, GraphBubbleUp) as failure:
        # The consumer raises it; a task that keeps it would make a cycle with its traceback.
        hub.failure = failure
    finally:
        hub.close()


class RunStream:
    """Chunks of one run. The run begins with the first chunk asked for, and no part of it outlives the stream.

    Iterate it with `async for`; leave it early with `aclose()` or `async with`. A stream that is dropped half way, by
    `break` for instance, cancels its run; the thread can then go on from its last step.
    """

    __slots__ = ("_execute", "_hub", "_modes", "_print", "_shape", "_subgraphs", "_task")

    def __init__(
        self,
        execute: Execute,
        *,
        modes: frozenset[str],
        printed: frozenset[str],
        shape: Callable[[tuple[str, ...], str, Any], Any],
        subgraphs: bool = False,
    ) -> None:
        self._execute: Execute | None = execute
        self._modes = modes
        self._print = printed
        self._shape = shape
        self._subgraphs = subgraphs
        self._hub: Hub | None = None
        self._task: asyncio.Task[None] | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        hub = self._hub if self._execute is None else self._begin()
        if hub is None:
            raise StopAsyncIteration
        while True:
            # What is there already is taken without a call: this is gone through for each token of a model.
            if hub.chunks:
                chunk: Chunk | None = hub.chunks.popleft()
                if hub.writers:
                    hub.grant()
            else:
                chunk = await self._next(hub)
            if chunk is None:
                await self._end()
                raise StopAsyncIteration
            ns, mode, payload = chunk
            if self._print:
                if mode in self._print:
                    print(f"[{mode}] {payload}")  # noqa: T201 - print_mode asks for it
                if mode not in self._modes:
                    continue
            return self._shape(ns, mode, payload)

    async def _next(self, hub: Hub) -> Chunk | None:
        """Wait for a chunk; None at the end. A consumer that stops waiting closes the stream."""
        try:
            return await hub.take()
        except BaseException:
            await self.aclose()
            raise

    def _begin(self) -> Hub | None:
        if self._execute is not None:
            self._hub = Hub(self._modes | self._print, subgraphs=self._subgraphs)
            self._task = asyncio.get_running_loop().create_task(_work(self._execute, self._hub))
            self._execute = None
        return self._hub

    async def _end(self) -> None:
        """The run is over: raise what it raised."""
        task, hub = self._task, self._hub
        self._task = self._hub = None
        if task is None or hub is None:  # somebody closed the stream while this consumer waited
            return
        failure, hub.failure = hub.failure, None
        if failure is None:
            await task
            return
        try:
            raise failure
        finally:
            del failure

    async def aclose(self) -> None:
        """Cancel the run and wait until nothing of it is left."""
        task, hub = self._task, self._hub
        self._task = self._hub = self._execute = None
        if task is None or hub is None:
            return
        hub.close()
        task.cancel()
        await wait_out((task,))
        hub.failure = None  # whoever closes a stream does not want to hear of its run any more

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    def __del__(self) -> None:
        task, hub = self._task, self._hub
        if task is None or hub is None or task.done():
            return
        loop = task.get_loop()
        if not loop.is_closed():
            loop.call_soon_threadsafe(_abandon, task, hub)


def _abandon(task: asyncio.Task[None], hub: Hub) -> None:
    hub.close()
    task.cancel()
