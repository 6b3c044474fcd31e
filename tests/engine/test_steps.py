"""`step`: what a task has done is not done again, wherever it is taken (LangGraph has nothing like it)."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from graphrt.config import OutsideRunError
from graphrt.errors import GraphValidationError, RunningLoopError, SerializationError
from graphrt.func import RepeatedStepError, entrypoint, step, task
from graphrt.types import Command, Send, interrupt
from tests.acceptance.graphs import Log, graph, says, thread
from tests.acceptance.streams import history, others_had_their_turn


class Work:
    """Functions for steps, which write down what they do."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.wakes = asyncio.Event()

    async def do(self, word: str) -> str:
        self.done.append(word)
        return word.upper()

    def do_plainly(self, word: str) -> str:
        self.done.append(word)
        return word.upper()

    async def fail_once(self, word: str) -> str:
        self.done.append(word)
        if self.done.count(word) == 1:
            raise ConnectionError(word)
        return word.upper()

    async def ask(self, word: str) -> str:
        self.done.append(f"{word}?")
        return f"{word} {interrupt(word)}"


@pytest.fixture
def work() -> Work:
    return Work()


def one_node(node: Callable[..., Any], saver: Any) -> Any:
    """A graph of one node, which logs what it returns."""

    async def logs(state: Log) -> dict[str, Any]:
        return {"log": [await node(state)]}

    return graph(Log, ("node", logs), paths=["START node"]).compile(checkpointer=saver)


async def resumed(app: Any, *answers: Any) -> Any:
    """The result of a run that asks so many questions, each answered when it is asked."""
    result = await app.ainvoke({}, thread())
    for answer in answers:
        (question,) = result["__interrupt__"]
        result = await app.ainvoke(Command(resume={question.id: answer}), thread())
    return result


async def after_a_failure(app: Any) -> Any:
    """The result of a run whose first attempt fails."""
    with pytest.raises(ConnectionError):
        await app.ainvoke({}, thread())
    return await app.ainvoke(None, thread())


async def test_a_step_is_not_taken_again_after_an_interrupt(saver: Any, work: Work) -> None:
    async def node(state: Log) -> str:
        return await step("draft", work.do, "draft") + interrupt("?")

    assert await resumed(one_node(node, saver), "!") == {"log": ["DRAFT!"]}
    assert work.done == ["draft"]


async def test_a_step_is_not_taken_again_after_a_failure(saver: Any, work: Work) -> None:
    async def node(state: Log) -> str:
        return await step("first", work.do, "first") + await work.fail_once("second")

    assert await after_a_failure(one_node(node, saver)) == {"log": ["FIRSTSECOND"]}
    assert work.done == ["first", "second", "second"]


async def test_a_step_is_not_taken_again_by_another_program(saver: Any) -> None:
    def program(work: Work) -> Any:
        async def node(state: Log) -> str:
            return await step("draft", work.do, "draft") + interrupt("?")

        return one_node(node, saver)

    before, after = Work(), Work()
    await program(before).ainvoke({}, thread())
    assert await program(after).ainvoke(Command(resume="!"), thread()) == {"log": ["DRAFT!"]}
    assert (before.done, after.done) == (["draft"], [])


async def test_a_step_is_stored_before_the_task_goes_on(saver: Any, work: Work) -> None:
    stored: list[Any] = []

    async def node(state: Log) -> str:
        await step("draft", work.do, "draft")
        stored.append(await saver.load("t"))
        return "done"

    await one_node(node, saver).ainvoke({}, thread())
    assert [result.path for result in stored[0].results] == ["~__pregel_pull, node!draft"]


async def test_a_step_that_failed_is_taken_again(saver: Any, work: Work) -> None:
    async def node(state: Log) -> str:
        return await step("draft", work.fail_once, "draft")

    assert await after_a_failure(one_node(node, saver)) == {"log": ["DRAFT"]}
    assert work.done == ["draft", "draft"]


async def test_steps_may_be_taken_at_the_same_time(saver: Any, work: Work) -> None:
    async def node(state: Log) -> str:
        done = await asyncio.gather(*(step(word, work.do, word) for word in "abc"))
        return "".join(done) + interrupt("?")

    assert await resumed(one_node(node, saver), "!") == {"log": ["ABC!"]}
    assert work.done == ["a", "b", "c"]


async def test_of_steps_taken_at_the_same_time_those_that_ended_are_kept(saver: Any, work: Work) -> None:
    async def node(state: Log) -> str:
        return "".join(await asyncio.gather(step("a", work.do, "a"), step("b", late, "b")))

    async def late(word: str) -> str:
        await others_had_their_turn()
        return await work.fail_once(word)

    assert await after_a_failure(one_node(node, saver)) == {"log": ["AB"]}
    assert work.done == ["a", "b", "b"]


async def test_when_a_task_fails_its_steps_are_cancelled(work: Work) -> None:
    async def stuck() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            work.done.append("cancelled")

    async def node(state: Log) -> Any:
        return await asyncio.gather(step("stuck", stuck), step("fails", work.fail_once, "fails"))

    with pytest.raises(ConnectionError):
        await one_node(node, None).ainvoke({})
    assert work.done == ["fails", "cancelled"]


@pytest.mark.parametrize("taken", ["in turn", "at the same time"])
async def test_the_same_key_twice_is_an_error(work: Work, taken: str) -> None:
    async def node(state: Log) -> Any:
        if taken == "in turn":
            return [await step("draft", work.do, word) for word in "ab"]
        return await asyncio.gather(*(step("draft", work.do, word) for word in "ab"))

    with pytest.raises(RepeatedStepError, match="'node' has taken step 'draft' twice"):
        await one_node(node, None).ainvoke({})


@pytest.mark.parametrize("key", ["", 3, None])
async def test_a_key_is_a_text(work: Work, key: Any) -> None:
    async def node(state: Log) -> Any:
        return await step(key, work.do, "a")

    with pytest.raises(GraphValidationError, match="key is a text"):
        await one_node(node, None).ainvoke({})


async def test_tasks_have_steps_of_their_own(saver: Any, work: Work) -> None:
    async def node(word: str) -> dict[str, Any]:
        return {"log": [await step("same", work.do, word) + interrupt(word)]}

    builder = graph(Log, ("node", node), paths=[])
    builder.add_conditional_edges("__start__", lambda _: [Send("node", word) for word in "ab"])
    app = builder.compile(checkpointer=saver)
    paused = await app.ainvoke({}, thread())
    answers = {question.id: "!" for question in paused["__interrupt__"]}
    assert await app.ainvoke(Command(resume=answers), thread()) == {"log": ["A!", "B!"]}
    assert sorted(work.done) == ["a", "b"]


async def test_the_next_superstep_takes_its_own(saver: Any, work: Work) -> None:
    async def node(state: Log) -> dict[str, Any]:
        return {"log": [await step("same", work.do, str(len(state["log"])))]}

    builder = graph(Log, ("node", node), paths=["START node"])
    builder.add_conditional_edges("node", lambda s: "node" if len(s["log"]) < 3 else "__end__")
    assert await builder.compile(checkpointer=saver).ainvoke({}, thread()) == {"log": ["0", "1", "2"]}


async def test_a_new_turn_takes_its_own(saver: Any, work: Work) -> None:
    async def node(state: Log) -> str:
        return await step("same", work.do, "a")

    app = one_node(node, saver)
    await app.ainvoke({}, thread())
    await app.ainvoke({}, thread())
    assert work.done == ["a", "a"]


async def test_going_back_takes_the_steps_anew(saver: Any, work: Work) -> None:
    async def node(state: Log) -> str:
        return await step("draft", work.do, "draft") + interrupt("?")

    app = one_node(node, saver)
    await app.ainvoke({}, thread())
    (paused, *_) = await history(app, thread())
    await app.ainvoke(None, paused.config)
    assert await app.ainvoke(Command(resume="!"), thread()) == {"log": ["DRAFT!"]}
    assert work.done == ["draft", "draft"]


async def test_without_a_checkpointer_a_step_is_a_call(work: Work) -> None:
    async def node(state: Log) -> str:
        return await step("a", work.do, "a") + await step("b", work.do_plainly, word="b")

    assert await one_node(node, None).ainvoke({}) == {"log": ["AB"]}


# ---- where steps are taken


async def test_in_an_entrypoint_and_in_its_tasks(saver: Any, work: Work) -> None:
    @task
    async def inner(word: str) -> str:
        return await step("same", work.do, word) + interrupt(word)

    @entrypoint(checkpointer=saver)
    async def calls(given: Any) -> Any:
        return await step("same", work.do, "a"), await inner("b"), await inner("c")

    assert await resumed(calls, "!", "?") == ("A", "B!", "C?")
    assert work.done == ["a", "b", "c"]


async def test_in_a_graph_that_keeps_nothing_itself(saver: Any, work: Work) -> None:
    async def node(state: Log) -> dict[str, Any]:
        return {"log": [await step("inner", work.do, "inner") + await work.fail_once("fails")]}

    inner = graph(Log, ("deep", node), paths=["START deep"]).compile(checkpointer=False)
    outer = graph(Log, ("inner", inner), paths=["START inner"]).compile(checkpointer=saver)
    assert await after_a_failure(outer) == {"log": ["INNERFAILS"]}
    assert work.done == ["inner", "fails", "fails"]


async def test_in_each_round_of_a_graph_that_keeps_nothing_itself(saver: Any) -> None:
    rounds: list[int] = []

    async def count(state: Log) -> dict[str, Any]:
        rounds.append(len(rounds))
        return {"log": [await step("same key", lambda: str(len(rounds)))]}

    inside = graph(Log, count, paths=["START count"])
    inside.add_conditional_edges("count", lambda state: "count" if len(state["log"]) < 3 else "__end__")
    app = graph(Log, ("outer", inside.compile(checkpointer=False)), paths=["START outer"])
    assert await app.compile(checkpointer=saver).ainvoke({}, thread()) == {"log": ["1", "2", "3"]}


@pytest.mark.parametrize("checkpointer", [None, True])
async def test_in_a_graph_that_is_a_node(saver: Any, work: Work, checkpointer: bool | None) -> None:
    async def node(state: Log) -> dict[str, Any]:
        return {"log": [await step("inner", work.do, "inner") + interrupt("?")]}

    inner = graph(Log, ("deep", node), paths=["START deep"]).compile(checkpointer=checkpointer)
    outer = graph(Log, ("inner", inner), paths=["START inner"]).compile(checkpointer=saver)
    assert await resumed(outer, "!") == {"log": ["INNER!"]}
    assert work.done == ["inner"]


async def test_in_graphs_that_a_node_runs(saver: Any, work: Work) -> None:
    async def node(state: Log) -> dict[str, Any]:
        return {"log": [await step("inner", work.do, state["log"][0]) + interrupt("?")]}

    inner = graph(Log, ("deep", node), paths=["START deep"]).compile()

    async def outer(state: Log) -> str:
        results = [await inner.ainvoke({"log": [word]}) for word in "ab"]
        return "".join(result["log"][-1] for result in results)

    assert await resumed(one_node(outer, saver), "!", "?") == {"log": ["A!B?"]}
    assert work.done == ["a", "b"]


# ---- what a step may do


async def test_a_step_may_call_tasks_and_the_others_keep_their_numbers(saver: Any, work: Work) -> None:
    do = task(work.do)

    async def both() -> list[str]:
        return await asyncio.gather(do("a"), do("b"))

    async def node(state: Log) -> str:
        done = [*await step("both", both), await do("c"), interrupt("?"), await do("d")]
        return "".join(done)

    assert await resumed(one_node(node, saver), "!") == {"log": ["ABC!D"]}
    assert work.done == ["a", "b", "c", "d"]


async def test_a_task_that_waits_in_a_step_is_not_counted_by_max_concurrency() -> None:
    @task
    async def inner() -> str:
        return "inner"

    async def waits() -> str:
        return await inner()

    @task
    async def outer() -> str:
        return await step("waits", waits)

    @entrypoint()
    async def calls(given: Any) -> str:
        return await outer()

    async with asyncio.timeout(30):
        assert await calls.ainvoke(1, {"max_concurrency": 1}) == "inner"


async def test_a_step_may_ask_and_the_others_keep_their_numbers(saver: Any, work: Work) -> None:
    async def node(state: Log) -> str:
        done = [await step("one", work.ask, "1"), interrupt("2"), await step("three", work.ask, "3")]
        return ", ".join(done)

    assert await resumed(one_node(node, saver), "a", "b", "c") == {"log": ["1 a, b, 3 c"]}
    assert work.done == ["1?", "1?", "3?", "3?"]


async def test_steps_that_ask_at_the_same_time_are_answered_each_for_itself(saver: Any, work: Work) -> None:
    async def node(state: Log) -> str:
        return ", ".join(await asyncio.gather(*(step(word, work.ask, word) for word in "pq")))

    app = one_node(node, saver)
    paused = await app.ainvoke({}, thread())
    ids = {question.value: question.id for question in paused["__interrupt__"]}
    still = await app.ainvoke(Command(resume={ids["q"]: 2}), thread())
    assert [question.value for question in still["__interrupt__"]] == ["p"]
    assert await app.ainvoke(Command(resume={ids["p"]: 1}), thread()) == {"log": ["p 1, q 2"]}
    assert work.done == ["p?", "q?", "q?", "p?"]


async def test_a_step_may_run_a_graph_and_the_others_keep_their_places(saver: Any, work: Work) -> None:
    async def deep(state: Log) -> dict[str, Any]:
        return {"log": [await work.do(state["log"][0]) + interrupt("?")]}

    inner = graph(Log, deep, paths=["START deep"]).compile()

    async def node(state: Log) -> str:
        first = await step("graph", inner.ainvoke, {"log": ["a"]})
        second = await inner.ainvoke({"log": ["b"]})
        return "".join(result["log"][-1] for result in (first, second))

    assert await resumed(one_node(node, saver), "!", "?") == {"log": ["A!B?"]}


async def test_a_step_may_take_steps(saver: Any, work: Work) -> None:
    async def outer(word: str) -> str:
        return await step("same", work.do, word) + await work.fail_once(f"{word}{word}")

    async def node(state: Log) -> str:
        return await step("same", outer, "a") + await step("other", work.do, "b")

    assert await after_a_failure(one_node(node, saver)) == {"log": ["AAAB"]}
    assert work.done == ["a", "aa", "aa", "b"]


async def test_keys_mean_nothing_but_themselves(saver: Any, work: Work) -> None:
    do = task(work.do)

    async def inner(*words: str) -> str:
        return await step("b", work.do, words[0]) + await do(words[1])

    async def node(state: Log) -> str:
        done = [
            await step("a", inner, "1", "2"),
            await step("a!b", work.do, "3"),
            await step("a, 0000000000", work.do, "4"),
            await step("a%21b", work.do, "5"),
            await step("0|~\0 ü\n", work.do, "6"),
        ]
        return "".join(done) + interrupt("?")

    assert await resumed(one_node(node, saver), "!") == {"log": ["123456!"]}
    assert work.done == list("123456")


async def test_a_step_that_nobody_awaits_any_more_is_waited_for(work: Work) -> None:
    async def late(word: str) -> str:
        await others_had_their_turn()
        return await work.do(word)

    async def node(state: Log) -> str:
        state["background"] = asyncio.create_task(step("late", late, "late"))  # type: ignore[typeddict-unknown-key]
        await asyncio.sleep(0)
        return "done"

    assert await one_node(node, None).ainvoke({}) == {"log": ["done"]}
    assert work.done == ["late"]


# ---- what comes back


@dataclass(frozen=True)
class Draft:
    text: str


async def write(text: str) -> tuple[Draft, ...]:
    return (Draft(text),)


async def test_results_come_back_with_the_types_that_the_function_says(saver: Any) -> None:
    def program() -> Any:
        async def node(state: Log) -> Any:
            drafts = await step("write", write, "a")
            interrupt("?")
            return repr(drafts)

        return one_node(node, saver)

    await program().ainvoke({}, thread())
    assert await program().ainvoke(Command(resume="!"), thread()) == {"log": ["(Draft(text='a'),)"]}


async def test_a_result_that_cannot_be_stored_names_its_step(saver: Any) -> None:
    async def node(state: Log) -> Any:
        return await step("open", threading.Lock)

    with pytest.raises(SerializationError, match="Step 'open' of 'node' returned a value"):
        await one_node(node, saver).ainvoke({}, thread())


async def test_outside_of_a_run_there_are_no_steps(work: Work) -> None:
    with pytest.raises(OutsideRunError):
        await step("a", work.do, "a")


# ---- functions that are not async


async def test_a_sync_function_runs_in_a_worker_thread(saver: Any) -> None:
    async def node(state: Log) -> str:
        return str(await step("thread", threading.get_ident) != threading.get_ident()) + interrupt("?")

    assert await resumed(one_node(node, saver), "!") == {"log": ["True!"]}


def plain(node: Callable[[Any], str], saver: Any, *beside: str) -> Any:
    def logs(state: Log) -> dict[str, Any]:
        return {"log": [node(state)]}

    nodes = [("node", logs), *map(says, beside)]
    return graph(Log, *nodes, paths=["START node", *(f"START {word}" for word in beside)]).compile(
        checkpointer=saver
    )


@pytest.mark.parametrize("beside", [(), ("other",)])
async def test_a_sync_node_takes_steps_too(saver: Any, work: Work, beside: tuple[str, ...]) -> None:
    def node(state: Log) -> str:
        return (
            step.sync("a", work.do_plainly, "a") + step.sync("b", work.do_plainly, word="b") + interrupt("?")
        )

    assert await resumed(plain(node, saver, *beside), "!") == {"log": ["AB!", *beside]}
    assert work.done == ["a", "b"]


def test_a_sync_node_that_needs_no_loop_takes_steps_too(work: Work) -> None:
    def node(state: Log) -> str:
        return step.sync("a", work.do_plainly, "a") + interrupt("?")

    app = plain(node, "memory://")
    app.invoke({}, thread())
    assert app.invoke(Command(resume="!"), thread()) == {"log": ["A!"]}
    assert work.done == ["a"]


def test_a_sync_step_may_call_tasks_and_ask(work: Work) -> None:
    do = task(work.do_plainly)

    def both() -> str:
        return do("a").result() + do("b").result() + interrupt("?")

    def node(state: Log) -> str:
        return step.sync("both", both) + do("c").result() + interrupt("??")

    app = plain(node, "memory://")
    app.invoke({}, thread())
    app.invoke(Command(resume="!"), thread())
    assert app.invoke(Command(resume="!!"), thread()) == {"log": ["AB!C!!"]}
    assert work.done == ["a", "b", "c"]


def test_a_sync_step_that_fails_is_taken_again(work: Work) -> None:
    def fail_once() -> str:
        work.done.append("tried")
        if len(work.done) == 1:
            raise ConnectionError
        return "done"

    def node(state: Log) -> str:
        return step.sync("fails", fail_once)

    app = plain(node, "memory://")
    with pytest.raises(ConnectionError):
        app.invoke({}, thread())
    assert app.invoke(None, thread()) == {"log": ["done"]}


def test_a_sync_step_takes_no_async_function(work: Work) -> None:
    with pytest.raises(GraphValidationError, match="async function"):
        plain(lambda state: step.sync("a", work.do, "a"), None).invoke({})  # type: ignore[arg-type, return-value]


async def test_a_sync_step_does_not_block_a_loop(work: Work) -> None:
    async def node(state: Log) -> str:
        return step.sync("a", work.do_plainly, "a")

    with pytest.raises(RunningLoopError, match="step"):
        await one_node(node, None).ainvoke({})
