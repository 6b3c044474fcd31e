"""What can go wrong, under which policy, where: every combination comes to its right end (pain A12).

A node takes a step, and then it fails, takes too long, is cancelled or asks; once. It stands alone, beside another one,
in a graph inside, or is a task that is called. It has no policy, is tried again, or has an error handler. Whatever the
run comes to, running the thread again brings it to the same end, in which the step was taken once, the node beside ran
once, and nothing is left behind. Time is the clock's.
"""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from graphrt.errors import NodeError, NodeTimeoutError
from graphrt.func import step, task
from graphrt.graph import StateGraph
from graphrt.testing.clock import FakeClock
from graphrt.types import Command, RetryPolicy, interrupt
from tests.acceptance.graphs import Log
from tests.acceptance.policies import time_passes

TROUBLES = ["fails", "expires", "is cancelled", "asks"]
POLICIES = ["none", "retry", "handler"]
PLACES = ["alone", "parallel", "nested", "task"]

RETRY = RetryPolicy(initial_interval=0, jitter=False, max_attempts=2)


@pytest.fixture
def clock() -> Iterator[FakeClock]:
    fake = FakeClock()
    with fake.installed():
        yield fake


class World:
    """One combination, and what has happened in it."""

    def __init__(self, trouble: str, policy: str, place: str, clock: FakeClock) -> None:
        self.trouble = trouble
        self.policy = policy
        self.place = place
        self.clock = clock
        self.done: list[str] = []
        self.entered = asyncio.Event()
        self.alive = 0

    async def unlucky(self, state: Any) -> dict[str, Any]:
        self.alive += 1
        try:
            await step("before", lambda: self.done.append("step"))
            return {"log": [await self.work()]}
        finally:
            self.alive -= 1

    async def work(self) -> str:
        if self.trouble == "asks":
            return str(interrupt("?"))
        if not self.entered.is_set():
            self.entered.set()
            match self.trouble:
                case "fails":
                    raise ConnectionError
                case "expires":
                    await time_passes(self.clock, 10)
                case _:
                    await asyncio.Event().wait()
        return "work"

    async def rescue(self, state: Any, error: NodeError) -> dict[str, Any]:
        self.done.append("rescue")
        assert isinstance(error.error, (ConnectionError, NodeTimeoutError))
        return {"log": ["rescued"]}

    async def beside(self, state: Any) -> dict[str, Any]:
        self.done.append("beside")
        return {"log": ["beside"]}

    def app(self, saver: Any) -> Any:
        """The graph."""
        policies: Any = {
            "none": {},
            "retry": {"retry_policy": RETRY},
            "handler": {"error_handler": self.rescue},
        }[self.policy]
        builder: Any = StateGraph(Log)
        if self.place == "task":
            timed: Any = {"timeout": 5, **({"retry_policy": RETRY} if self.policy == "retry" else {})}
            call = task(**timed)(self.unlucky)

            async def calls(state: Any) -> Any:
                return await call(state)

            builder.add_node("unlucky", calls, **(policies if self.policy == "handler" else {}))
        else:
            builder.add_node("unlucky", self.unlucky, timeout=5, **policies)
        builder.add_edge("__start__", "unlucky")
        if self.place == "nested":
            builder = StateGraph(Log).add_node("inside", builder.compile()).add_edge("__start__", "inside")
        if self.place == "parallel":
            builder.add_node("beside", self.beside).add_edge("__start__", "beside")
        return builder.compile(checkpointer=saver)

    @property
    def survives(self) -> bool:
        """Whether the first run comes to an end by itself."""
        return self.policy != "none" and self.trouble in ("fails", "expires")

    @property
    def end(self) -> list[str]:
        """What the log says in the end."""
        rescued = self.policy == "handler" and self.survives
        word = "rescued" if rescued else "yes" if self.trouble == "asks" else "work"
        return (["beside"] if self.place == "parallel" else []) + [word]


async def first_run(world: World, app: Any, thread: Any) -> Any:
    """What the first run comes to."""
    running = asyncio.ensure_future(app.ainvoke({"log": []}, thread))
    if world.trouble == "is cancelled":
        await world.entered.wait()
        running.cancel()
    try:
        return await running
    except (ConnectionError, NodeTimeoutError, asyncio.CancelledError) as failure:
        return type(failure)


EXPECTED = {"fails": ConnectionError, "expires": NodeTimeoutError, "is cancelled": asyncio.CancelledError}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("trouble", TROUBLES)
async def test_a12_whatever_goes_wrong_wherever_the_thread_comes_to_its_end(
    trouble: str, policy: str, place: str, clock: FakeClock, saver: Any, thread: Any
) -> None:
    world = World(trouble, policy, place, clock)
    app = world.app(saver)
    came_to = await first_run(world, app, thread)
    assert world.alive == 0
    if world.survives:
        assert came_to == {"log": world.end}
    elif trouble == "asks":
        assert [question.value for question in came_to["__interrupt__"]] == ["?"]
    else:
        assert came_to is EXPECTED[trouble]
    if not world.survives:
        given = Command(resume="yes") if trouble == "asks" else None
        assert (await app.ainvoke(given, thread))["log"] == world.end
    assert world.done.count("step") == 1
    assert world.done.count("beside") == (place == "parallel")
    assert (await app.aget_state(thread)).next == ()
