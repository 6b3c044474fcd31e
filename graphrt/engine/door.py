"""The sync door: drive a coroutine of the engine from a thread that has no running event loop.

A run of sync nodes never waits for anything, so it needs no loop: its coroutine is simply stepped to the end in the
calling thread. A run that does need a loop asks for it with `await enter_loop()`; the door then starts this thread's
private loop and goes on with the same coroutine inside it. So there is one engine, and a loop only where it is used.

Before `enter_loop` returns, the engine must not touch anything that belongs to a loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator, Iterator
from contextvars import ContextVar, copy_context
from typing import Any, Final, TypeVar, cast

from graphrt.errors import RunningLoopError
from graphrt.loops import PrivateLoops

__all__ = ["HOME", "breathe", "drive", "drive_stream", "enter_loop", "loop_factory", "running_loop"]

T = TypeVar("T")
running_loop: Final = asyncio._get_running_loop
"""The event loop that runs in this thread, or None: the public `get_running_loop` raises instead, which costs more."""
_NEEDS_LOOP: Final = object()
"""What a coroutine yields to the door when it cannot go on without a loop."""
_END: Final[Any] = object()
HOME: Final[ContextVar[asyncio.AbstractEventLoop]] = ContextVar("graphrt_home")
"""The private loop that this code runs in, or that waits for it in another thread."""


class _EnterLoop:
    __slots__ = ()

    def __await__(self) -> Generator[Any, None, None]:
        if running_loop() is None:
            yield _NEEDS_LOOP


class _Breathe:
    __slots__ = ()

    def __await__(self) -> Generator[Any, None, None]:
        yield


_enter_loop = _EnterLoop()
_breathe = _Breathe()


def enter_loop() -> _EnterLoop:
    """Awaited, makes sure that an event loop is running."""
    return _enter_loop


def breathe() -> _Breathe:
    """Awaited, lets everything else in the loop take its turn; without a loop it does nothing."""
    return _breathe


class _Rest:
    """What is left of a coroutine that was begun without a loop."""

    __slots__ = ("coroutine",)

    def __init__(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        self.coroutine = coroutine

    def __await__(self) -> Generator[Any, Any, Any]:
        return (yield from self.coroutine.__await__())


async def _outcome(awaitable: Awaitable[T], values: list[T], errors: list[Exception]) -> None:
    """Put down what it comes to: a task that kept an error would make a cycle with the error's traceback."""
    try:
        values.append(await awaitable)
    except Exception as error:
        errors.append(error)


def _in_private_loop(awaitable: Awaitable[T]) -> T:
    values: list[T] = []
    errors: list[Exception] = []
    runner = _private.runner()
    context = copy_context()
    context.run(HOME.set, runner.get_loop())
    runner.run(_outcome(awaitable, values, errors), context=context)
    if errors:
        raise errors.pop()
    return values.pop()


def loop_factory() -> Any:
    """Makes loops of uvloop where that is installed."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


_private = PrivateLoops(loop_factory)


def forbid_running_loop(method: str) -> None:
    """Blocking a thread whose loop is running would stop everything in that loop.

    Raises:
        RunningLoopError: a loop is running in this thread.
    """
    if running_loop() is not None:
        raise RunningLoopError(method)


def drive_stream(
    stream: AsyncIterator[T], close: Callable[[], Coroutine[Any, Any, None]], method: str
) -> Iterator[T]:
    """Take chunks of a stream in this thread. Between two chunks the run stands still: nobody drives its loop.

    Raises:
        RunningLoopError: a loop is running in this thread.
    """
    forbid_running_loop(method)
    try:
        while (chunk := _in_private_loop(anext(stream, _END))) is not _END:
            yield chunk
    finally:
        _in_private_loop(close())


def drive(coroutine: Coroutine[Any, Any, T], method: str) -> T:
    """Run a coroutine of the engine to its end in this thread.

    Raises:
        RunningLoopError: a loop is running in this thread; the coroutine is closed.
    """
    if running_loop() is not None:
        coroutine.close()
        raise RunningLoopError(method)
    try:
        while coroutine.send(None) is not _NEEDS_LOOP:
            pass
    except StopIteration as stop:
        return cast(T, stop.value)
    rest: Awaitable[T] = _Rest(coroutine)
    return _in_private_loop(rest)
