"""Retries: which errors, how often, after what wait, and what an attempt leaves behind (LangGraph O1-O3, H3)."""

import asyncio
import logging
import sys
from types import ModuleType
from typing import Any

import pytest

from graphrt.channels import EphemeralValue
from graphrt.config import get_stream_writer
from graphrt.errors import GraphValidationError
from graphrt.func import entrypoint, step, task
from graphrt.graph import StateGraph
from graphrt.pregel import NodeBuilder, Pregel
from graphrt.runtime import Runtime
from graphrt.testing.clock import FakeClock
from graphrt.types import Command, RetryPolicy, Send, default_retry_on, interrupt
from tests.acceptance.graphs import Log, graph, named, says
from tests.acceptance.policies import AT_ONCE, Fails, alone, retries

EMPTY: Any = {"log": []}


# ---- which errors, how often


async def test_o1_a_failed_node_is_tried_again() -> None:
    fails = Fails(2)
    assert await alone(fails.node, retry_policy=retries()).compile().ainvoke(EMPTY) == {"log": ["work"]}
    assert fails.attempts == 3


async def test_o1_max_attempts_counts_the_first_one() -> None:
    fails = Fails(5)
    with pytest.raises(ConnectionError) as raised:
        await alone(fails.node, retry_policy=retries(2)).compile().ainvoke(EMPTY)
    assert (fails.attempts, raised.value) == (2, fails.error)


def says_x(error: Exception) -> bool:
    return "x" in str(error)


@pytest.mark.parametrize("retry_on", [KeyError, (KeyError, OSError), says_x])
async def test_o1_a_policy_says_which_errors_are_tried_again(retry_on: Any) -> None:
    wanted, other = Fails(1, KeyError("x")), Fails(1, ArithmeticError())
    policy = retries(retry_on=retry_on)
    await alone(wanted.node, retry_policy=policy).compile().ainvoke(EMPTY)
    with pytest.raises(ArithmeticError):
        await alone(other.node, retry_policy=policy).compile().ainvoke(EMPTY)
    assert (wanted.attempts, other.attempts) == (2, 1)


async def test_o1_the_first_policy_that_fits_speaks_and_failures_of_all_kinds_count() -> None:
    errors = [KeyError(), KeyError(), OSError(), OSError()]

    async def work(state: Any) -> None:
        raise errors.pop(0)

    policies = [retries(4, retry_on=KeyError), retries(3, retry_on=OSError), retries(9)]
    with pytest.raises(OSError):
        await alone(work, retry_policy=policies).compile().ainvoke(EMPTY)
    assert len(errors) == 1  # the third failure is the first OSError, and its policy has had three attempts


async def test_o1_waits_grow_up_to_a_limit(clock: FakeClock) -> None:
    began: list[float] = []

    async def work(state: Any) -> None:
        began.append(clock.monotonic())
        raise ConnectionError

    policy = RetryPolicy(1.0, backoff_factor=3.0, max_interval=5.0, max_attempts=5, jitter=False)
    async with clock.jumping():
        with pytest.raises(ConnectionError):
            await alone(work, retry_policy=policy).compile().ainvoke(EMPTY)
    assert began == [0, 1, 4, 9, 14]


async def test_o1_jitter_adds_up_to_a_second(clock: FakeClock) -> None:
    fails = Fails(1)
    policy = RetryPolicy(2.0)
    expected = 2 + FakeClock().jitter()
    async with clock.jumping():
        await alone(fails.node, retry_policy=policy).compile().ainvoke(EMPTY)
    assert clock.monotonic() == pytest.approx(expected)
    assert 2 < expected < 3


def test_o1_without_a_loop_the_wait_blocks_the_thread(clock: FakeClock) -> None:
    fails = Fails(1)
    policy = RetryPolicy(2.0, jitter=False)
    assert alone(fails.plain, retry_policy=policy).compile().invoke(EMPTY) == {"log": ["work"]}
    assert clock.monotonic() == 2


def test_o1_attempts_are_written_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "graphrt"):
        alone(Fails(1).plain, retry_policy=retries()).compile().invoke(EMPTY)
    assert "'work' failed in attempt 1 and is tried again in 0.00 s: ConnectionError('gone')" in caplog.text


# ---- what an attempt leaves behind


async def test_o1_what_a_failed_attempt_wrote_is_gone() -> None:
    attempts: list[int] = []

    async def work(state: Any) -> Any:
        return Command(update={"log": ["work"]}, goto=Send("told", EMPTY))

    def route(state: Any) -> str:
        attempts.append(1)
        if len(attempts) == 1:
            raise ConnectionError  # a router's error is its node's
        return "__end__"

    builder = alone(work, says("told"), retry_policy=retries()).add_conditional_edges("work", route)
    assert await builder.compile().ainvoke(EMPTY) == {"log": ["work", "told"]}
    assert len(attempts) == 2


async def test_o1_each_attempt_has_context_variables_of_its_own() -> None:
    from contextvars import ContextVar

    mark: ContextVar[int] = ContextVar("mark", default=0)
    seen: list[int] = []

    async def work(state: Any) -> None:
        seen.append(mark.get())
        mark.set(1)
        if len(seen) == 1:
            raise ConnectionError

    await alone(work, retry_policy=retries()).compile().ainvoke(EMPTY)
    assert seen == [0, 0]


async def test_o1_execution_info_counts_the_attempts(clock: FakeClock) -> None:
    seen: list[tuple[int, float | None]] = []

    async def work(state: Any, runtime: Runtime) -> None:
        info = runtime.execution_info
        seen.append((info.node_attempt, info.node_first_attempt_time))
        if len(seen) < 3:
            raise ConnectionError

    began = clock.time()
    async with clock.jumping():
        await alone(work, retry_policy=RetryPolicy()).compile().ainvoke(EMPTY)
    assert seen == [(1, began), (2, began), (3, began)]


async def test_o1_the_task_stays_the_same_task() -> None:
    seen: set[str] = set()

    async def work(state: Any, runtime: Runtime) -> None:
        seen.add(runtime.execution_info.task_id)
        if runtime.execution_info.node_attempt == 1:
            raise ConnectionError

    await alone(work, retry_policy=retries()).compile().ainvoke(EMPTY)
    assert len(seen) == 1


async def test_o1_siblings_are_not_run_again() -> None:
    fails, ran = Fails(2), list[str]()

    async def beside(state: Any) -> None:
        ran.append("beside")

    builder = alone(fails.node, beside, retry_policy=retries()).add_edge("__start__", "beside")
    assert await builder.compile().ainvoke(EMPTY) == {"log": ["work"]}
    assert (fails.attempts, ran) == (3, ["beside"])


async def test_o1_a_question_is_no_failure(saver: Any, thread: Any) -> None:
    asked: list[int] = []

    async def work(state: Any) -> dict[str, Any]:
        asked.append(1)
        return {"log": [interrupt("?")]}

    app = alone(work, retry_policy=retries()).compile(checkpointer=saver)
    await app.ainvoke(EMPTY, thread)
    assert len(asked) == 1
    assert await app.ainvoke(Command(resume="yes"), thread) == {"log": ["yes"]}


async def test_o1_questions_are_counted_anew_in_each_attempt(saver: Any, thread: Any) -> None:
    fails = Fails(1)

    async def work(state: Any) -> dict[str, Any]:
        answers = [interrupt("first")]
        fails.attempt()
        return {"log": [*answers, interrupt("second")]}

    app = alone(work, retry_policy=retries()).compile(checkpointer=saver)
    for given in (EMPTY, Command(resume="1"), Command(resume="2")):
        result = await app.ainvoke(given, thread)
    assert (result, fails.attempts) == ({"log": ["1", "2"]}, 3)


async def test_o1_a_cancelled_node_is_not_tried_again() -> None:
    entered = asyncio.Event()
    attempts: list[int] = []

    async def work(state: Any) -> None:
        attempts.append(1)
        entered.set()
        await asyncio.Event().wait()

    running = asyncio.ensure_future(alone(work, retry_policy=retries()).compile().ainvoke(EMPTY))
    await entered.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert len(attempts) == 1


async def test_o1_a_run_can_be_cancelled_while_it_waits_for_the_next_attempt(clock: FakeClock) -> None:
    fails = Fails(1)
    running = asyncio.ensure_future(alone(fails.node, retry_policy=RetryPolicy()).compile().ainvoke(EMPTY))
    await clock.advance(0.1)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert fails.attempts == 1


# ---- what an attempt may go on from


def paid_twice(fails: Fails) -> tuple[Any, list[str]]:
    """A node that takes a step, calls a task and runs a graph before it fails; and what was done."""
    done: list[str] = []

    @task
    async def call(word: str) -> str:
        done.append("call")
        return word

    async def inner(state: Any) -> dict[str, Any]:
        done.append("graph")
        return {"log": ["graph"]}

    inside = graph(Log, inner, paths=["START inner"]).compile()

    async def work(state: Any) -> dict[str, Any]:
        found = [await step("a", lambda: done.append("step") or "step"), await call("call")]
        found += (await inside.ainvoke({"log": []}))["log"]
        fails.attempt()
        return {"log": found}

    return work, done


async def test_o1_steps_calls_and_graphs_of_an_earlier_attempt_are_not_done_again(
    saver: Any, thread: Any
) -> None:
    work, done = paid_twice(Fails(2))
    app = alone(work, retry_policy=retries()).compile(checkpointer=saver)
    assert await app.ainvoke(EMPTY, thread) == {"log": ["step", "call", "graph"]}
    assert done == ["step", "call", "graph"]


async def test_o1_they_are_not_done_again_without_a_checkpointer_either() -> None:
    work, done = paid_twice(Fails(2))
    assert await alone(work, retry_policy=retries()).compile().ainvoke(EMPTY) == {
        "log": ["step", "call", "graph"]
    }
    assert done == ["step", "call", "graph"]


async def test_o1_a_graph_that_failed_goes_on_where_it_failed(saver: Any, thread: Any) -> None:
    fails = Fails(1)
    inside = graph(Log, says("before"), fails.node, paths=["START before work"]).compile()

    async def outer(state: Any) -> Any:
        return await inside.ainvoke({"log": []})

    app = alone(named("outer", outer), retry_policy=retries()).compile(checkpointer=saver)
    shown = [chunk async for chunk in app.astream(EMPTY, thread, stream_mode="updates", subgraphs=True)]
    assert [next(iter(update)) for _, update in shown] == ["before", "work", "outer"]


async def test_o1_a_graph_that_failed_goes_on_without_a_checkpointer() -> None:
    fails = Fails(1)
    ran: list[str] = []

    async def before(state: Any) -> dict[str, Any]:
        ran.append("before")
        return {"log": ["before"]}

    inside = graph(Log, before, fails.node, paths=["START before work"]).compile()

    def outer(state: Any) -> Any:
        return inside.ainvoke({"log": []})

    app = alone(outer, retry_policy=retries()).compile()
    assert await app.ainvoke(EMPTY) == {"log": ["before", "work"]}
    assert (ran, fails.attempts) == (["before"], 2)


async def test_o1_what_was_written_to_the_stream_stays_there() -> None:
    fails = Fails(1)

    async def work(state: Any) -> dict[str, Any]:
        get_stream_writer()("seen")
        return fails.attempt()

    app = alone(work, retry_policy=retries()).compile()
    assert [chunk async for chunk in app.astream(EMPTY, stream_mode="custom")] == ["seen", "seen"]


# ---- O2


class Response:
    def __init__(self, status_code: int) -> None:
        self.status_code = status_code


@pytest.mark.parametrize("module, name", [("httpx", "HTTPStatusError"), ("requests", "HTTPError")])
def test_o2_of_http_errors_those_from_500_on_are_tried_again(
    monkeypatch: pytest.MonkeyPatch, module: str, name: str
) -> None:
    class HttpError(OSError):
        def __init__(self, status_code: int) -> None:
            self.response = Response(status_code)

    library = ModuleType(module)
    setattr(library, name, HttpError)
    monkeypatch.setitem(sys.modules, module, library)
    assert [default_retry_on(HttpError(status)) for status in (404, 429, 500, 503)] == [
        False,
        False,
        True,
        True,
    ]


@pytest.mark.parametrize(
    "error",
    [
        *(
            ValueError(),
            TypeError(),
            ArithmeticError(),
            ImportError(),
            LookupError(),
            NameError(),
            SyntaxError(),
        ),
        *(RuntimeError(), ReferenceError(), StopIteration(), StopAsyncIteration(), OSError(), KeyError()),
    ],
    ids=repr,
)
def test_o2_errors_of_the_program_are_not_tried_again(error: Exception) -> None:
    assert not default_retry_on(error)


@pytest.mark.parametrize(
    "error", [ConnectionError(), ConnectionResetError(), Exception(), EOFError()], ids=repr
)
def test_o2_everything_else_is(error: Exception) -> None:
    assert default_retry_on(error)


# ---- O3


@pytest.mark.parity("D7", "O3")
async def test_o3_defaults_are_for_nodes_that_say_nothing() -> None:
    told, own = Fails(1, name="told"), Fails(1, name="own")
    builder: Any = StateGraph(Log).add_node(told.node).add_node(own.node, retry_policy=retries(1))
    builder.set_node_defaults(retry_policy=retries()).add_edge("__start__", "told").add_edge("told", "own")
    with pytest.raises(ConnectionError):
        await builder.compile().ainvoke(EMPTY)
    assert (told.attempts, own.attempts) == (2, 1)


async def test_o3_an_entrypoints_policy_is_that_of_its_tasks() -> None:
    plain, own = Fails(1), Fails(1)

    @task
    async def default() -> Any:
        return plain.attempt()

    @task(retry_policy=retries(1))
    async def differs() -> Any:
        return own.attempt()

    @entrypoint(retry_policy=retries())
    async def run(given: int) -> list[int]:
        await default()
        with pytest.raises(ConnectionError):
            await differs()
        return [plain.attempts, own.attempts]

    assert await run.ainvoke(0) == [2, 1]


@pytest.mark.parametrize("kind", ["async", "plain"])
async def test_o3_a_task_is_tried_again(kind: str) -> None:
    fails = Fails(2)
    work: Any = task(retry_policy=retries())(fails.plain if kind == "plain" else fails.node)

    @entrypoint()
    async def run(given: int) -> Any:
        return await work(EMPTY)

    assert await run.ainvoke(0) == {"log": ["work"]}
    assert fails.attempts == 3


async def test_o3_an_entrypoint_is_tried_again_and_its_tasks_are_not() -> None:
    fails, done = Fails(1), list[str]()

    @task
    async def call() -> None:
        done.append("call")

    @entrypoint(retry_policy=retries())
    async def run(given: int) -> Any:
        await call()
        return fails.attempt()

    assert await run.ainvoke(0) == {"log": ["work"]}
    assert done == ["call"]


async def test_o3_a_programs_policy_is_that_of_its_nodes() -> None:
    told, own = Fails(1), Fails(1)

    def program(node: NodeBuilder) -> Any:
        return Pregel(
            nodes={"n": node},
            channels={"a": EphemeralValue(Any), "b": EphemeralValue(Any)},
            input_channels="a",
            output_channels="b",
            retry_policy=retries(),
        )

    told_node = NodeBuilder().subscribe_only("a").do(told.node).write_to("b")
    own_node = NodeBuilder().subscribe_only("a").do(own.node).write_to("b").add_retry_policies(retries(1))
    assert await program(told_node).ainvoke(1) == {"log": ["work"]}
    with pytest.raises(ConnectionError):
        await program(own_node).ainvoke(1)


def test_o3_what_is_no_policy_is_refused() -> None:
    with pytest.raises(GraphValidationError, match="retry_policy must be RetryPolicy"):
        alone(Fails(0).node, retry_policy={"max_attempts": 3})
    with pytest.raises(GraphValidationError, match="max_attempts must be at least 1"):
        alone(Fails(0).node, retry_policy=RetryPolicy(max_attempts=0))
    assert AT_ONCE
