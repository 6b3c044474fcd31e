"""What the tests of policies share: nodes that fail so many times, time that passes while a node waits."""

import asyncio
from typing import Any

from graphrt.graph import StateGraph
from graphrt.testing.clock import FakeClock
from graphrt.types import RetryPolicy
from tests.acceptance.graphs import Log, named

AT_ONCE: Any = {"initial_interval": 0, "jitter": False}
"""Retries without a wait, for tests that are not about the wait."""


def retries(max_attempts: int = 3, **more: Any) -> RetryPolicy:
    """A policy that tries again at once, whatever the error."""
    options: Any = {**AT_ONCE, "retry_on": Exception, "max_attempts": max_attempts, **more}
    return RetryPolicy(**options)


class Fails:
    """A node that raises `error` so many times, then says its name; `attempts` counts its calls."""

    def __init__(self, times: int, error: Exception | None = None, name: str = "work") -> None:
        self.left = times
        self.error = error or ConnectionError("gone")
        self.attempts = 0
        self.name = name

    def attempt(self) -> dict[str, Any]:
        self.attempts += 1
        if self.left:
            self.left -= 1
            raise self.error
        return {"log": [self.name]}

    @property
    def node(self) -> Any:
        async def node(state: Any) -> dict[str, Any]:
            return self.attempt()

        return named(self.name, node)

    @property
    def plain(self) -> Any:
        def node(state: Any) -> dict[str, Any]:
            return self.attempt()

        return named(self.name, node)


def alone(node: Any, *more: Any, **options: Any) -> StateGraph[Any, Any, Any, Any]:
    """A builder whose first node has options of `add_node`; nodes behind it are reached by Commands only."""
    builder: StateGraph[Any, Any, Any, Any] = StateGraph(Log).add_node(node, **options)
    for other in more:
        builder.add_node(other)
    return builder.add_edge("__start__", node.__name__)


async def time_passes(clock: FakeClock, seconds: float) -> None:
    """Wait for ever; as soon as everybody waits, it is so much later."""
    asyncio.get_running_loop().call_soon(clock.move, seconds)
    await asyncio.Event().wait()
