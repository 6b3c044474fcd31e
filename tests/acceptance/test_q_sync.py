"""Functions that are not async: entrypoints and tasks in worker threads, futures with `result()` (LangGraph Q6)."""

import asyncio
import concurrent.futures
import threading
from contextvars import ContextVar
from typing import Any

import pytest

from graphrt.checkpoint.memory import InMemorySaver
from graphrt.config import get_stream_writer
from graphrt.func import entrypoint, task
from graphrt.types import Command, interrupt
from tests.acceptance.graphs import Log, graph, thread

who: ContextVar[str] = ContextVar("who", default="nobody")


@task
def add(number: int, by: int = 1) -> int:
    return number + by


@task
async def add_async(number: int) -> int:
    return number + 1


@task
def fails(word: str) -> Any:
    raise KeyError(word)


@entrypoint()
def adds(number: int) -> Any:
    futures = [add(number), add(number, by=2)]
    return [future.result() for future in futures]


@pytest.mark.parity("Q6", "1.4")
def test_q6_a_sync_entrypoint_takes_results_from_futures() -> None:
    assert adds.invoke(1) == [2, 3]


@pytest.mark.parity("Q6")
async def test_q6_it_does_so_behind_the_async_door_too() -> None:
    assert await adds.ainvoke(1) == [2, 3]


@pytest.mark.parity("Q6")
def test_q6_it_gets_futures_of_the_standard_library() -> None:
    @entrypoint()
    def calls(number: int) -> Any:
        future = add(number)
        concurrent.futures.wait([future], timeout=30)  # type: ignore[list-item]
        return isinstance(future, concurrent.futures.Future), future.done(), future.exception()

    assert calls.invoke(1) == (True, True, None)


@pytest.mark.parity("Q6")
def test_q6_tasks_of_a_sync_entrypoint_run_at_the_same_time() -> None:
    barrier = threading.Barrier(4, timeout=30)
    meet = task(barrier.wait)

    @entrypoint()
    def calls(number: int) -> Any:
        futures = [meet() for _ in range(number)]
        barrier.wait()
        return sorted([future.result() >= 0 for future in futures])

    assert calls.invoke(3) == [True] * 3


@pytest.mark.parity("Q6")
async def test_q6_sync_tasks_of_an_async_entrypoint_run_in_worker_threads() -> None:
    barrier = threading.Barrier(3, timeout=30)

    @task
    def meet() -> int:
        barrier.wait()
        return threading.get_ident()

    @entrypoint()
    async def calls(number: int) -> Any:
        return await asyncio.gather(*(meet() for _ in range(number)))

    assert threading.get_ident() not in await calls.ainvoke(3)


@pytest.mark.parity("Q6")
def test_q6_sync_tasks_may_call_sync_tasks() -> None:
    @task
    def twice(number: int) -> int:
        futures = [add(number), add(number)]
        return sum(future.result() for future in futures)

    @entrypoint()
    def calls(number: int) -> Any:
        return [future.result() for future in [twice(number), twice(number + 1)]]

    assert calls.invoke(1) == [4, 6]


@pytest.mark.parity("Q6", differs="max_concurrency: LangGraph hangs, as tasks that wait take all its threads")
async def test_q6_more_callers_may_wait_than_there_are_worker_threads() -> None:
    @task
    def twice(number: int) -> int:
        return add(number).result() + add(number).result()

    @entrypoint()
    async def calls(count: int) -> Any:
        return sum(await asyncio.gather(*(twice(n) for n in range(count))))

    async with asyncio.timeout(60):
        assert await calls.ainvoke(100) == 2 * sum(range(1, 101))


@pytest.mark.parity(
    "Q6", "A16", differs="max_concurrency: LangGraph hangs, as tasks that wait for tasks keep their places"
)
def test_q6_max_concurrency_does_not_count_sync_tasks_that_wait() -> None:
    @task
    def depth(number: int) -> int:
        return 0 if number == 0 else 1 + depth(number - 1).result(timeout=30)

    @entrypoint()
    def calls(number: int) -> int:
        return depth(number).result(timeout=30)

    assert calls.invoke(5, {"max_concurrency": 1}) == 5


@pytest.mark.parity("Q6", differs="async-tasks-in-sync-code: LangGraph allows it behind the async door only")
def test_q6_an_async_task_may_be_called_in_sync_code() -> None:
    @entrypoint()
    def calls(number: int) -> int:
        return add_async(number).result()

    assert calls.invoke(1) == 2


@pytest.mark.parity("Q6")
async def test_q6_an_async_task_may_be_called_in_sync_code_of_an_async_run() -> None:
    @entrypoint()
    def calls(number: int) -> int:
        return add_async(number).result()

    assert await calls.ainvoke(1) == 2


@pytest.mark.parity("Q6", differs="async-nodes-behind-invoke: LangGraph refuses them")
def test_q6_an_async_entrypoint_may_be_invoked() -> None:
    @entrypoint()
    async def calls(number: int) -> int:
        return await add_async(number) + await add(number)

    assert calls.invoke(1) == 4


@pytest.mark.parity("Q6")
@pytest.mark.parametrize("beside", [False, True])
def test_q6_tasks_may_be_called_in_sync_nodes(beside: bool) -> None:
    barrier = threading.Barrier(2, timeout=30)
    meet = task(barrier.wait)

    def node(state: Log) -> dict[str, Any]:
        futures = [add(1), meet(), meet()]
        return {"log": [str(futures[0].result()), str(futures[1].result() + futures[2].result())]}

    nodes = [("p", node), ("q", lambda state: None)] if beside else [("p", node)]
    app = graph(Log, *nodes, paths=[f"START {name}" for name, _ in nodes]).compile()
    assert app.invoke({}) == {"log": ["2", "1"]}


@pytest.mark.parity("Q6")
def test_q6_a_failed_tasks_future_raises_and_may_be_asked() -> None:
    @entrypoint()
    def calls(word: str) -> Any:
        future = fails(word)
        try:
            future.result()
        except KeyError as error:
            return error is future.exception(), future.done(), error.args

    assert calls.invoke("lost") == (True, True, ("lost",))


@pytest.mark.parity("Q6", "Q5")
def test_q6_what_a_sync_task_raises_reaches_the_caller() -> None:
    @entrypoint()
    def calls(word: str) -> Any:
        return fails(word).result()

    with pytest.raises(KeyError, match="lost") as raised:
        calls.invoke("lost")
    (note,) = raised.value.__notes__
    assert [line.split("'")[1] for line in note.splitlines()] == ["fails", "calls"]


@pytest.mark.parity("Q6", "Q9")
def test_q6_sync_tasks_that_nobody_asks_end_before_the_run() -> None:
    ended: list[int] = []
    may_end = threading.Event()

    @task
    def work(number: int) -> None:
        may_end.wait(30)
        ended.append(number)

    @entrypoint()
    def calls(number: int) -> str:
        work(number)
        threading.Timer(0, may_end.set).start()
        return "returned"

    assert calls.invoke(1) == "returned"
    assert ended == [1]


@pytest.mark.parity("Q6", "Q9")
def test_q6_in_the_sync_nodes_of_a_graph_too() -> None:
    ended: list[int] = []
    may_end = threading.Event()

    @task
    def work(number: int) -> None:
        may_end.wait(30)
        ended.append(number)

    def node(state: Log) -> dict[str, Any]:
        work(1)
        threading.Timer(0, may_end.set).start()
        return {"log": ["node"]}

    assert graph(Log, node, paths=["START node"]).compile().invoke({}) == {"log": ["node"]}
    assert ended == [1]


@pytest.mark.parity("G2")
def test_q6_sync_tasks_see_their_callers_context_variables() -> None:
    @task
    def reads_and_sets() -> str:
        before = who.get()
        who.set("task")
        return before

    @entrypoint()
    def calls(word: str) -> Any:
        who.set(word)
        return reads_and_sets().result(), who.get()

    assert calls.invoke("caller") == ("caller", "caller")


@pytest.mark.parity("Q6", "J4")
def test_q6_sync_tasks_write_to_the_stream() -> None:
    @task
    def says(word: str) -> None:
        get_stream_writer()(word)

    @entrypoint()
    def calls(word: str) -> None:
        says(word).result()

    assert list(calls.stream("hello", stream_mode="custom")) == ["hello"]


@pytest.mark.parity("Q6", "Q2")
def test_q6_a_sync_entrypoint_is_given_what_it_saved() -> None:
    @entrypoint(checkpointer=InMemorySaver())
    def total(number: int, *, previous: int | None = None) -> int:
        return number + (previous or 0)

    assert [total.invoke(n, thread()) for n in (1, 2)] == [1, 3]


@pytest.mark.parity("Q6", "Q4", "Q5")
async def test_q6_sync_tasks_and_entrypoints_may_be_interrupted(saver: Any) -> None:
    bodies: list[str] = []

    @task
    def work(word: str) -> str:
        bodies.append(word)
        return word

    @task
    def ask(word: str) -> str:
        return f"{word} {interrupt(word)}"

    @entrypoint(checkpointer=saver)
    def calls(word: str) -> Any:
        done = work("before")
        return done.result(), ask(word).result(), work("after").result()

    paused = await calls.ainvoke("why", thread())
    assert [i.value for i in paused["__interrupt__"]] == ["why"]
    assert await calls.ainvoke(Command(resume="so"), thread()) == ("before", "why so", "after")
    assert bodies == ["before", "after"]
