"""What entrypoints and tasks stream (LangGraph Q8, J3, J6)."""

import asyncio
from typing import Any

import pytest

from graphrt.config import get_stream_writer
from graphrt.func import entrypoint, task
from graphrt.types import Command, interrupt
from tests.acceptance.graphs import Log, graph, thread
from tests.acceptance.streams import chunks, others_had_their_turn


@task
async def add(left: int, *, right: int = 1) -> int:
    return left + right


@task
async def fails(word: str) -> Any:
    raise KeyError(word)


@entrypoint()
async def adds(number: int) -> int:
    return await add(await add(number), right=2)


@pytest.mark.parity("Q8", "J2")
async def test_q8_the_value_comes_once_at_the_end() -> None:
    assert await chunks(adds, 1, stream_mode="values") == [4]


@pytest.mark.parity("Q8", "J3")
async def test_q8_every_task_is_an_update() -> None:
    assert await chunks(adds, 1, stream_mode="updates") == [{"add": 2}, {"add": 4}, {"adds": 4}]


@pytest.mark.parity("Q8", "J3")
async def test_q8_updates_come_as_tasks_finish() -> None:
    done = asyncio.Event()

    @task
    async def late(word: str) -> str:
        await done.wait()
        return word

    @task
    async def early(word: str) -> str:
        done.set()
        return word

    @entrypoint()
    async def calls(number: int) -> Any:
        return await asyncio.gather(late("late"), early("early"))

    updates = await chunks(calls, 1)
    assert updates == [{"early": "early"}, {"late": "late"}, {"calls": ["late", "early"]}]


@pytest.mark.parity("Q8", "J3")
async def test_q8_a_task_that_returns_nothing_is_an_update_too() -> None:
    @task
    async def nothing() -> None:
        return None

    @entrypoint()
    async def calls(number: int) -> None:
        await nothing()

    assert await chunks(calls, 1) == [{"nothing": None}, {"calls": None}]


@pytest.mark.parity("Q8", "J6")
async def test_q8_a_call_is_announced_with_its_arguments() -> None:
    starts = [c for c in await chunks(adds, 1, stream_mode="tasks") if "input" in c]
    assert [(c["name"], c["input"], tuple(c["triggers"])) for c in starts] == [
        ("adds", 1, ("__start__",)),
        ("add", ((1,), {}), ("__pregel_push",)),
        ("add", ((2,), {"right": 2}), ("__pregel_push",)),
    ]


@pytest.mark.parity("Q8", "J6")
async def test_q8_a_call_ends_with_what_it_returned() -> None:
    start, call, returned, end = await chunks(entrypoint()(named_call), 1, stream_mode="tasks")
    assert returned == {
        "id": call["id"],
        "name": "add",
        "error": None,
        "result": {"__return__": 2},
        "interrupts": [],
    }
    assert (end["id"], end["result"]) == (start["id"], {"__end__": 2})


async def named_call(number: int) -> int:
    return await add(number)


@pytest.mark.parity("Q8", "J6", "Q5")
async def test_q8_a_call_that_fails_ends_with_its_error() -> None:
    @entrypoint()
    async def calls(word: str) -> Any:
        try:
            await fails(word)
        except KeyError:
            return "caught"

    seen = await chunks(calls, "lost", stream_mode=["tasks", "updates"])
    ends = [
        (c["name"], repr(c["error"]), c["result"]) for mode, c in seen if mode == "tasks" and "result" in c
    ]
    assert ends == [("fails", "KeyError('lost')", {}), ("calls", "None", {"__end__": "caught"})]
    assert [c for mode, c in seen if mode == "updates"] == [{"calls": "caught"}]


@pytest.mark.parity("Q8", "J10")
async def test_q8_results_of_inner_tasks_come_before_their_callers() -> None:
    @task
    async def outer(number: int) -> int:
        return await add(number)

    @entrypoint()
    async def calls(number: int) -> int:
        return await outer(number)

    seen = await chunks(calls, 1, stream_mode=["tasks", "updates"])
    said = [f"{mode} {c.get('name') or next(iter(c))}" for mode, c in seen]
    starts = ["tasks calls", "tasks outer", "tasks add"]
    ends = [f"{mode} {name}" for name in ("add", "outer", "calls") for mode in ("updates", "tasks")]
    assert said == starts + ends


@pytest.mark.parity("Q8", "J3")
async def test_q8_tasks_of_graph_nodes_are_streamed_beside_the_nodes() -> None:
    async def node(state: Log) -> dict[str, Any]:
        return {"log": [str(await add(1))]}

    app = graph(Log, node, paths=["START node"]).compile()
    assert await chunks(app, {}, stream_mode="updates") == [{"add": 2}, {"node": {"log": ["2"]}}]


@pytest.mark.parity("Q8", "J4")
async def test_q8_tasks_write_to_the_custom_stream_while_they_run() -> None:
    heard = asyncio.Event()

    @task
    async def says(word: str) -> None:
        get_stream_writer()(word)
        async with asyncio.timeout(30):
            await heard.wait()

    @entrypoint()
    async def calls(word: str) -> None:
        await says(word)

    said = []
    async for chunk in calls.astream("hello", stream_mode="custom"):
        said.append(chunk)
        heard.set()
    assert said == ["hello"]


@pytest.mark.parity("Q8", "J8")
async def test_q8_debug_wraps_calls_like_tasks() -> None:
    seen = await chunks(entrypoint()(named_call), 1, stream_mode="debug")
    assert [(c["type"], c["payload"]["name"]) for c in seen] == [
        ("task", "named_call"),
        ("task", "add"),
        ("task_result", "add"),
        ("task_result", "named_call"),
    ]


@pytest.mark.parity("Q4", "K7", "J6")
async def test_q8_a_restored_call_is_announced_and_no_more(saver: Any) -> None:
    @entrypoint(checkpointer=saver)
    async def calls(number: int) -> Any:
        return await add(number), interrupt("go on")

    await calls.ainvoke(1, thread())
    modes: list[Any] = ["tasks", "updates"]
    seen = await chunks(calls, Command(resume="yes"), thread(), stream_mode=modes)
    names = [(mode, c.get("name") or next(iter(c)), "input" in c) for mode, c in seen]
    assert names == [
        ("tasks", "calls", True),
        ("tasks", "add", True),
        ("updates", "calls", False),
        ("tasks", "calls", False),
    ]


@pytest.mark.parity("Q8", "I14")
async def test_q8_a_question_ends_the_call_and_is_told(saver: Any) -> None:
    @task
    async def ask(word: str) -> Any:
        return interrupt(word)

    @entrypoint(checkpointer=saver)
    async def calls(word: str) -> Any:
        return await ask(word)

    modes: list[Any] = ["updates", "values"]
    seen = await chunks(calls, "q", thread(), stream_mode=modes)
    assert [(mode, [i.value for i in c["__interrupt__"]]) for mode, c in seen] == [
        ("updates", ["q"]),
        ("values", ["q"]),
    ]


@pytest.mark.parity(
    "Q9", "Q8", differs="the-order-of-what-ends: LangGraph reports the caller before tasks that nobody awaits"
)
async def test_q8_a_caller_is_reported_when_its_tasks_have_ended() -> None:
    @task
    async def work(word: str) -> str:
        await others_had_their_turn()
        return word

    @entrypoint()
    async def calls(word: str) -> str:
        work(word)
        return "returned"

    assert await chunks(calls, "work") == [{"work": "work"}, {"calls": "returned"}]
