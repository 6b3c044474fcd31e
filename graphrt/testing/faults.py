"""Storage that breaks where you say: at its k-th call a checkpointer raises, hangs or takes the process with it.

Each of them strikes before the call did anything, or after it did everything and nobody heard of it. Those two are all
that can happen to a commit that is atomic, so a program that survives both at every call survives a crash anywhere:

    for saver in breaking_each_call(InMemorySaver, Raise(when="after")):
        ...  # run the graph, resume it, compare with what an unbroken run gives
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Generator,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import aclosing, contextmanager
from inspect import getattr_static, isasyncgenfunction, iscoroutinefunction
from typing import Any, Final, Literal, TypeAlias, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from graphrt.checkpoint import Checkpointer, Commit, Stored, TaskResult
from graphrt.errors import StorageError

__all__ = [
    "Exit",
    "Fault",
    "FaultySaver",
    "Hang",
    "Kill",
    "Raise",
    "StorageDown",
    "When",
    "breaking_each_call",
]

T = TypeVar("T")

When: TypeAlias = Literal["before", "after"]
"""Before the call did anything, or when it has done everything but its caller has not heard of it."""

EXIT_CODE: Final = 86
"""What a process ends with that an `Exit` ended: no other program's habit."""

KILL: Final[int] = getattr(signal, "SIGKILL", signal.SIGTERM)
"""Windows has no SIGKILL, and SIGTERM ends a process as hard there."""


class StorageDown(StorageError):
    """The storage that a test broke. `call` names the method, `number` counts the saver's calls from 1."""

    def __init__(self, call: str, number: int, when: When) -> None:
        done = "not done" if when == "before" else "done, but nobody heard"
        super().__init__(f"Call {number}, {call}: {done}. This fault was injected by a test.")
        self.call = call
        self.number = number


class Fault(Struct, frozen=True):
    """Where to strike.

    Attributes:
        at: at this call, counted from 1 since the saver was made.
        call: of this method; of any by default.
        when: before or after the call did its work.
    """

    at: int = 1
    call: str | None = None
    when: When = "before"


class Raise(Fault, frozen=True):
    """Fail with `error`, by default `StorageDown`."""

    error: BaseException | None = None


class Hang(Fault, frozen=True):
    """Wait until `FaultySaver.release`, or until the caller is cancelled; then go on."""


class Kill(Fault, frozen=True):
    """Send the process a signal that nothing can catch. With `signal.SIGSTOP` it stands still until SIGCONT."""

    signal: int = KILL


class Exit(Fault, frozen=True):
    """End the process at once, without any cleaning up, but with an exit code that tells who did it."""

    code: int = EXIT_CODE


class FaultySaver:
    """A checkpointer around another, which counts calls and strikes at some of them.

    Optional abilities of the inner one (pruning, copying, ...) are there too, and count.

    Args:
        saver: does the work.
        faults: may be replaced at any time (`saver.faults = ()`); numbers go on counting.
        turns: every call takes so many turns of the event loop each way, as if there were a wire.

    Attributes:
        immediate: as the inner one's, unless calls can wait here.
        calls: names of the calls that were begun, in order.
        struck: the faults that happened, in order.
        under_way, most: calls that have begun and not ended, by name; the most there were at a time.
    """

    def __init__(self, saver: Checkpointer, *faults: Fault, turns: int = 0) -> None:
        self.saver = saver
        self.faults = faults
        self.turns = turns
        self.immediate = (
            saver.immediate and not turns and not any(isinstance(fault, Hang) for fault in faults)
        )
        self.calls: list[str] = []
        self.struck: list[Fault] = []
        self.under_way: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self._hanging: list[asyncio.Event] = []
        self._hangs = asyncio.Event()
        for name in dir(saver):
            if not name.startswith("_") and not hasattr(self, name):
                self._adopt(name)

    # ---- the contract

    async def commit(self, commit: Commit) -> None:
        await self._call("commit", lambda: self.saver.commit(commit))

    async def append_results(
        self, thread_id: str, namespace: str, checkpoint_id: str, results: Sequence[TaskResult]
    ) -> None:
        await self._call(
            "append_results", lambda: self.saver.append_results(thread_id, namespace, checkpoint_id, results)
        )

    async def load(
        self, thread_id: str, namespace: str = "", checkpoint_id: str | None = None
    ) -> Stored | None:
        return await self._call("load", lambda: self.saver.load(thread_id, namespace, checkpoint_id))

    def history(
        self,
        thread_id: str,
        namespace: str = "",
        *,
        filter: Mapping[str, Any] | None = None,
        before: str | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[Stored]:
        pages = self.saver.history(thread_id, namespace, filter=filter, before=before, limit=limit)
        return self._iterate("history", pages)

    async def adelete_thread(self, thread_id: str) -> None:
        await self._call("adelete_thread", lambda: self.saver.adelete_thread(thread_id))

    # ---- what the test does

    def heal(self) -> None:
        """No more faults."""
        self.faults = ()

    async def until_hanging(self) -> None:
        """Wait until a call hangs."""
        await self._hangs.wait()

    def release(self) -> None:
        """Let every call go on that hangs now."""
        for event in self._hanging:
            event.set()
        self._hanging.clear()
        self._hangs.clear()

    # ---- striking

    async def _call(self, name: str, call: Callable[[], Awaitable[T]]) -> T:
        number, due = self._begin(name)
        with self._counted(name):
            await self._strike("before", name, number, due)
            result = await call()
            await self._strike("after", name, number, due)
            return result

    async def _iterate(self, name: str, items: AsyncIterator[T]) -> AsyncGenerator[T, None]:
        """An iterator is one call, which begins with the first item asked for and ends after the last."""
        number, due = self._begin(name)
        generator: Any = items
        async with aclosing(generator):
            await self._strike("before", name, number, due)
            async for item in items:
                yield item
            await self._strike("after", name, number, due)

    def _begin(self, name: str) -> tuple[int, list[Fault]]:
        self.calls.append(name)
        number = len(self.calls)
        of_name = self.calls.count(name)
        due = [fault for fault in self.faults if _is_due(fault, name, number, of_name)]
        return number, due

    @contextmanager
    def _counted(self, name: str) -> Generator[None, None, None]:
        self.under_way[name] += 1
        self.most[name] = max(self.most[name], self.under_way[name])
        try:
            yield
        finally:
            self.under_way[name] -= 1

    async def _strike(self, when: When, name: str, number: int, due: list[Fault]) -> None:
        for _ in range(self.turns):
            await asyncio.sleep(0)
        for fault in due:
            if fault.when != when:
                continue
            self.struck.append(fault)
            match fault:
                case Hang():
                    await self._hang()
                case Kill():
                    os.kill(os.getpid(), fault.signal)
                case Exit():
                    os._exit(fault.code)
                case Raise(error=error):
                    raise error or StorageDown(name, number, when)
                case _:
                    raise TypeError(
                        f"{fault!r} does not say what shall happen: use Raise, Hang, Kill or Exit."
                    )

    async def _hang(self) -> None:
        event = asyncio.Event()
        self._hanging.append(event)
        self._hangs.set()
        await event.wait()

    def _adopt(self, name: str) -> None:
        """Offer another method of the inner saver, counted if it is asynchronous.

        It becomes an attribute of this object, as `isinstance` with a protocol looks for attributes that are there.
        """
        if isinstance(getattr_static(self.saver, name, None), property):
            return
        method = getattr(self.saver, name)

        async def called(*args: Any, **options: Any) -> Any:
            return await self._call(name, lambda: method(*args, **options))

        async def iterated(*args: Any, **options: Any) -> AsyncIterator[Any]:
            async with aclosing(self._iterate(name, method(*args, **options))) as items:
                async for item in items:
                    yield item

        if iscoroutinefunction(method):
            self.__dict__[name] = called
        elif isasyncgenfunction(method):
            self.__dict__[name] = iterated
        elif callable(method):
            self.__dict__[name] = method


def _is_due(fault: Fault, name: str, number: int, of_name: int) -> bool:
    return fault.at == number if fault.call is None else (fault.call, fault.at) == (name, of_name)


def breaking_each_call(
    make: Callable[[], Checkpointer], fault: Fault, *, turns: int = 0, at_most: int = 500
) -> Iterator[FaultySaver]:
    """Savers whose first, second, ... call breaks as `fault` says, until one is used that did not reach its fault.

    Raises:
        AssertionError: so many calls were not enough.
    """
    for at in range(1, at_most + 1):
        saver = FaultySaver(make(), replace(fault, at=at), turns=turns)
        yield saver
        if not saver.struck:
            return
    raise AssertionError(f"{at_most} calls were not enough: what is tested never comes to an end.")
