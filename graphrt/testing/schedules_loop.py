"""An event loop that decides by a seed which of its tasks gets to go on.

asyncio lets tasks go on in the order in which they became ready. Real programs see other orders, as replies come when
they like. Here each task is given a speed, drawn at random and evenly on a logarithmic scale, and of those that are
ready one goes on per turn of the loop, the more probably the faster it is. So some run far ahead and others hardly
move, while none is starved for ever. (The random priorities of Burckhardt et al., "A Randomized Scheduler with
Probabilistic Guarantees of Finding Bugs", ASPLOS 2010, would starve: a task that spins never lets another one go on.)
With every other seed speeds change on the way, which finds races between first steps; without it, far ones.

Only the steps of tasks are reordered: callbacks keep their order, as asyncio's own parts rely on it. Time does not
pass by itself: when nothing is ready it jumps to the next timer, but while a worker thread is at work it is real.
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import Executor
from contextlib import ExitStack, contextmanager
from random import Random
from threading import Lock
from time import monotonic
from typing import Any, Final, TypeVar, TypeVarTuple, Unpack
from unittest.mock import patch
from weakref import WeakKeyDictionary

from graphrt.errors import GraphError
from graphrt.testing.ids import same_ids

__all__ = ["HungError", "SeededLoop", "in_order"]

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

SLOWEST, FASTEST = -2.0, 2.0
"""Exponents of ten between which speeds are drawn."""

WHIM: Final = 0.3
"""How often a task gets another speed after a step, with every other seed."""

_EPOCH_S: Final = 1_767_225_600.0
"""When every run begins: 2026."""

_ONE_AT_A_TIME: Final = Lock()
"""Held by the run whose loop gives the time."""

PATIENCE_S: Final = 20.0
"""How long nothing may happen, in real time, before a run counts as hung."""


class HungError(GraphError, AssertionError):
    """Every task waits for something that does not happen."""

    def __init__(self, waiting: list[str]) -> None:
        super().__init__(f"Nothing has happened for {PATIENCE_S:g} s, and these still wait: {waiting}.")
        self.waiting = waiting


class SeededLoop(asyncio.SelectorEventLoop):
    """Runs tasks in an order of its own.

    Args:
        seed: the same one gives the same order; None the order of asyncio.
    """

    # What BaseEventLoop keeps; its subclasses in the standard library rely on these names too.
    _ready: deque[asyncio.Handle]
    _scheduled: list[asyncio.TimerHandle]
    _selector: Any

    def __init__(self, seed: int | None) -> None:
        self.seed = seed
        self._fickle = seed is not None and seed % 2 == 1
        self._random = Random(seed)
        self._speeds: WeakKeyDictionary[asyncio.Task[Any], float] = WeakKeyDictionary()
        self._elapsed_s = 0.0
        self._since_s: float | None = None
        self._in_threads = 0
        super().__init__()

    def time(self) -> float:
        """Seconds since the loop was made, as far as its tasks have waited for them."""
        waited_s = 0.0 if self._since_s is None else monotonic() - self._since_s
        return self._elapsed_s + waited_s

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[Ts]], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """As everywhere; time is real until it has returned."""
        future = super().run_in_executor(executor, func, *args)
        self._in_threads += 1
        future.add_done_callback(self._returned)
        return future

    async def shutdown_default_executor(self, *args: Any, **kwargs: Any) -> None:
        """As everywhere; time is real until its threads have ended: newer Pythons give them only so much."""
        self._in_threads += 1
        try:
            await super().shutdown_default_executor(*args, **kwargs)
        finally:
            self._in_threads -= 1

    def _returned(self, future: asyncio.Future[Any]) -> None:
        self._in_threads -= 1

    def _run_once(self) -> None:
        if not self._ready:
            if self._thread_at_work():
                self._since_s = monotonic()
            else:
                self._jump()
        held = self._hold() if self.seed is not None else []
        try:
            once: Any = super()
            once._run_once()
        finally:
            self._elapsed_s, self._since_s = self.time(), None
            self._ready.extendleft(reversed(held))

    def _jump(self) -> None:
        """Nothing is ready: go to the next timer, if there is one, else wait for the world outside."""
        times = [timer.when() for timer in self._scheduled if not timer.cancelled()]
        if times:
            if not self._selector.select(0):
                self._elapsed_s = max(self._elapsed_s, min(times))
        elif not self._selector.select(PATIENCE_S):
            raise HungError(sorted(task.get_name() for task in asyncio.all_tasks(self)))

    def _hold(self) -> list[asyncio.Handle]:
        """Take the steps of all tasks but one out of what is ready."""
        steps = [(handle, task) for handle in self._ready if (task := _task_of(handle)) is not None]
        if len(steps) < 2:
            return []
        speeds = [self._speed(task) for _, task in steps]
        ((chosen, task),) = self._random.choices(steps, speeds)
        if self._fickle and self._random.random() < WHIM:
            del self._speeds[task]
        held = [handle for handle, _ in steps if handle is not chosen]
        aside = set(map(id, held))
        self._ready = deque(handle for handle in self._ready if id(handle) not in aside)
        return held

    def _speed(self, task: asyncio.Task[Any]) -> float:
        speed = self._speeds.get(task)
        if speed is None:
            speed = self._speeds[task] = 10 ** self._random.uniform(SLOWEST, FASTEST)
        return speed

    def _thread_at_work(self) -> bool:
        """Whether somebody waits for a worker thread: nobody can tell when it will return, so time is real then."""
        if self._in_threads:
            return True
        anyio = sys.modules.get("anyio.to_thread")
        code = None if anyio is None else anyio.run_sync.__code__
        return any(getattr(task.get_coro(), "cr_code", self) is code for task in asyncio.all_tasks(self))


def in_order(seed: int | None, main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine function to its end in a loop of its own, whose tasks go on in the order that a seed gives.

    Ids that graphrt draws for a task are the same in every order.

    Raises:
        HungError: its tasks wait for something that does not happen.
        whatever it raises.
    """
    loop = SeededLoop(seed)
    with _ONE_AT_A_TIME, same_ids(), _time_of(loop), asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(main())


@contextmanager
def _time_of(loop: SeededLoop) -> Generator[None, None, None]:
    """Retries and timeouts go by the loop's time, and their jitter by its seed."""
    seams: dict[str, Any] = {
        "time": lambda: _EPOCH_S + loop.time(),
        "monotonic": loop.time,
        "sleep": asyncio.sleep,  # a FakeClock that is installed outside would not move in here
        "jitter": Random(loop.seed).random,
    }
    with ExitStack() as stack:
        for name, stand_in in seams.items():
            stack.enter_context(patch(f"graphrt.engine.clock.{name}", stand_in))
        yield


def _task_of(handle: asyncio.Handle) -> asyncio.Task[Any] | None:
    """The task that a handle lets go on, None if it is a mere callback."""
    if handle.cancelled():
        return None
    owner = getattr(getattr(handle, "_callback", None), "__self__", None)
    return owner if isinstance(owner, asyncio.Task) else None  # pyright: ignore[reportUnknownVariableType]
