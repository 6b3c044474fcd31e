"""Timeouts: what ends an attempt, what keeps it alive, what becomes of what it still does (LangGraph O4, H3)."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from graphrt.channels import EphemeralValue
from graphrt.config import get_stream_writer
from graphrt.errors import GraphValidationError, NodeTimeoutError
from graphrt.func import entrypoint, task
from graphrt.pregel import NodeBuilder, Pregel
from graphrt.runtime import Runtime
from graphrt.testing.clock import FakeClock
from graphrt.types import Command, Send, TimeoutPolicy
from tests.acceptance.graphs import Log, graph, says
from tests.acceptance.policies import alone, retries, time_passes

EMPTY: Any = {"log": []}
NEITHER: Any = "no"


def hangs(clock: FakeClock, times: int = 99) -> Any:
    """A node that takes ten seconds so many times, and then none."""
    left = [times]

    async def work(state: Any) -> dict[str, Any]:
        left[0] -= 1
        if left[0] >= 0:
            await time_passes(clock, 10)
        return {"log": ["work"]}

    return work


# ---- limits


@pytest.mark.parametrize("timeout", [5, timedelta(seconds=5), TimeoutPolicy(run_timeout=5)])
async def test_o4_an_attempt_that_takes_too_long_fails(clock: FakeClock, timeout: Any) -> None:
    with pytest.raises(NodeTimeoutError) as raised:
        await alone(hangs(clock), timeout=timeout).compile().ainvoke(EMPTY)
    error = raised.value
    assert (error.node, error.kind, error.timeout, error.run_timeout, error.idle_timeout, error.elapsed) == (
        "work", "run", 5.0, 5.0, None, 10.0,
    )  # fmt: skip


async def test_o4_one_that_is_in_time_does_not(clock: FakeClock) -> None:
    app = alone(hangs(clock), timeout=11).compile()
    async with clock.jumping():
        running = asyncio.ensure_future(app.ainvoke(EMPTY))
        with pytest.raises(NodeTimeoutError):
            await running
    assert clock.monotonic() == 11
    assert await alone(says("work"), timeout=5).compile().ainvoke(EMPTY) == {"log": ["work"]}


async def test_o4_each_attempt_has_the_whole_time_and_timeouts_are_tried_again(clock: FakeClock) -> None:
    app = alone(hangs(clock, 2), timeout=5, retry_policy=retries(retry_on=NodeTimeoutError)).compile()
    assert await app.ainvoke(EMPTY) == {"log": ["work"]}
    default = alone(hangs(clock, 1), timeout=5, retry_policy=retries(max_attempts=2)).compile()
    assert await default.ainvoke(EMPTY) == {"log": ["work"]}
    assert not issubclass(NodeTimeoutError, TimeoutError)


def chatty(clock: FakeClock, sign: Callable[[Runtime[Any]], Any], times: int = 3) -> Any:
    """A node that gives a sign of life every four seconds."""

    async def work(state: Any, runtime: Runtime) -> dict[str, Any]:
        for _ in range(times):
            await clock.sleep(4)
            sign(runtime)
        return {"log": ["work"]}

    return work


def beats(runtime: Runtime[Any]) -> None:
    runtime.heartbeat()


def writes(runtime: Runtime[Any]) -> None:
    runtime.stream_writer("x")


def writes_ambiently(runtime: Runtime[Any]) -> None:
    get_stream_writer()("x")


IDLE: Any = TimeoutPolicy(idle_timeout=5)
STRICT: Any = TimeoutPolicy(idle_timeout=5, refresh_on="heartbeat")


@pytest.mark.parametrize(
    "sign",
    [beats, writes, writes_ambiently],
)
async def test_o4_signs_of_life_keep_an_attempt_alive(clock: FakeClock, sign: Any) -> None:
    async with clock.jumping():
        result = await alone(chatty(clock, sign), timeout=IDLE).compile().ainvoke(EMPTY)
    assert (result, clock.monotonic()) == ({"log": ["work"]}, 12)


async def test_o4_without_a_sign_of_life_an_attempt_is_idle(clock: FakeClock) -> None:
    async with clock.jumping():
        with pytest.raises(NodeTimeoutError, match="no sign of life") as raised:
            await alone(chatty(clock, lambda _: None), timeout=IDLE).compile().ainvoke(EMPTY)
    assert (raised.value.kind, raised.value.timeout, clock.monotonic()) == ("idle", 5.0, 5)


async def test_o4_only_heartbeats_count_if_the_policy_says_so(clock: FakeClock) -> None:
    beating = alone(chatty(clock, beats), timeout=STRICT).compile()
    writing = alone(chatty(clock, writes), timeout=STRICT).compile()
    async with clock.jumping():
        assert await beating.ainvoke(EMPTY) == {"log": ["work"]}
        with pytest.raises(NodeTimeoutError):
            await writing.ainvoke(EMPTY)


async def test_o4_calls_of_tasks_and_steps_of_graphs_are_signs_of_life(clock: FakeClock) -> None:
    @task
    async def call() -> None:
        await clock.sleep(4)

    async def inner(state: Any) -> dict[str, Any]:
        await clock.sleep(4)
        return {"log": ["x"]}

    inside = graph(Log, ("a", inner), ("b", inner), paths=["START a b"]).compile()

    async def work(state: Any) -> None:
        await call()
        await call()
        await inside.ainvoke({"log": []})

    async with clock.jumping():
        await alone(work, timeout=IDLE).compile().ainvoke(EMPTY)
    assert clock.monotonic() == 16


async def test_o4_what_goes_on_inside_a_called_task_is_seen_too(clock: FakeClock) -> None:
    async def inside(*, runtime: Runtime[Any]) -> None:
        for _ in range(3):
            await clock.sleep(4)
            runtime.heartbeat()

    call: Any = task(inside)

    async def work(state: Any) -> None:
        await call()

    async with clock.jumping():
        await alone(work, timeout=STRICT).compile().ainvoke(EMPTY)
    assert clock.monotonic() == 12


async def test_o4_both_limits_may_be_set(clock: FakeClock) -> None:
    both = TimeoutPolicy(run_timeout=9, idle_timeout=5)
    async with clock.jumping():
        with pytest.raises(NodeTimeoutError) as raised:
            await alone(chatty(clock, beats), timeout=both).compile().ainvoke(EMPTY)
    assert (raised.value.kind, raised.value.run_timeout, raised.value.idle_timeout) == ("run", 9.0, 5.0)


# ---- what an expired attempt still does


async def test_o4_late_writes_are_dropped(clock: FakeClock) -> None:
    async def work(state: Any, runtime: Runtime) -> dict[str, Any]:
        writer = runtime.stream_writer
        writer("in time")
        try:
            await time_passes(clock, 10)
        except asyncio.CancelledError:
            writer("late")
        return {"log": ["late"]}

    def rescue(state: Any, error: Any) -> dict[str, Any]:
        return {"log": [type(error.error).__name__]}

    app = alone(work, timeout=5, error_handler=rescue).compile()
    chunks = [chunk async for chunk in app.astream(EMPTY, stream_mode=["custom", "values"])]
    assert chunks[1:] == [("custom", "in time"), ("values", {"log": ["NodeTimeoutError"]})]


async def test_o4_an_attempt_has_ended_before_the_next_one_begins(clock: FakeClock) -> None:
    log: list[str] = []

    async def work(state: Any, runtime: Runtime) -> None:
        log.append("begins")
        try:
            if runtime.execution_info.node_attempt == 1:
                await time_passes(clock, 10)
        finally:
            await asyncio.sleep(0)
            log.append("ends")

    await alone(work, timeout=5, retry_policy=retries()).compile().ainvoke(EMPTY)
    assert log == ["begins", "ends", "begins", "ends"]


async def test_o4_what_it_called_is_cancelled_with_it(clock: FakeClock) -> None:
    cancelled: list[str] = []

    @task
    async def call() -> None:
        try:
            await time_passes(clock, 10)
        finally:
            cancelled.append("call")

    async def work(state: Any) -> None:
        await call()

    with pytest.raises(NodeTimeoutError):
        await alone(work, timeout=5).compile().ainvoke(EMPTY)
    assert cancelled == ["call"]


async def test_o4_a_sync_function_that_outlives_its_callers_time_is_reported(clock: FakeClock) -> None:
    @task
    def call() -> None:
        for seconds in (10, *[0] * 9, 20):  # in its thread, where nobody can stop it
            asyncio.run_coroutine_threadsafe(later(seconds), loop).result()

    async def later(seconds: float) -> None:
        clock.move(seconds)

    async def work(state: Any) -> None:
        await call()

    loop = asyncio.get_running_loop()
    with pytest.raises(NodeTimeoutError, match="whose thread runs on until it returns") as raised:
        await alone(work, timeout=5).compile().ainvoke(EMPTY)
    assert raised.value.elapsed == 30


async def test_o4_siblings_of_an_expired_task_are_cancelled_as_of_any_that_failed(clock: FakeClock) -> None:
    cancelled: list[str] = []

    async def beside(state: Any) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.append("beside")

    builder = alone(hangs(clock), beside, timeout=5).add_edge("__start__", "beside")
    with pytest.raises(NodeTimeoutError):
        await builder.compile().ainvoke(EMPTY)
    assert cancelled == ["beside"]


async def test_o4_a_cancelled_run_leaves_nothing_of_a_timed_attempt(clock: FakeClock) -> None:
    entered, ended = asyncio.Event(), list[int]()

    async def work(state: Any) -> None:
        entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(1)

    running = asyncio.ensure_future(alone(work, timeout=5).compile().ainvoke(EMPTY))
    await entered.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert ended == [1]


# ---- where timeouts may stand


@pytest.mark.parametrize("where", ["node", "defaults", "handler"])
def test_o4_a_sync_node_cannot_have_one(where: str) -> None:
    def work(state: Any) -> None: ...

    async def fine(state: Any) -> None: ...

    builder = alone(work if where != "handler" else fine, error_handler=work if where == "handler" else None)
    if where == "node":
        builder = alone(work, timeout=5)
    else:
        builder.set_node_defaults(timeout=5)
    with pytest.raises(
        GraphValidationError, match=r"Node timeouts are only supported for async nodes.*is sync"
    ):
        builder.compile()


@pytest.mark.parity("P2")
def test_p2_a_timeout_on_a_sync_node_is_refused_at_compile_time() -> None:
    def work(state: Any) -> None: ...

    with pytest.raises(ValueError, match=r"Node timeouts are only supported for async nodes.*'work'"):
        alone(work, timeout=5).compile()


def test_o4_sync_tasks_entrypoints_and_programs_cannot_have_one_either() -> None:
    def work(value: Any) -> None: ...

    with pytest.raises(ValueError, match="Task timeouts are only supported for async"):
        task(timeout=5)(work)
    with pytest.raises(ValueError, match="Node timeouts are only supported for async"):
        entrypoint(timeout=5)(work)
    with pytest.raises(ValueError, match="Node timeouts are only supported for async"):
        program(NodeBuilder().subscribe_only("a").do(work).set_timeout(5))


def program(node: NodeBuilder) -> Any:
    return Pregel(
        nodes={"n": node},
        channels={"a": EphemeralValue(Any), "b": EphemeralValue(Any)},
        input_channels="a",
        output_channels="b",
    )


@pytest.mark.parametrize(
    "timeout", [0, -1, TimeoutPolicy(idle_timeout=0), TimeoutPolicy(1, refresh_on=NEITHER)]
)
def test_o4_limits_must_make_sense(timeout: Any) -> None:
    with pytest.raises(GraphValidationError, match="must be"):
        TimeoutPolicy.coerce(timeout)


async def test_o4_tasks_entrypoints_and_programs_have_them_too(clock: FakeClock) -> None:
    async def slow(value: Any) -> None:
        await time_passes(clock, 10)

    @entrypoint()
    async def calls(value: Any) -> None:
        await task(timeout=5)(slow)(value)

    for app in (
        calls,
        entrypoint(timeout=5)(slow),
        program(NodeBuilder().subscribe_only("a").do(slow).set_timeout(5)),
    ):
        with pytest.raises(NodeTimeoutError, match=r"'slow'|'n'"):
            await app.ainvoke(1)


def test_o4_a_run_without_a_loop_enters_one_for_it() -> None:
    async def work(state: Any) -> dict[str, Any]:
        return {"log": ["work"]}

    assert alone(work, timeout=5).compile().invoke(EMPTY) == {"log": ["work"]}


# ---- Send


@pytest.mark.parity("H3")
async def test_h3_a_send_may_say_how_long_its_task_may_take(clock: FakeClock) -> None:
    async def work(state: Any) -> dict[str, Any]:
        if state["slow"]:
            await clock.sleep(10)
        return {"log": ["work"]}

    def app(limit: Any, **options: Any) -> Any:
        def start(state: Any) -> list[Send]:
            return [Send("work", {"slow": False}), Send("work", {"slow": True}, timeout=limit)]

        builder = graph(Log, paths=[]).add_node("work", work, **options)
        return builder.add_conditional_edges("__start__", start, ["work"]).compile()

    async with clock.jumping():
        with pytest.raises(NodeTimeoutError) as raised:
            await app(5).ainvoke(EMPTY)
        assert raised.value.timeout == 5
        assert await app(20, timeout=5).ainvoke(EMPTY) == {"log": ["work", "work"]}


@pytest.mark.parity("H3")
async def test_h3_the_limit_of_a_send_is_stored_with_it(saver: Any, thread: Any, clock: FakeClock) -> None:
    async def plan(state: Any) -> Command[Any]:
        return Command(goto=Send("work", {}, timeout=TimeoutPolicy(idle_timeout=5)))

    builder = alone(plan).add_node("work", hangs(clock))
    app = builder.compile(checkpointer=saver, interrupt_before=["work"])
    await app.ainvoke(EMPTY, thread)
    with pytest.raises(NodeTimeoutError) as raised:
        await app.ainvoke(None, thread, interrupt_before=[])
    assert raised.value.idle_timeout == 5


@pytest.mark.parity("H3")
async def test_h3_a_send_to_a_sync_node_cannot_have_a_limit() -> None:
    def plan(state: Any) -> Any:
        return Command(goto=Send("work", {}, timeout=5))

    builder = alone(plan).add_node("work", lambda state: {"log": ["work"]})
    with pytest.raises(ValueError, match="Node timeouts are only supported for async nodes"):
        await builder.compile().ainvoke(EMPTY)
