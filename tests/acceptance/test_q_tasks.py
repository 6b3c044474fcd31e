"""Tasks in async code: futures, concurrency, nesting, failures, and who waits for whom (LangGraph Q3, Q5, Q7, Q9)."""

import asyncio
from contextvars import ContextVar
from typing import Any, TypedDict

import pytest

from graphrt.config import RunnableConfig, get_config
from graphrt.func import entrypoint, task
from graphrt.graph import StateGraph
from graphrt.runtime import Runtime
from graphrt.types import StreamWriter
from tests.acceptance.graphs import Log, graph, named
from tests.acceptance.streams import chunks, others_had_their_turn

who: ContextVar[str] = ContextVar("who", default="nobody")


@task
async def add(left: int, right: int = 1) -> int:
    return left + right


@task
async def fails(word: str) -> Any:
    raise KeyError(word)


class Stuck:
    """Tasks that wait until they are cancelled, or released; `left` says how each of them ended."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.release = asyncio.Event()
        self.left: list[str] = []
        self.wait = task(self.waits)

    async def waits(self, name: str) -> str:
        self.begun.set()
        try:
            await self.release.wait()
        except asyncio.CancelledError:
            self.left.append(f"{name} cancelled")
            raise
        self.left.append(name)
        return name


@pytest.mark.parity("Q3", "1.4")
async def test_q3_calling_a_task_gives_a_future() -> None:
    @entrypoint()
    async def calls(number: int) -> Any:
        future = add(number)
        return asyncio.isfuture(future), future.done(), await future, future.done()

    assert await calls.ainvoke(1) == (True, False, 2, True)


@pytest.mark.parity("Q3")
async def test_q3_a_task_takes_arguments_as_its_function_does() -> None:
    @entrypoint()
    async def calls(number: int) -> Any:
        return [await add(number), await add(number, 2), await add(right=3, left=number)]

    assert await calls.ainvoke(1) == [2, 3, 4]


@pytest.mark.parity("Q3")
async def test_q3_tasks_run_at_the_same_time_as_their_caller() -> None:
    barrier = asyncio.Barrier(4)

    @task
    async def meet() -> None:
        async with asyncio.timeout(30):
            await barrier.wait()

    @entrypoint()
    async def calls(number: int) -> None:
        futures = [meet() for _ in range(number)]
        async with asyncio.timeout(30):
            await barrier.wait()
        await asyncio.gather(*futures)

    await calls.ainvoke(3)


@pytest.mark.parity("Q3")
async def test_q3_gathered_results_keep_the_order_of_the_calls() -> None:
    @entrypoint()
    async def calls(count: int) -> Any:
        return await asyncio.gather(*(add(n) for n in range(count)))

    assert await calls.ainvoke(100) == list(range(1, 101))


@pytest.mark.parity("Q3")
async def test_q3_results_may_be_taken_as_they_come() -> None:
    @entrypoint()
    async def calls(count: int) -> Any:
        futures = [add(n) for n in range(count)]
        return sorted([await future for future in asyncio.as_completed(futures)])

    assert await calls.ainvoke(10) == list(range(1, 11))


@pytest.mark.parity("Q3")
async def test_q3_tasks_may_be_called_in_the_nodes_of_a_graph() -> None:
    async def node(state: Log) -> dict[str, Any]:
        return {"log": [str(n) for n in await asyncio.gather(add(1), add(2))]}

    app = graph(Log, ("p", node), ("q", node), paths=["START p", "START q"]).compile()
    assert await app.ainvoke({}) == {"log": ["2", "3", "2", "3"]}


@pytest.mark.parity("Q3", "G13")
async def test_q3_a_task_does_not_begin_before_its_caller_waits() -> None:
    begun: list[int] = []

    @task
    async def begin(number: int) -> None:
        begun.append(number)

    @entrypoint()
    async def calls(number: int) -> Any:
        future = begin(number)
        before = list(begun)
        await future
        return before, begun

    assert await calls.ainvoke(1) == ([], [1])


@pytest.mark.parity("Q3", "F1", "F2")
async def test_q3_every_call_has_a_path_and_an_id_of_its_own() -> None:
    @task
    async def own(word: str) -> Any:
        return get_config()["metadata"]["langgraph_path"], get_config()["metadata"]["langgraph_node"]

    @entrypoint()
    async def wf(number: int) -> Any:
        return [await own("word") for _ in range(number)]

    assert await wf.ainvoke(2) == [
        (("__pregel_push", ("__pregel_pull", "wf"), 0, True), "own"),
        (("__pregel_push", ("__pregel_pull", "wf"), 1, True), "own"),
    ]
    starts = [c for c in await chunks(wf, 2, stream_mode="tasks") if "input" in c]
    assert len({c["id"] for c in starts}) == 3


@pytest.mark.parity("1.4")
@pytest.mark.parametrize(
    "called, name",
    [
        (task(name="other")(add.func), "other"),
        (task(lambda number: number + 1), "<lambda>"),
        (task(Stuck.__init__), "__init__"),
    ],
)
def test_q3_a_task_is_named_after_its_function_unless_told_otherwise(called: Any, name: str) -> None:
    assert called.__name__ == name


@pytest.mark.parity("1.4")
async def test_q3_a_bound_method_and_an_object_can_be_tasks() -> None:
    class Adder:
        async def method(self, number: int) -> int:
            return number + 1

        async def __call__(self, number: int) -> int:
            return number + 2

    method, instance = task(Adder().method), task(Adder())

    @entrypoint()
    async def calls(number: int) -> Any:
        return await method(number), await instance(number)

    updates = await chunks(calls, 1)
    assert updates == [{"method": 2}, {"Adder": 3}, {"calls": (2, 3)}]


@pytest.mark.parity(
    "1.4",
    differs="declaring-entrypoints-and-tasks: in LangGraph a task in a class body does not get its instance",
)
async def test_q3_a_method_can_be_a_task() -> None:
    class Adder:
        def __init__(self, by: int) -> None:
            self.by = by

        @task
        async def add(self, number: int) -> int:
            return number + self.by

    @entrypoint()
    async def calls(number: int) -> Any:
        return await Adder(3).add(number)

    assert await calls.ainvoke(1) == 4


@pytest.mark.parity("G3")
async def test_q3_tasks_are_injected_what_they_ask_for_by_name() -> None:
    @task
    async def asks(word: str, config: RunnableConfig, writer: StreamWriter, runtime: Runtime[str]) -> Any:
        writer(word)
        return config["metadata"]["langgraph_node"], runtime.context

    @entrypoint()
    async def calls(word: str) -> Any:
        return await asks(word)  # type: ignore[call-arg]

    modes: list[Any] = ["custom", "values"]
    assert await chunks(calls, "hello", stream_mode=modes, context="me") == [
        ("custom", "hello"),
        ("values", ("asks", "me")),
    ]


@pytest.mark.parity("G3")
async def test_q3_what_the_caller_passes_is_not_replaced() -> None:
    @task
    async def asks(config: RunnableConfig) -> Any:
        return config

    @entrypoint()
    async def calls(word: str) -> Any:
        return await asks(config={"tags": [word]})

    assert await calls.ainvoke("mine") == {"tags": ["mine"]}


@pytest.mark.parity("G2")
async def test_q3_tasks_see_their_callers_context_variables_and_keep_their_own() -> None:
    @task
    async def reads_and_sets() -> str:
        before = who.get()
        who.set("task")
        return before

    @entrypoint()
    async def calls(word: str) -> Any:
        who.set(word)
        return await asyncio.gather(reads_and_sets(), reads_and_sets()), who.get()

    assert await calls.ainvoke("caller") == (["caller", "caller"], "caller")


@pytest.mark.parity(
    "Q3", "A16", differs="max_concurrency: LangGraph hangs, as tasks that wait for tasks keep their places"
)
async def test_q3_max_concurrency_does_not_count_tasks_that_wait_for_tasks() -> None:
    @task
    async def sums(depth: int) -> int:
        return 1 if depth == 0 else sum(await asyncio.gather(sums(depth - 1), sums(depth - 1)))

    @entrypoint()
    async def calls(depth: int) -> int:
        return await sums(depth)

    async with asyncio.timeout(30):
        assert await calls.ainvoke(4, {"max_concurrency": 1}) == 16


@pytest.mark.parity("A16")
async def test_q3_max_concurrency_bounds_the_tasks_that_run_at_a_time() -> None:
    running = most = 0

    @task
    async def work(number: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        return number

    @entrypoint()
    async def calls(count: int) -> Any:
        return await asyncio.gather(*(work(n) for n in range(count)))

    assert await calls.ainvoke(20, {"max_concurrency": 4}) == list(range(20))
    assert most <= 4


# ---- nesting and failures


@pytest.mark.parity("Q5")
async def test_q5_tasks_may_call_tasks() -> None:
    @task
    async def twice(number: int) -> int:
        return await add(number) + await add(number)

    @entrypoint()
    async def calls(number: int) -> Any:
        return await asyncio.gather(twice(number), twice(number + 1))

    assert await calls.ainvoke(1) == [4, 6]


@pytest.mark.parity("Q5")
async def test_q5_tasks_may_run_graphs() -> None:
    @task
    async def run(number: int) -> Any:
        return await inner.ainvoke(number)

    @entrypoint()
    async def inner(number: int) -> int:
        return await add(number)

    @entrypoint()
    async def calls(number: int) -> Any:
        return await asyncio.gather(run(number), run(number + 1))

    assert await calls.ainvoke(1) == [2, 3]


@pytest.mark.parity("Q5")
async def test_q5_what_a_task_raises_reaches_whoever_awaits_it() -> None:
    @entrypoint()
    async def calls(word: str) -> Any:
        return await fails(word)

    with pytest.raises(KeyError, match="lost") as raised:
        await calls.ainvoke("lost")
    (note,) = raised.value.__notes__
    assert [line.split("'")[1] for line in note.splitlines()] == ["fails", "calls"]


@pytest.mark.parity("Q5")
async def test_q5_what_a_task_raises_may_be_caught() -> None:
    @entrypoint()
    async def calls(word: str) -> Any:
        try:
            return await fails(word)
        except KeyError as error:
            return f"caught {error.args[0]}"

    assert await calls.ainvoke("lost") == "caught lost"


@pytest.mark.parity("Q5")
async def test_q5_gather_may_return_what_tasks_raise() -> None:
    @entrypoint()
    async def calls(word: str) -> Any:
        results = await asyncio.gather(add(1), fails(word), return_exceptions=True)
        return [repr(result) for result in results]

    assert await calls.ainvoke("lost") == ["2", "KeyError('lost')"]


@pytest.mark.parity("Q5")
async def test_q5_cancelling_the_future_cancels_the_task() -> None:
    stuck = Stuck()

    @entrypoint()
    async def calls(word: str) -> Any:
        future = stuck.wait(word)
        await stuck.begun.wait()
        future.cancel()
        with pytest.raises(asyncio.CancelledError):
            await future
        await others_had_their_turn()
        return list(stuck.left)

    assert await calls.ainvoke("task") == ["task cancelled"]


@pytest.mark.parity("Q7")
@pytest.mark.parametrize("called", [add, task(lambda number: number)])
async def test_q7_a_task_called_outside_of_a_run_is_an_error(called: Any) -> None:
    with pytest.raises(RuntimeError, match="outside"):
        called(1)


@pytest.mark.parity("Q9")
async def test_q9_tasks_that_nobody_awaits_end_before_the_run() -> None:
    ended: list[str] = []

    @task
    async def work(word: str) -> None:
        await others_had_their_turn()
        ended.append(word)

    @entrypoint()
    async def calls(word: str) -> str:
        work(word)
        return "returned"

    assert await calls.ainvoke("work") == "returned"
    assert ended == ["work"]


@pytest.mark.parity("Q9")
async def test_q9_so_do_those_in_the_nodes_of_a_graph() -> None:
    ended: list[str] = []

    @task
    async def work(word: str) -> None:
        await others_had_their_turn()
        ended.append(word)

    async def node(state: Any) -> dict[str, Any]:
        work(state["word"])
        return {}

    class State(TypedDict):
        word: str

    builder = StateGraph(State).add_node("p", node).add_node("q", named("q", lambda state: None))
    await builder.add_edge("__start__", "p").add_edge("p", "q").compile().ainvoke({"word": "work"})
    assert ended == ["work"]


@pytest.mark.parity("Q9")
async def test_q9_a_task_that_nobody_awaits_may_call_tasks() -> None:
    ended: list[int] = []

    @task
    async def inner(number: int) -> None:
        await others_had_their_turn()
        ended.append(number)

    @task
    async def outer(number: int) -> None:
        inner(number)

    @entrypoint()
    async def calls(number: int) -> None:
        outer(number)

    await calls.ainvoke(1)
    assert ended == [1]


@pytest.mark.parity("Q9", "G9")
async def test_q9_when_a_caller_fails_its_tasks_are_cancelled() -> None:
    stuck = Stuck()

    @entrypoint()
    async def calls(word: str) -> Any:
        stuck.wait(word)
        await stuck.begun.wait()
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await calls.ainvoke("task")
    assert stuck.left == ["task cancelled"]


@pytest.mark.parity("Q9", "G12")
async def test_q9_when_a_run_is_cancelled_so_are_its_tasks() -> None:
    stuck = Stuck()

    @task
    async def outer(word: str) -> Any:
        return await stuck.wait(word)

    @entrypoint()
    async def calls(word: str) -> Any:
        return await outer(word)

    run = asyncio.create_task(calls.ainvoke("task"))
    await stuck.begun.wait()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert stuck.left == ["task cancelled"]


@pytest.mark.parity(
    "Q9", "G9", differs="the-order-of-what-ends: LangGraph does not wait for what cancelled tasks still do"
)
async def test_q9_cancelled_tasks_are_waited_for() -> None:
    begun, ended = asyncio.Event(), []

    @task
    async def tidies(word: str) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            await others_had_their_turn()
            ended.append(word)

    @entrypoint()
    async def calls(word: str) -> Any:
        tidies(word)
        await begun.wait()
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await calls.ainvoke("task")
    assert ended == ["task"]
