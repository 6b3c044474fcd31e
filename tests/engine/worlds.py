"""What the engine tests share: savers that are slow or fail, nodes that can be held, turns of the loop, task leaks.

Time is counted in turns of the event loop, never in seconds: `await turns(3)` lets everything that is ready run
three times.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from graphrt.checkpoint.memory import InMemorySaver
from tests.acceptance.graphs import Log, graph, named, says, thread

T = TypeVar("T")

DURABILITIES = ["sync", "async", "exit"]


async def turns(number: int) -> None:
    """Give everything else in the loop `number` turns."""
    for _ in range(number):
        await asyncio.sleep(0)


def waits_and_says(word: str, *, for_turns: int = 2, ran: list[str] | None = None) -> Any:
    """An async node that gives up the loop a few times, then appends its name to the log (and to `ran`)."""

    async def node(state: Any) -> dict[str, Any]:
        await turns(for_turns)
        if ran is not None:
            ran.append(word)
        return {"log": [word]}

    return named(word, node)


class Held:
    """A node that says "held", but only after `release`; `entered` is set when it runs."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.released = asyncio.Event()
        self.ended = False

    def release(self) -> None:
        self.released.set()

    async def node(self, state: Log) -> dict[str, Any]:
        self.entered.set()
        try:
            await self.released.wait()
        finally:
            self.ended = True
        return {"log": ["held"]}


class StorageDown(Exception):
    """The storage cannot be reached."""


class SaverAround:
    """An `InMemorySaver` behind something like a wire: every call takes `for_turns` turns of the loop each way.

    Attributes:
        calls: names of the calls that were begun, in order.
        commits_under_way, most_commits: commits that have begun and not ended; the most there were at a time.
    """

    immediate = False

    def __init__(self, *, for_turns: int = 1) -> None:
        self.inner = InMemorySaver()
        self.for_turns = for_turns
        self.calls: list[str] = []
        self.commits_under_way = 0
        self.most_commits = 0

    async def _call(self, name: str, call: Callable[[], Awaitable[T]]) -> T:
        self.calls.append(name)
        await turns(self.for_turns)
        result = await call()
        await turns(self.for_turns)
        return result

    async def commit(self, commit: Any) -> None:
        self.commits_under_way += 1
        self.most_commits = max(self.most_commits, self.commits_under_way)
        try:
            await self._call("commit", lambda: self.inner.commit(commit))
        finally:
            self.commits_under_way -= 1

    async def append_results(self, thread_id: str, namespace: str, checkpoint_id: str, results: Any) -> None:
        await self._call(
            "append", lambda: self.inner.append_results(thread_id, namespace, checkpoint_id, results)
        )

    async def load(self, thread_id: str, namespace: str = "", checkpoint_id: str | None = None) -> Any:
        return await self._call("load", lambda: self.inner.load(thread_id, namespace, checkpoint_id))

    def history(self, thread_id: str, namespace: str = "", **options: Any) -> AsyncIterator[Any]:
        return self.inner.history(thread_id, namespace, **options)

    async def adelete_thread(self, thread_id: str) -> None:
        await self.inner.adelete_thread(thread_id)


class FailingSaver(SaverAround):
    """A `SaverAround` whose `fail_at`-th call (from 1) raises, before it took effect or `after` it did."""

    def __init__(self, fail_at: int, *, after: bool = False, for_turns: int = 1) -> None:
        super().__init__(for_turns=for_turns)
        self.fail_at = fail_at
        self.after = after

    @property
    def failed(self) -> bool:
        return 0 < self.fail_at <= len(self.calls)

    def heal(self) -> None:
        self.fail_at = 0

    async def _call(self, name: str, call: Callable[[], Awaitable[T]]) -> T:
        fails = len(self.calls) + 1 == self.fail_at
        if fails and not self.after:
            self.calls.append(name)
            await turns(self.for_turns)
            raise StorageDown(f"call {self.fail_at}, {name}: not done")
        result = await super()._call(name, call)
        if fails:
            raise StorageDown(f"call {self.fail_at}, {name}: done, but nobody heard")
        return result


def chain(*nodes: Any, saver: Any = None) -> Any:
    """A compiled graph of nodes one after the other: functions, or (name, function) pairs."""
    names = [node[0] if isinstance(node, tuple) else node.__name__ for node in nodes]
    return graph(Log, *nodes, paths=["START " + " ".join(names)]).compile(checkpointer=saver)


async def to_its_end(app: Any, given: Any, **options: Any) -> Any:
    """Run thread "t" on from wherever it is; from `given` if it has not even begun."""
    begun = (await app.aget_state(thread())).metadata is not None
    return await app.ainvoke(None if begun else given, thread(), **options)


async def cancelled_after(number: int, run: Coroutine[Any, Any, T]) -> tuple[bool, T | None]:
    """Cancel `run` after so many turns: whether it was over before that, and its result."""
    task = asyncio.ensure_future(run)
    await turns(number)
    if task.done():
        return True, task.result()
    task.cancel()
    try:
        return True, await task
    except asyncio.CancelledError:
        return False, None


@asynccontextmanager
async def no_new_tasks() -> AsyncIterator[None]:
    """What runs inside leaves no asyncio task alive, not even for one turn of the loop."""
    before = asyncio.all_tasks()
    yield
    alive = asyncio.all_tasks() - before
    assert not alive, f"left alive: {alive}"


def one_chain(shown: list[Any]) -> bool:
    """Whether a thread's history (newest first) is a single line of parents and children."""
    return [s.parent_config for s in shown] == [*(s.config for s in shown[1:]), None]


SAVERS = {"immediate": InMemorySaver, "slow": SaverAround}


def tagged(tag: str) -> dict[str, Any]:
    return {"log": [tag]}


class Holding:
    """A chain held -> last over `saver` with a run in `held`; the chain's node says who runs it."""

    def __init__(self, saver: Any = None, *, held: Held | None = None) -> None:
        self.held = held or Held()
        self.app = chain(("held", self.held.node), says("last"), saver=saver or InMemorySaver())
        self.first: asyncio.Task[Any]

    async def begin(self, **options: Any) -> None:
        self.first = asyncio.ensure_future(self.app.ainvoke(tagged("first"), thread(), **options))
        await self.held.entered.wait()

    async def overtake(self) -> Any:
        """Another run goes through the thread while the first one is held; gives back its graph."""
        other = chain(("held", says("other")), says("last"), saver=self.app.checkpointer)
        await other.ainvoke(tagged("second"), thread())
        return other
