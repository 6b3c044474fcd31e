"""What a function calls ends before it does, whatever it is called from, and takes nothing with it.

What the specification says of tasks is in acceptance/test_q_*; here is what the engine promises beyond that.
"""

import asyncio
import concurrent.futures
import contextvars
import gc
import threading
from typing import Any

import pytest

from graphrt.checkpoint.memory import InMemorySaver
from graphrt.func import entrypoint, step, task
from graphrt.types import Command, interrupt
from tests.acceptance.graphs import Log, graph, thread
from tests.engine.test_garbage import left_behind_by
from tests.engine.worlds import SaverAround, cancelled_after, no_new_tasks, to_its_end, turns

NAME = "graphrt tasks"


def side_loops() -> list[str]:
    """Names of the threads that run loops for sync code which calls tasks."""
    return [thread.name for thread in threading.enumerate() if thread.name == NAME]


@task
def add(number: int) -> int:
    return number + 1


@task
async def add_async(number: int) -> int:
    await turns(1)
    return number + 1


class Stuck:
    """A task that waits until it is cancelled."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.ended = False
        self.wait = task(self.waits)

    async def waits(self) -> None:
        self.begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.ended = True


# ---- sync code that waits for its tasks


async def cancelled_when_begun(stuck: Stuck, run: Any) -> None:
    running = asyncio.ensure_future(run)
    await stuck.begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert stuck.ended


async def test_a_sync_entrypoint_that_waits_for_a_task_can_be_cancelled() -> None:
    stuck = Stuck()

    @entrypoint()
    def calls(given: Any) -> Any:
        return stuck.wait().result()

    await cancelled_when_begun(stuck, calls.ainvoke(1))


async def test_a_sync_node_that_waits_for_a_task_can_be_cancelled() -> None:
    stuck = Stuck()
    app = graph(Log, ("node", lambda state: stuck.wait().result()), paths=["START node"]).compile()
    await cancelled_when_begun(stuck, app.ainvoke({}))


async def test_a_sync_task_that_waits_for_a_task_can_be_cancelled() -> None:
    stuck = Stuck()

    @task
    def waits() -> Any:
        return stuck.wait().result()

    @entrypoint()
    async def calls(given: Any) -> Any:
        return await waits()

    await cancelled_when_begun(stuck, calls.ainvoke(1))


async def test_sync_code_that_was_cancelled_calls_nothing_more() -> None:
    stuck, called = Stuck(), []
    more = task(lambda: called.append("more"))

    @entrypoint()
    def calls(given: Any) -> Any:
        try:
            stuck.wait().result()
        except concurrent.futures.CancelledError:
            return more().result()

    await cancelled_when_begun(stuck, calls.ainvoke(1))
    assert called == []


async def test_a_future_of_sync_code_is_done_when_its_task_has_ended() -> None:
    ended: list[bool] = []
    stuck = Stuck()

    @entrypoint()
    def calls(given: Any) -> Any:
        future = stuck.wait()
        asyncio.run_coroutine_threadsafe(stuck.begun.wait(), loop).result()
        assert future.cancel()
        with pytest.raises(concurrent.futures.CancelledError):
            future.result()
        ended.append(stuck.ended)
        return future.cancelled(), future.cancel()

    loop = asyncio.get_running_loop()
    assert await calls.ainvoke(1) == (True, False)
    assert ended == [True]


# ---- threads that are not the engine's


async def test_tasks_may_be_called_in_threads_that_an_async_node_uses(saver: Any) -> None:
    @entrypoint(checkpointer=saver)
    async def calls(given: Any) -> Any:
        def waits() -> int:
            return add_async(1).result() + add(2).result()

        return await asyncio.to_thread(waits), interrupt("?")

    await calls.ainvoke(1, thread())
    assert await calls.ainvoke(Command(resume="!"), thread()) == (5, "!")
    assert side_loops() == []


@task
async def which_loop() -> Any:
    return asyncio.get_running_loop()


@entrypoint()
async def calls_from_a_thread(given: Any) -> bool:
    return await asyncio.to_thread(lambda: which_loop().result()) is asyncio.get_running_loop()


async def test_they_run_in_the_loop_of_the_run() -> None:
    assert await calls_from_a_thread.ainvoke(1)


def test_also_behind_the_sync_door() -> None:
    assert calls_from_a_thread.invoke(1)


@pytest.mark.parametrize("door", ["sync", "async"])
def test_tasks_may_be_called_in_threads_that_a_sync_node_uses(door: str) -> None:
    def pools(state: Log) -> dict[str, Any]:
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            contexts = [contextvars.copy_context() for _ in range(4)]
            waits = [pool.submit(contexts[n].run, lambda n=n: add(n).result()) for n in range(4)]
        return {"log": [str(wait.result()) for wait in waits]}

    app = graph(Log, pools, paths=["START pools"]).compile()
    result = app.invoke({}) if door == "sync" else asyncio.run(app.ainvoke({}))
    assert result == {"log": ["1", "2", "3", "4"]}
    assert side_loops() == []


# ---- a run that needs no loop


def node(state: Log) -> dict[str, Any]:
    return {"log": [str(future.result()) for future in [add(1), add_async(2)]]}


def test_a_run_without_a_loop_gets_one_for_its_tasks_and_gives_it_back() -> None:
    app = graph(Log, ("p", node), ("q", node), paths=["START p q"]).compile()
    assert app.invoke({}) == {"log": ["2", "3", "2", "3"]}
    assert side_loops() == []


def test_also_if_the_node_fails() -> None:
    def fails(state: Log) -> Any:
        add(1)
        raise KeyError("no")

    with pytest.raises(KeyError):
        graph(Log, fails, paths=["START fails"]).compile().invoke({})
    assert side_loops() == []


def test_also_if_it_pauses() -> None:
    ask = task(lambda: interrupt("?"))
    app = graph(Log, ("node", lambda state: {"log": [add(1).result(), ask().result()]}), paths=["START node"])
    compiled = app.compile(checkpointer=InMemorySaver())
    assert [i.value for i in compiled.invoke({}, thread())["__interrupt__"]] == ["?"]
    assert compiled.invoke(Command(resume="!"), thread()) == {"log": [2, "!"]}
    assert side_loops() == []


def test_a_graph_in_a_node_of_such_a_run_calls_tasks_too() -> None:
    inner = graph(Log, ("inner", node), paths=["START inner"]).compile()
    outer = graph(Log, ("outer", lambda state: inner.invoke({"log": []})), paths=["START outer"]).compile()
    assert outer.invoke({}) == {"log": ["2", "3"]}
    assert side_loops() == []


async def test_and_in_a_worker_thread() -> None:
    inner = graph(Log, ("inner", node), paths=["START inner"]).compile()
    outer = graph(Log, ("outer", lambda state: inner.invoke({"log": []})), paths=["START outer"]).compile()
    assert await outer.ainvoke({}) == {"log": ["2", "3"]}
    assert side_loops() == []


# ---- more that wait than threads


def test_a_deep_chain_of_sync_tasks_needs_no_more_threads_than_there_are() -> None:
    @task
    def deep(number: int) -> int:
        return 0 if number == 0 else 1 + sum(deep(number - 1).result() for _ in range(1))

    @entrypoint()
    def calls(number: int) -> Any:
        return [future.result() for future in [deep(number) for _ in range(50)]]

    assert calls.invoke(3) == [3] * 50


async def test_sync_callers_of_async_tasks_of_sync_nodes_do_not_wait_for_themselves() -> None:
    inner = graph(Log, ("inner", lambda state: {"log": ["inner"]}), paths=["START inner"]).compile()

    @task
    async def runs() -> Any:
        return await inner.ainvoke({"log": []})

    @entrypoint()
    def calls(given: Any) -> Any:
        return runs().result()

    results = await asyncio.gather(*(calls.ainvoke(n) for n in range(60)))
    assert results == [{"log": ["inner"]}] * 60


# ---- nothing stays alive, nothing is lost


def tree(saver: Any, done: list[str]) -> Any:
    """Tasks in tasks beside steps."""

    async def work(word: str) -> str:
        await turns(2)
        done.append(word)
        return word

    leaf = task(work)

    @task
    async def branch(word: str) -> str:
        return "".join(
            await asyncio.gather(leaf(f"{word}1"), step("own", work, f"{word}2"), leaf(f"{word}3"))
        )

    @entrypoint(checkpointer=saver)
    async def root(given: Any) -> str:
        return "".join(await asyncio.gather(branch("a"), branch("b"), step("own", work, "c"))) + await leaf(
            "d"
        )

    return root


@pytest.mark.parametrize("saver", [InMemorySaver, SaverAround])
async def test_cancelled_anywhere_a_run_leaves_nothing_alive_and_repeats_nothing(saver: Any) -> None:
    number, over = 0, False
    while not over:
        done: list[str] = []
        root = tree(saver(), done)
        async with no_new_tasks():
            over, _ = await cancelled_after(number, root.ainvoke(1, thread()))
        assert await to_its_end(root, 1) in ("a1a2a3b1b2b3cd", None)
        assert sorted(done) == ["a1", "a2", "a3", "b1", "b2", "b3", "c", "d"]
        number += 1
    assert number > 5


async def test_what_was_called_does_not_pile_up() -> None:
    seen: list[int] = []

    @entrypoint()
    async def calls(count: int) -> None:
        gc.collect()
        before = len(gc.get_objects())
        for n in range(count):
            await add_async(n)
        gc.collect()
        seen.append(len(gc.get_objects()) - before)

    await calls.ainvoke(2_000)
    assert seen[0] < 100


async def test_tasks_leave_nothing_for_the_collector() -> None:
    app = tree(None, [])
    assert await left_behind_by(lambda: app.ainvoke(1), runs=200) == 0


async def test_questions_leave_nothing_for_the_collector() -> None:
    @task
    async def ask(word: str) -> Any:
        return interrupt(word)

    @entrypoint(checkpointer=InMemorySaver())
    async def calls(given: Any) -> Any:
        asking = ask("p"), ask("q")
        return await asyncio.gather(*asking)

    assert await left_behind_by(lambda: calls.ainvoke(1, thread()), runs=200) == 0


async def test_failures_that_nobody_awaits_are_told_by_asyncio() -> None:
    told: list[Any] = []

    async def fails() -> None:
        raise KeyError("lost")

    called = task(fails)

    @entrypoint()
    async def calls(given: Any) -> str:
        called()
        return "returned"

    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    assert await calls.ainvoke(1) == "returned"
    gc.collect()
    assert [repr(context["exception"]) for context in told] == ["KeyError('lost')"]
