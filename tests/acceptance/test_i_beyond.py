"""What holds for questions and answers beyond LangGraph: other processes, crashes, retries, clients at once."""

import asyncio
import subprocess
import sys
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from graphrt.checkpoint.memory import InMemorySaver
from graphrt.checkpoint.sqlite import SqliteSaver
from graphrt.errors import SerializationError, UnknownInterruptError
from graphrt.testing.faults import FaultySaver, Raise, StorageDown, When, breaking_each_call
from graphrt.types import Command, Send, interrupt
from tests.acceptance.asking import NOBODYS, asked, asks, asks_plainly, counts, open_ids, paused
from tests.acceptance.graphs import Log, graph, says, thread

ROOT = Path(__file__).parents[2]


def form(saver: Any, ran: list[str] | None = None) -> Any:
    """A graph whose nodes a and b ask "qa" and "qb" at the same time; "z" follows."""
    nodes = [asks("a", "qa", ran=ran), asks("b", "qb", ran=ran), says("z")]
    return graph(Log, *nodes, paths=["START a z", "START b z"]).compile(checkpointer=saver)


# ---- ids


async def test_another_graph_object_sees_the_same_ids_and_takes_the_answers(saver: Any) -> None:
    await form(saver).ainvoke({"log": ["in"]}, thread())
    ids = await open_ids(form(saver))
    assert ids == await open_ids(form(saver))
    await form(saver).ainvoke(Command(resume={ids["qb"]: "rb"}), thread())
    assert await open_ids(form(saver)) == {"qa": ids["qa"]}
    result = await form(saver).ainvoke(Command(resume={ids["qa"]: "ra"}), thread())
    assert result == {"log": ["in", "a:ra", "b:rb", "z"]}


ANOTHER_PROCESS = """
import asyncio, sys
from graphrt.checkpoint.sqlite import SqliteSaver
from tests.acceptance.test_i_beyond import form, open_ids, thread

async def main(database):
    async with SqliteSaver.from_conn_string(database) as saver:
        await form(saver).ainvoke({"log": ["in"]}, thread())
        for question, id in (await open_ids(form(saver))).items():
            print(question, id)

asyncio.run(main(sys.argv[1]))
"""


def test_questions_of_another_process_are_answered_by_their_ids(tmp_path: Path) -> None:
    database = str(tmp_path / "threads.db")
    command = [sys.executable, "-c", ANOTHER_PROCESS, database]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    ids = dict(line.split() for line in printed.splitlines())

    async def answer() -> Any:
        async with SqliteSaver.from_conn_string(database) as saver:
            assert await open_ids(form(saver)) == ids
            answers = Command(resume={ids["qa"]: "ra", ids["qb"]: "rb"})
            return await form(saver).ainvoke(answers, thread())

    assert asyncio.run(answer()) == {"log": ["in", "a:ra", "b:rb", "z"]}


async def test_the_same_question_on_two_threads_has_two_ids(saver: Any) -> None:
    app = form(saver)
    shown: set[str] = set()
    for thread_id in ("one", "two"):
        result = await app.ainvoke({}, thread(thread_id))
        shown |= {question.id for question in result["__interrupt__"]}
    assert len(shown) == 4


async def test_an_answer_to_a_send_that_was_replaced_is_not_for_the_new_one(saver: Any) -> None:
    async def work(item: Any) -> dict[str, Any]:
        return {"log": [f"{item} {interrupt(item)}"]}

    builder = graph(Log, work, paths=["work END"])
    builder.add_conditional_edges("__start__", lambda state: [Send("work", "old")])
    app = builder.compile(checkpointer=saver)
    await app.ainvoke({"log": []}, thread())
    old = await open_ids(app)
    await app.ainvoke(Command(goto=Send("work", "new")), thread())
    assert (await open_ids(app)).keys() == {"new"}
    with pytest.raises(UnknownInterruptError) as refused:
        await app.ainvoke(Command(resume={old["old"]: "r"}), thread())
    assert refused.value.reason == "not_pending"


# ---- crashes and retries


@pytest.mark.parametrize("durability", ["sync", "async"])
async def test_an_answer_is_stored_before_anything_runs_because_of_it(saver: Any, durability: Any) -> None:
    found: list[Any] = []

    async def a(state: Log) -> None:
        interrupt("q")
        found.append((await other.aget_state(thread())).interrupts)

    builder = graph(Log, a, paths=["START a"])
    app, other = builder.compile(checkpointer=saver), builder.compile(checkpointer=saver)
    await app.ainvoke({}, thread())
    await app.ainvoke(Command(resume="r"), thread(), durability=durability)
    assert found == [()]


async def test_an_answer_survives_the_cancelling_of_its_node(saver: Any) -> None:
    entered, released = asyncio.Event(), asyncio.Event()

    async def a(state: Log) -> dict[str, Any]:
        answer = interrupt("q")
        entered.set()
        await released.wait()
        return {"log": [answer]}

    app = await paused(saver, a, paths=["START a"])
    run = asyncio.ensure_future(app.ainvoke(Command(resume="r"), thread()))
    await entered.wait()
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)
    released.set()
    assert await app.ainvoke(None, thread()) == {"log": ["in", "r"]}


@pytest.mark.parametrize("when", ["before", "after"])
async def test_an_answer_that_is_sent_again_after_a_crash_ends_the_run(when: When) -> None:
    for number in count(1):
        ran: list[str] = []
        inner = InMemorySaver()
        nodes = [asks("a", "q"), counts("beside", ran), says("z")]
        app = await paused(inner, *nodes, paths=["START a z", "START beside"])
        answer = Command(resume={(await open_ids(app))["q"]: "r"})
        app.checkpointer = saver = FaultySaver(inner, Raise(at=number, when=when))
        with suppress(StorageDown):
            await app.ainvoke(answer, thread())
        saver.heal()
        assert await app.ainvoke(answer, thread()) == {"log": ["in", "a:r", "beside", "z"]}
        assert ran == ["beside"]
        if not saver.struck:
            break
    assert number > 3


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_question_survives_a_crash_while_it_is_asked(when: When) -> None:
    for saver in breaking_each_call(InMemorySaver, Raise(when=when)):
        app = graph(Log, says("a"), asks("b", "q"), paths=["START a b"]).compile(checkpointer=saver)
        with suppress(StorageDown):
            await app.ainvoke({"log": ["in"]}, thread())
        saver.heal()
        begun = (await app.aget_state(thread())).metadata is not None
        result = await app.ainvoke(None if begun else {"log": ["in"]}, thread())
        assert (result["log"], asked(result)) == (["in", "a"], ["q"])
        assert await app.ainvoke(Command(resume="r"), thread()) == {"log": ["in", "a", "b:r"]}


async def test_the_same_answer_again_goes_on_where_its_node_failed(saver: Any) -> None:
    failures = [ConnectionError("no route")]

    async def fails_once(state: Log) -> dict[str, Any]:
        answer = interrupt("q")
        if failures:
            raise failures.pop()
        return {"log": [answer]}

    app = await paused(saver, fails_once, paths=["START fails_once"])
    answer = Command(resume={(await open_ids(app))["q"]: "r"})
    with pytest.raises(ConnectionError):
        await app.ainvoke(answer, thread())
    assert await app.ainvoke(answer, thread()) == {"log": ["in", "r"]}


async def test_the_same_bare_answer_again_is_not_for_the_next_question(saver: Any) -> None:
    failures = [ConnectionError("no route")]

    async def a(state: Log) -> dict[str, Any]:
        first = interrupt("q1")
        if failures:
            raise failures.pop()
        return {"log": [first, interrupt("q2")]}

    app = await paused(saver, a, paths=["START a"])
    with pytest.raises(ConnectionError):
        await app.ainvoke(Command(resume="r1"), thread())
    assert asked(await app.ainvoke(Command(resume="r1"), thread())) == ["q2"]
    assert await app.ainvoke(Command(resume="r2"), thread()) == {"log": ["in", "r1", "r2"]}


async def test_the_same_answer_again_does_not_pass_a_breakpoint(saver: Any) -> None:
    app = await paused(saver, asks("a", "q"), says("z"), paths=["START a z"], interrupt_before=["z"])
    answer = Command(resume={(await open_ids(app))["q"]: "r"})
    for _ in range(2):
        assert await app.ainvoke(answer, thread()) == {"log": ["in", "a:r"]}
    assert await app.ainvoke(None, thread()) == {"log": ["in", "a:r", "z"]}


# ---- answers


async def test_an_answer_that_cannot_be_stored_is_refused_before_anything_runs(saver: Any) -> None:
    ran: list[str] = []
    app = await paused(saver, asks("a", "q", ran=ran), paths=["START a"])
    before = await open_ids(app)
    with pytest.raises(SerializationError):
        await app.ainvoke(Command(resume={before["q"]: object()}), thread())
    assert (ran, await open_ids(app)) == (["a"], before)


async def test_answers_that_are_sent_at_the_same_time_are_both_taken(saver: Any) -> None:
    app = form(saver)
    await app.ainvoke({"log": ["in"]}, thread())
    ids = await open_ids(app)
    answers = [Command(resume={ids[question]: "r"}) for question in ("qb", "qa")]
    results = await asyncio.gather(
        *(app.ainvoke(answer, thread(), multitask_strategy="enqueue") for answer in answers)
    )
    assert results[-1] == {"log": ["in", "a:r", "b:r", "z"]}


async def test_of_two_answers_to_a_question_the_first_wins(saver: Any) -> None:
    app = await paused(saver, asks("a", "q"), paths=["START a"])
    id = (await open_ids(app))["q"]
    first, second = await asyncio.gather(
        *(
            app.ainvoke(Command(resume={id: word}), thread(), multitask_strategy="enqueue")
            for word in ("one", "two")
        ),
        return_exceptions=True,
    )
    assert first == {"log": ["in", "a:one"]}
    assert isinstance(second, UnknownInterruptError) and second.reason == "answered"


# ---- who may ask


async def test_a_node_may_ask_in_a_task_group(saver: Any) -> None:
    async def ask(question: str) -> str:
        answer: str = interrupt(question)
        return answer

    async def a(state: Log) -> dict[str, Any]:
        async with asyncio.TaskGroup() as group:
            asking = [group.create_task(ask(question)) for question in ("q1", "q2")]
        return {"log": [task.result() for task in asking]}

    app = graph(Log, a, paths=["START a"]).compile(checkpointer=saver)
    assert asked(await app.ainvoke({"log": ["in"]}, thread())) == ["q1", "q2"]
    ids = await open_ids(app)
    answers = {ids[question]: f"to {question}" for question in ("q2", "q1")}
    assert await app.ainvoke(Command(resume=answers), thread()) == {"log": ["in", "to q1", "to q2"]}


async def test_a_worker_thread_of_a_node_may_ask(saver: Any) -> None:
    async def a(state: Log) -> dict[str, Any]:
        return {"log": [await asyncio.to_thread(interrupt, "q")]}

    app = await paused(saver, a, paths=["START a"])
    assert await app.ainvoke(Command(resume="r"), thread()) == {"log": ["in", "r"]}


# ---- the blocking doors


def test_a_form_is_filled_in_behind_the_blocking_doors() -> None:
    nodes = [asks_plainly("a", "qa"), asks_plainly("b", "qb")]
    app = graph(Log, *nodes, paths=["START a", "START b"]).compile(checkpointer=InMemorySaver())
    assert asked(app.invoke({"log": ["in"]}, thread())) == ["qa", "qb"]
    ids = {question.value: question.id for question in app.get_state(thread()).interrupts}
    assert asked(app.invoke(Command(resume={ids["qb"]: "rb"}), thread())) == ["qa"]
    assert app.get_state(thread()).next == ("a",)
    assert app.invoke(Command(resume="ra"), thread()) == {"log": ["in", "a:ra", "b:rb"]}


def test_an_answer_to_nobody_is_refused_behind_the_blocking_doors() -> None:
    app = graph(Log, asks_plainly("a", "q"), paths=["START a"]).compile(checkpointer=InMemorySaver())
    app.invoke({}, thread())
    with pytest.raises(UnknownInterruptError) as refused:
        list(app.stream(Command(resume={NOBODYS: "r"}), thread()))
    assert refused.value.reason == "not_pending"
