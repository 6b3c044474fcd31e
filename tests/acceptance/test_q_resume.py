"""Calls that run again: what is not repeated, who asks, who is answered (LangGraph Q4, Q5, I18, G10)."""

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from graphrt.errors import SerializationError
from graphrt.func import entrypoint, task
from graphrt.types import Command, interrupt
from tests.acceptance.graphs import Log, graph, thread
from tests.acceptance.streams import chunks, others_had_their_turn


class Book:
    """Tasks that write down when they run: `say` returns its word, `ask` asks, `flaky` fails the first time."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.say = task(self.says)
        self.ask = task(self.asks)
        self.flaky = task(self.fails_once)

    async def says(self, word: str) -> str:
        self.lines.append(word)
        return word

    async def asks(self, word: str) -> str:
        self.lines.append(f"{word}?")
        return f"{word} {interrupt(word)}"

    async def fails_once(self, word: str) -> str:
        self.lines.append(f"{word}!")
        if self.lines.count(f"{word}!") == 1:
            raise ConnectionError(word)
        return word


@pytest.fixture
def book() -> Book:
    return Book()


def asked(result: Any) -> list[Any]:
    """The values of the questions that a run ended with."""
    return [interrupt.value for interrupt in result["__interrupt__"]]


def answers(result: Any, **by_value: Any) -> Command[Any]:
    """A Command that answers the questions with these values, by their ids."""
    ids = {interrupt.value: interrupt.id for interrupt in result["__interrupt__"]}
    return Command(resume={ids[value]: answer for value, answer in by_value.items()})


@pytest.mark.parity("Q4")
async def test_q4_a_finished_task_is_not_run_again_after_a_failure(saver: Any, book: Book) -> None:
    @entrypoint(checkpointer=saver)
    async def calls(word: str) -> Any:
        return [await book.say(word), await book.flaky("f")]

    with pytest.raises(ConnectionError):
        await calls.ainvoke("a", thread())
    assert await calls.ainvoke(None, thread()) == ["a", "f"]
    assert book.lines == ["a", "f!", "f!"]


@pytest.mark.parity("Q4")
async def test_q4_a_failed_task_is_run_again_even_if_its_failure_was_caught(saver: Any, book: Book) -> None:
    @entrypoint(checkpointer=saver)
    async def calls(word: str) -> Any:
        try:
            done = await book.flaky(word)
        except ConnectionError:
            done = "failed"
        return done, interrupt("go on")

    assert asked(await calls.ainvoke("f", thread())) == ["go on"]
    assert await calls.ainvoke(Command(resume="yes"), thread()) == ("f", "yes")


@pytest.mark.parity("Q4")
async def test_q4_results_belong_to_calls_by_their_number(saver: Any, book: Book) -> None:
    @entrypoint(checkpointer=saver)
    async def calls(words: str) -> Any:
        said = await asyncio.gather(*(book.say(word) for word in words))
        return "".join(said) + interrupt("go on")

    await calls.ainvoke("abc", thread())
    assert await calls.ainvoke(Command(resume="d"), thread()) == "abcd"
    assert book.lines == ["a", "b", "c"]


@pytest.mark.parity("Q4")
async def test_q4_results_of_nested_tasks_are_kept_as_well(saver: Any, book: Book) -> None:
    @task
    async def outer(word: str) -> str:
        return await book.say(word) + await book.flaky("f")

    @entrypoint(checkpointer=saver)
    async def calls(word: str) -> str:
        return await outer(word)

    with pytest.raises(ConnectionError):
        await calls.ainvoke("a", thread())
    assert await calls.ainvoke(None, thread()) == "af"
    assert book.lines == ["a", "f!", "f!"]


@pytest.mark.parity("Q4")
async def test_q4_tasks_of_graph_nodes_are_kept_as_well(saver: Any, book: Book) -> None:
    async def node(state: Log) -> dict[str, Any]:
        return {"log": [await book.say("a"), await book.flaky("f")]}

    app = graph(Log, ("p", node), ("q", lambda s: None), paths=["START p", "START q"]).compile(
        checkpointer=saver
    )
    with pytest.raises(ConnectionError):
        await app.ainvoke({}, thread())
    assert await app.ainvoke(None, thread()) == {"log": ["a", "f"]}
    assert book.lines == ["a", "f!", "f!"]


@pytest.mark.parity("Q4")
async def test_q4_results_are_kept_for_another_program(saver: Any) -> None:
    def program(book: Book) -> Any:
        @entrypoint(checkpointer=saver)
        async def calls(word: str) -> Any:
            return await book.say(word), interrupt("go on")

        return calls

    before, after = Book(), Book()
    await program(before).ainvoke("a", thread())
    assert await program(after).ainvoke(Command(resume="yes"), thread()) == ("a", "yes")
    assert (before.lines, after.lines) == (["a"], [])


@pytest.mark.parity("Q4")
async def test_q4_a_new_call_runs_everything_anew(saver: Any, book: Book) -> None:
    @entrypoint(checkpointer=saver)
    async def calls(word: str) -> Any:
        return await book.say(word)

    assert [await calls.ainvoke(word, thread()) for word in ("a", "b")] == ["a", "b"]


@pytest.mark.parity("Q4")
async def test_q4_a_new_input_for_a_paused_call_starts_over(saver: Any, book: Book) -> None:
    @entrypoint(checkpointer=saver)
    async def calls(word: str) -> Any:
        return await book.say(word), interrupt("go on")

    await calls.ainvoke("a", thread())
    await calls.ainvoke("b", thread())
    assert await calls.ainvoke(Command(resume="yes"), thread()) == ("b", "yes")
    assert book.lines == ["a", "b"]


@dataclass(frozen=True)
class Point:
    x: int
    y: int


@pytest.mark.parity("Q4", "T2", differs="types-of-stored-values: LangGraph brings tuples back as lists")
async def test_q4_results_come_back_with_their_types(saver: Any) -> None:
    @task
    async def measure(x: int) -> tuple[Point, ...]:
        return (Point(x, x),)

    @entrypoint(checkpointer=saver)
    async def calls(x: int) -> Any:
        return await measure(x), interrupt("go on")

    await calls.ainvoke(1, thread())
    assert await calls.ainvoke(Command(resume="yes"), thread()) == ((Point(1, 1),), "yes")


@pytest.mark.parity(
    "Q4", differs="types-of-stored-values: LangGraph stores objects that it cannot bring back"
)
async def test_q4_a_result_that_cannot_be_stored_fails_its_task(saver: Any) -> None:
    @task
    async def opens(name: str) -> Any:
        return object()

    @entrypoint(checkpointer=saver)
    async def calls(name: str) -> Any:
        await opens(name)

    with pytest.raises(SerializationError, match="'opens' returned"):
        await calls.ainvoke("a", thread())


# ---- questions


@pytest.mark.parity("Q5", "I18")
async def test_q5_a_task_may_ask(saver: Any, book: Book) -> None:
    @entrypoint(checkpointer=saver)
    async def calls(word: str) -> Any:
        return await book.say("a"), await book.ask(word), await book.say("b")

    assert asked(await calls.ainvoke("q", thread())) == ["q"]
    assert await calls.ainvoke(Command(resume="yes"), thread()) == ("a", "q yes", "b")
    assert book.lines == ["a", "q?", "q?", "b"]


@pytest.mark.parity("I18")
async def test_i18_a_question_inside_a_task_is_one_question(saver: Any, book: Book) -> None:
    @task
    async def outer(word: str) -> str:
        return await book.ask(word)

    @entrypoint(checkpointer=saver)
    async def calls(word: str) -> Any:
        return await outer(word)

    paused = await calls.ainvoke("q", thread())
    state = await calls.aget_state(thread())
    assert asked(paused) == ["q"]
    assert [[i.value for i in task.interrupts] for task in state.tasks] == [["q"]]
    assert [i.id for i in state.interrupts] == [i.id for i in paused["__interrupt__"]]


@pytest.mark.parity("I18")
async def test_i18_a_question_inside_a_task_is_streamed_once(saver: Any, book: Book) -> None:
    @entrypoint(checkpointer=saver)
    async def calls(word: str) -> Any:
        return await book.ask(word)

    (update,) = await chunks(calls, "q", thread(), stream_mode="updates")
    assert asked(update) == ["q"]


@pytest.mark.parity("Q5", "I5")
async def test_q5_tasks_that_ask_one_after_the_other(saver: Any, book: Book) -> None:
    @entrypoint(checkpointer=saver)
    async def calls(words: str) -> Any:
        return [await book.ask(word) for word in words]

    assert asked(await calls.ainvoke("pq", thread())) == ["p"]
    assert asked(await calls.ainvoke(Command(resume="1"), thread())) == ["q"]
    assert await calls.ainvoke(Command(resume="2"), thread()) == ["p 1", "q 2"]
    assert book.lines == ["p?", "p?", "q?", "q?"]


@pytest.mark.parity("Q5", "I1")
async def test_q5_a_task_may_ask_several_times(saver: Any, book: Book) -> None:
    @task
    async def ask(words: str) -> list[Any]:
        return [interrupt(word) for word in words]

    @entrypoint(checkpointer=saver)
    async def calls(words: str) -> Any:
        return await book.say("a"), await ask(words)

    assert asked(await calls.ainvoke("pq", thread())) == ["p"]
    assert asked(await calls.ainvoke(Command(resume="1"), thread())) == ["q"]
    assert await calls.ainvoke(Command(resume="2"), thread()) == ("a", ["1", "2"])


@pytest.mark.parity("Q5", "I9", differs="questions-of-tasks-are-not-lost: LangGraph shows the first one only")
async def test_q5_tasks_that_ask_at_the_same_time_show_all_questions(saver: Any, book: Book) -> None:
    @entrypoint(checkpointer=saver)
    async def calls(words: str) -> Any:
        return await asyncio.gather(*(book.ask(word) for word in words))

    paused = await calls.ainvoke("pqr", thread())
    assert asked(paused) == ["p", "q", "r"]
    assert await calls.ainvoke(answers(paused, p=1, q=2, r=3), thread()) == ["p 1", "q 2", "r 3"]


@pytest.mark.parity(
    "Q5", "I9", differs="tasks-wait-for-all-their-answers: LangGraph enters them at every resume"
)
@pytest.mark.parametrize("order", ["pq", "qp"])
async def test_q5_an_answer_runs_only_the_task_that_asked(saver: Any, book: Book, order: str) -> None:
    @entrypoint(checkpointer=saver)
    async def calls(words: str) -> Any:
        return await asyncio.gather(*(book.ask(word) for word in words))

    paused = await calls.ainvoke("pq", thread())
    still = await calls.ainvoke(answers(paused, **{order[0]: 1}), thread())
    assert asked(still) == [order[1]]
    assert book.lines == ["p?", "q?", f"{order[0]}?"]
    result = await calls.ainvoke(answers(still, **{order[1]: 1}), thread())
    assert result == ["p 1", "q 1"]
    assert book.lines == ["p?", "q?", f"{order[0]}?", f"{order[1]}?"]


@pytest.mark.parity("G10", "Q5")
async def test_q5_tasks_beside_one_that_asks_run_to_their_ends(saver: Any, book: Book) -> None:
    @task
    async def late(word: str) -> str:
        await others_had_their_turn()
        return await book.say(word)

    @entrypoint(checkpointer=saver)
    async def calls(word: str) -> Any:
        future = late("late")
        return await book.ask(word), await future

    await calls.ainvoke("q", thread())
    assert book.lines == ["q?", "late"]
    assert await calls.ainvoke(Command(resume="yes"), thread()) == ("q yes", "late")
    assert book.lines == ["q?", "late", "q?"]


@pytest.mark.parity("G10", "Q5")
async def test_q5_a_task_beside_one_that_asks_may_fail(saver: Any, book: Book) -> None:
    @task
    async def late(word: str) -> str:
        await others_had_their_turn()
        return await book.flaky(word)

    @entrypoint(checkpointer=saver)
    async def calls(word: str) -> Any:
        return await asyncio.gather(book.ask(word), late("f"))

    assert asked(await calls.ainvoke("q", thread())) == ["q"]
    assert await calls.ainvoke(Command(resume="yes"), thread()) == ["q yes", "f"]


@pytest.mark.parity("Q5", differs="questions-of-tasks-are-not-lost: LangGraph returns the result")
async def test_q5_a_question_is_not_lost_if_nobody_awaits_its_task(saver: Any, book: Book) -> None:
    @entrypoint(checkpointer=saver)
    async def calls(word: str) -> Any:
        future = book.ask(word)
        await asyncio.wait([future])  # type: ignore[type-var]
        return "returned"

    assert asked(await calls.ainvoke("q", thread())) == ["q"]
    assert await calls.ainvoke(Command(resume="yes"), thread()) == "returned"


@pytest.mark.parity(
    "Q5", differs="questions-of-tasks-are-not-lost: LangGraph returns the GraphInterrupt as a result"
)
async def test_q5_a_question_is_not_lost_among_gathered_exceptions(saver: Any, book: Book) -> None:
    @entrypoint(checkpointer=saver)
    async def calls(word: str) -> Any:
        return await asyncio.gather(book.say("a"), book.ask(word), return_exceptions=True)

    assert asked(await calls.ainvoke("q", thread())) == ["q"]
    assert await calls.ainvoke(Command(resume="yes"), thread()) == ["a", "q yes"]


@pytest.mark.parity("Q5", differs="questions-of-tasks-are-not-lost: LangGraph fails with the exception group")
async def test_q5_a_task_in_a_task_group_may_ask(saver: Any, book: Book) -> None:
    async def awaited(future: Any) -> Any:
        return await future

    @entrypoint(checkpointer=saver)
    async def calls(words: str) -> Any:
        async with asyncio.TaskGroup() as group:
            asking = [group.create_task(awaited(book.ask(word))) for word in words]
        return [each.result() for each in asking]

    paused = await calls.ainvoke("q", thread())
    assert asked(paused) == ["q"]
    assert await calls.ainvoke(answers(paused, q=1), thread()) == ["q 1"]


@pytest.mark.parity("Q5", "I17")
async def test_q5_the_entrypoint_may_ask_beside_its_tasks(saver: Any, book: Book) -> None:
    @entrypoint(checkpointer=saver)
    async def calls(word: str) -> Any:
        said = await book.say("a")
        first = interrupt("own")
        return said, first, await book.ask(word)

    assert asked(await calls.ainvoke("q", thread())) == ["own"]
    assert asked(await calls.ainvoke(Command(resume="1"), thread())) == ["q"]
    assert await calls.ainvoke(Command(resume="2"), thread()) == ("a", "1", "q 2")
    assert book.lines == ["a", "q?", "q?"]


@pytest.mark.parity("Q8", "A10", differs="no-value-before-there-is-one: LangGraph first streams None")
async def test_q8_a_resumed_call_does_not_stream_a_value_before_it_has_one(saver: Any, book: Book) -> None:
    @entrypoint(checkpointer=saver)
    async def calls(word: str) -> Any:
        return await book.ask(word)

    await calls.ainvoke("q", thread())
    assert await chunks(calls, Command(resume="yes"), thread(), stream_mode="values") == ["q yes"]
