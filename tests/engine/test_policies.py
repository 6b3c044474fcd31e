"""Policies from the engine's side: what runs that fail leave behind, what attempts share, what histories show."""

import asyncio
import gc
from collections.abc import Iterator
from typing import Any

import pytest

from graphrt.checkpoint.memory import InMemorySaver
from graphrt.config import get_stream_writer
from graphrt.errors import NodeError, NodeTimeoutError
from graphrt.func import entrypoint, step, task
from graphrt.graph import StateGraph
from graphrt.testing.clock import FakeClock
from graphrt.types import Command, RetryPolicy, TimeoutPolicy, interrupt
from tests.acceptance.graphs import Log, graph, named, says
from tests.acceptance.policies import Fails, alone, retries, time_passes
from tests.engine.test_garbage import left_behind_by

EMPTY: Any = {"log": []}


@pytest.fixture
def clock() -> Iterator[FakeClock]:
    fake = FakeClock()
    with fake.installed():
        yield fake


async def rescue(state: Any, error: NodeError) -> dict[str, Any]:
    return {"log": [error.node]}


# ---- garbage


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


async def test_a_handled_failure_leaves_nothing_for_the_collector(no_collector: None) -> None:
    async def work(state: Any) -> None:
        raise ConnectionError

    app = alone(work, error_handler=rescue).compile()

    async def run() -> None:
        await app.ainvoke(EMPTY)

    assert await left_behind_by(run, runs=100) < 100


async def test_a_repeated_attempt_leaves_nothing_for_the_collector(no_collector: None) -> None:
    attempts = [0]

    async def work(state: Any) -> None:
        attempts[0] += 1
        if attempts[0] % 2:
            raise ConnectionError

    app = alone(work, retry_policy=retries()).compile()

    async def run() -> None:
        await app.ainvoke(EMPTY)

    assert await left_behind_by(run, runs=100) < 100


async def test_an_expired_attempt_leaves_nothing_for_the_collector(
    no_collector: None, clock: FakeClock
) -> None:
    attempts = [0]

    async def work(state: Any) -> None:
        attempts[0] += 1
        if attempts[0] % 3:
            await time_passes(clock, 10)

    app = alone(work, timeout=5, error_handler=rescue, retry_policy=retries(2)).compile()

    async def run() -> None:
        await app.ainvoke(EMPTY)

    assert await left_behind_by(run, runs=100) < 100


# ---- what attempts share


async def test_tasks_of_a_graph_inside_that_had_finished_are_not_run_again() -> None:
    fails, finished, ran = Fails(1), asyncio.Event(), list[str]()

    async def beside(state: Any) -> dict[str, Any]:
        ran.append("beside")
        asyncio.get_running_loop().call_soon(finished.set)
        return {"log": ["beside"]}

    async def work(state: Any) -> Any:
        await finished.wait()
        return fails.attempt()

    inside = graph(Log, beside, named("work", work), paths=["START beside", "START work"]).compile()
    app = (
        graph(Log, paths=[]).add_node("outer", inside, retry_policy=retries()).add_edge("__start__", "outer")
    )
    assert await app.compile().ainvoke(EMPTY) == {"log": ["beside", "work"]}
    assert (ran, fails.attempts) == (["beside"], 2)


async def test_each_visit_of_a_node_has_its_own_steps_and_attempts() -> None:
    taken: list[int] = []
    fails = [False]

    async def work(state: Any) -> dict[str, Any]:
        found = await step("n", lambda: taken.append(len(state["log"])) or len(state["log"]))
        fails[0] = not fails[0]
        if fails[0]:
            raise ConnectionError
        return {"log": [str(found)]}

    def again(state: Any) -> str:
        return "work" if len(state["log"]) < 3 else "__end__"

    builder = alone(work, retry_policy=retries()).add_conditional_edges("work", again)
    assert await builder.compile().ainvoke(EMPTY) == {"log": ["0", "1", "2"]}
    assert taken == [0, 1, 2]


async def test_a_task_that_failed_for_good_is_run_again_with_its_caller() -> None:
    fails = Fails(3)

    @task(retry_policy=retries(2))
    async def call() -> Any:
        return fails.attempt()

    @entrypoint(retry_policy=retries(2))
    async def run(given: int) -> Any:
        return await call()

    assert await run.ainvoke(1) == {"log": ["work"]}
    assert fails.attempts == 4


async def test_policies_of_many_tasks_under_a_limit_of_concurrency(clock: FakeClock) -> None:
    fails = [Fails(1, name=f"n{i}") for i in range(5)]
    builder: Any = StateGraph(Log).set_node_defaults(retry_policy=RetryPolicy(jitter=False))
    for each in fails:
        builder.add_node(each.node).add_edge("__start__", each.name)
    async with clock.jumping():
        result = await builder.compile().ainvoke(EMPTY, {"max_concurrency": 2})
    assert result == {"log": [each.name for each in fails]}
    assert clock.monotonic() == 1.5


async def test_an_outer_timeout_ends_what_is_inside_and_is_the_outer_nodes(clock: FakeClock) -> None:
    async def inner(state: Any) -> None:
        await time_passes(clock, 10)

    inside = graph(Log, inner, paths=["START inner"]).compile()
    app = (
        graph(Log, paths=[])
        .add_node("outer", inside, timeout=TimeoutPolicy(5))
        .add_edge("__start__", "outer")
    )
    with pytest.raises(NodeTimeoutError) as raised:
        await app.compile().ainvoke(EMPTY)
    assert raised.value.node == "outer"


async def test_signs_of_life_pass_through_a_task_with_a_policy_of_its_own(clock: FakeClock) -> None:
    @task(timeout=100)
    async def call() -> None:
        for _ in range(3):
            await clock.sleep(4)
            get_stream_writer()("x")

    async def work(state: Any) -> None:
        await call()

    async with clock.jumping():
        await alone(work, timeout=TimeoutPolicy(idle_timeout=5)).compile().ainvoke(EMPTY)
    assert clock.monotonic() == 12


async def test_what_a_failed_attempt_called_has_ended_when_the_next_one_begins() -> None:
    log: list[str] = []

    @task
    async def call() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            log.append("call ends")

    async def work(state: Any) -> None:
        log.append("attempt")
        if len(log) == 1:
            call()
            await asyncio.sleep(0)
            raise ConnectionError

    await alone(work, retry_policy=retries()).compile().ainvoke(EMPTY)
    assert log == ["attempt", "call ends", "attempt"]


async def test_a_join_whose_node_was_handled_can_be_filled_again() -> None:
    fails = Fails(1)

    async def again(state: Any) -> Command[Any]:
        return Command(goto=["a", "b"])

    builder = graph(Log, says("a"), says("b"), paths=["START a", "START b"])
    builder.add_node(fails.node, error_handler=again).add_edge(["a", "b"], "work")
    assert await builder.compile().ainvoke(EMPTY) == {"log": ["a", "b", "a", "b", "work"]}


# ---- what is shown


async def test_the_history_has_the_questions_of_a_task_that_failed_after_its_answer() -> None:
    fails = Fails(1)

    async def work(state: Any) -> Any:
        interrupt("sure?")
        return fails.attempt()

    thread: Any = {"configurable": {"thread_id": "t"}}
    app = alone(work, retry_policy=retries()).compile(checkpointer=InMemorySaver())
    await app.ainvoke(EMPTY, thread)
    await app.ainvoke(Command(resume=True), thread)
    before = [entry async for entry in app.aget_state_history(thread)][1]
    assert [question.value for question in before.interrupts] == ["sure?"]


async def test_states_and_histories_show_the_failure_and_its_handler() -> None:
    async def broken(state: Any, error: NodeError) -> None:
        raise OSError("power cut")

    thread: Any = {"configurable": {"thread_id": "t"}}
    saver = InMemorySaver()
    app = alone(Fails(9).node, error_handler=broken).compile(checkpointer=saver)
    with pytest.raises(OSError, match="power cut"):
        await app.ainvoke(EMPTY, thread)
    shown = await app.aget_state(thread)
    assert [(t.name, t.error) for t in shown.tasks] == [
        ("work", "ConnectionError('gone')"),
        ("__error_handler__work", "OSError('power cut')"),
    ]
    assert shown.next == ("__error_handler__work",)
    again = alone(Fails(9).node, error_handler=rescue).compile(checkpointer=saver)
    await again.ainvoke(None, thread)
    before = [entry async for entry in again.aget_state_history(thread)][1]
    assert [(t.name, t.error, t.result) for t in before.tasks] == [
        ("work", "ConnectionError('gone')", None),
        ("__error_handler__work", None, {"log": ["work"]}),
    ]


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
async def test_the_handler_runs_again_at_each_durability(durability: Any) -> None:
    fails, broken = Fails(9), Fails(1, OSError())

    async def handler(state: Any, error: NodeError) -> Any:
        return broken.attempt()

    thread: Any = {"configurable": {"thread_id": "t"}}
    app = alone(fails.node, error_handler=handler).compile(checkpointer=InMemorySaver())
    with pytest.raises(OSError):
        await app.ainvoke(EMPTY, thread, durability=durability)
    assert await app.ainvoke(None, thread, durability=durability) == {"log": ["work"]}
    assert fails.attempts == 1


# ---- names


def test_1_3_policies_have_the_fields_and_defaults_of_langgraphs() -> None:
    policy = RetryPolicy()
    assert (policy.initial_interval, policy.backoff_factor, policy.max_interval) == (0.5, 2.0, 128.0)
    assert (policy.max_attempts, policy.jitter) == (3, True)
    timeout = TimeoutPolicy()
    assert (timeout.run_timeout, timeout.idle_timeout, timeout.refresh_on) == (None, None, "auto")


def test_1_8_errors_of_policies_have_the_attributes_of_langgraphs() -> None:
    error = NodeTimeoutError("n", 1.5, kind="idle", idle_timeout=1.0)
    assert (error.node, error.elapsed, error.kind, error.timeout, error.run_timeout) == (
        "n",
        1.5,
        "idle",
        1.0,
        None,
    )
    assert NodeError("n", error).error is error
