"""A checkpointer that tells what its inner one has acknowledged."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from tests.crash.line import Line


class Watched:
    """Tells `acknowledged STEP PATH` for every result whose storing has returned, `committed ID` for every commit."""

    def __init__(self, inner: Any, line: Line) -> None:
        self.inner = inner
        self.immediate = inner.immediate
        self._line = line
        self._steps: dict[str, int] = {}
        self._stored: set[tuple[int, str]] = set()
        self._more = asyncio.Event()

    async def commit(self, commit: Any) -> None:
        checkpoint = commit.checkpoint
        self._steps[checkpoint.id] = checkpoint.step
        await self.inner.commit(commit)
        self._line.tell("committed", checkpoint.id, checkpoint.step)
        self._acknowledge(checkpoint.step, commit.results)

    async def append_results(self, thread_id: str, namespace: str, checkpoint_id: str, results: Any) -> None:
        await self.inner.append_results(thread_id, namespace, checkpoint_id, results)
        self._acknowledge(self._steps[checkpoint_id] + 1, results)

    def _acknowledge(self, step: int, results: Any) -> None:
        for result in results:
            if result.error is None:
                self._line.tell("acknowledged", step, result.path)
                self._stored.add((step, result.node))
        self._more.set()

    async def load(self, thread_id: str, namespace: str = "", checkpoint_id: str | None = None) -> Any:
        stored = await self.inner.load(thread_id, namespace, checkpoint_id)
        if stored is not None:
            step = self._steps[stored.checkpoint.id] = stored.checkpoint.step
            self._stored |= {(step + 1, result.node) for result in stored.results if result.child is None}
        return stored

    def history(self, thread_id: str, namespace: str = "", **options: Any) -> AsyncIterator[Any]:
        history: AsyncIterator[Any] = self.inner.history(thread_id, namespace, **options)
        return history

    async def adelete_thread(self, thread_id: str) -> None:
        await self.inner.adelete_thread(thread_id)

    async def until_stored(self, step: int, *nodes: str, patience_s: float) -> None:
        """Wait until the results of these tasks of a step are stored.

        Raises:
            TimeoutError: they are not stored before their step ends.
        """
        async with asyncio.timeout(patience_s):
            while not all((step, node) in self._stored for node in nodes):
                self._more.clear()
                await self._more.wait()
