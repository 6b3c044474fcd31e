"""Questions of nested graphs and of tasks: who shows them, who takes the answers (LangGraph I8, I15, I18)."""

from typing import Any

import pytest

from graphrt.checkpoint.memory import InMemorySaver
from graphrt.func import entrypoint, task
from graphrt.types import Command, interrupt
from tests.acceptance.asking import asked, asks, counts, open_ids, paused
from tests.acceptance.graphs import Log, graph, says, thread
from tests.acceptance.streams import chunks

ALL_ANSWERED = "tasks-wait-for-all-their-answers: LangGraph enters them at every resume"


def inner(*nodes: Any, paths: list[str]) -> Any:
    """A graph to run inside another one."""
    return graph(Log, *nodes, paths=paths).compile()


# ---- graphs as nodes


@pytest.mark.parity("I15")
async def test_i15_a_question_of_a_nested_graph_pauses_the_outer_one(saver: Any) -> None:
    sub = inner(asks("x", "q"), says("y"), paths=["START x y"])
    app = graph(Log, ("sub", sub), says("z"), paths=["START sub z"]).compile(checkpointer=saver)
    assert asked(await app.ainvoke({"log": ["in"]}, thread())) == ["q"]
    state = await app.aget_state(thread())
    assert (state.next, [task.interrupts for task in state.tasks]) == (("sub",), [state.interrupts])
    assert await app.ainvoke(Command(resume="r"), thread()) == {"log": ["in", "in", "x:r", "y", "z"]}


@pytest.mark.parity("I15")
async def test_i15_a_question_passes_up_through_all_levels_as_it_is(saver: Any) -> None:
    app: Any = inner(asks("x", "q"), paths=["START x"])
    for _ in range(3):
        app = inner(("sub", app), paths=["START sub"])
    app = graph(Log, ("sub", app), paths=["START sub"]).compile(checkpointer=saver)
    ((namespace, chunk), *_, (root, last)) = [
        (namespace, chunk)
        for namespace, chunk in await chunks(app, {}, thread(), stream_mode="updates", subgraphs=True)
    ]
    assert (len(namespace), root) == (4, ())
    assert last == chunk == {"__interrupt__": (await app.aget_state(thread())).interrupts}


@pytest.mark.parity("I15", "J1")
async def test_i15_with_subgraphs_a_question_is_streamed_by_each_graph_it_passes(saver: Any) -> None:
    sub = inner(asks("x", "q"), paths=["START x"])
    app = graph(Log, ("sub", sub), paths=["START sub"]).compile(checkpointer=saver)
    shown = await chunks(app, {"log": ["in"]}, thread(), stream_mode="updates", subgraphs=True)
    assert [([part.split(":")[0] for part in ns], asked(chunk)) for ns, chunk in shown] == [
        (["sub"], ["q"]),
        ([], ["q"]),
    ]


@pytest.mark.parity("I15")
async def test_i15_without_subgraphs_it_is_streamed_once(saver: Any) -> None:
    sub = inner(asks("x", "q"), paths=["START x"])
    app = graph(Log, ("sub", sub), paths=["START sub"]).compile(checkpointer=saver)
    shown = await chunks(app, {"log": ["in"]}, thread(), stream_mode="updates")
    assert shown == [{"__interrupt__": (await app.aget_state(thread())).interrupts}]


@pytest.mark.parity("I15", "I9")
async def test_i15_what_a_nested_graph_finished_does_not_run_again(saver: Any) -> None:
    ran: list[str] = []
    sub = inner(counts("w", ran), asks("x", "q"), counts("y", ran), paths=["START w x y"])
    app = await paused(saver, ("sub", sub), paths=["START sub"])
    result = await app.ainvoke(Command(resume="r"), thread())
    assert (result, ran) == ({"log": ["in", "in", "w", "x:r", "y"]}, ["w", "y"])


@pytest.mark.parity("I12", "I15")
async def test_i12_a_breakpoint_of_a_nested_graph_stops_the_outer_one(saver: Any) -> None:
    sub = graph(Log, says("x"), says("y"), paths=["START x y"]).compile(interrupt_before=["y"])
    app = graph(Log, ("sub", sub), says("z"), paths=["START sub z"]).compile(checkpointer=saver)
    assert await chunks(app, {}, thread()) == [{"__interrupt__": ()}]
    assert (await app.aget_state(thread())).next == ("sub",)
    assert await app.ainvoke(None, thread()) == {"log": ["x", "y", "z"]}


# ---- answers by id


@pytest.mark.parity("I8")
async def test_i8_a_map_reaches_every_nested_graph(saver: Any) -> None:
    one = inner(asks("x", "qx"), asks("y", "qy"), paths=["START x", "START y"])
    two = inner(("sub", inner(asks("w", "qw"), paths=["START w"])), paths=["START sub"])
    app = await paused(saver, ("one", one), ("two", two), asks("o", "qo"), paths=["START one", "START two"])
    ids = await open_ids(app)
    assert ids.keys() == {"qx", "qy", "qw"}
    answers = {id: f"to {question}" for question, id in ids.items()}
    result = await app.ainvoke(Command(resume=answers), thread())
    assert result == {"log": ["in", "in", "x:to qx", "y:to qy", "in", "in", "w:to qw"]}


@pytest.mark.parity("I8", "I9")
@pytest.mark.parametrize("order", [["qx", "qo", "qy"], ["qy", "qx", "qo"], ["qo", "qy", "qx"]])
async def test_i8_answers_reach_nested_graphs_one_by_one(saver: Any, order: list[str]) -> None:
    sub = inner(asks("x", "qx"), asks("y", "qy"), paths=["START x", "START y"])
    app = await paused(saver, asks("o", "qo"), ("sub", sub), paths=["START o", "START sub"])
    ids, waiting, result = await open_ids(app), set(order), None
    for question in order:
        result = await app.ainvoke(Command(resume={ids[question]: "r"}), thread())
        waiting.remove(question)
        assert set(asked(result)) == waiting
    assert result == {"log": ["in", "o:r", "in", "x:r", "y:r"]}


@pytest.mark.parity("I8", "F9")
async def test_i8_the_same_graph_twice_asks_under_two_ids(saver: Any) -> None:
    sub = inner(asks("x", "q"), paths=["START x"])
    app = graph(Log, ("one", sub), ("two", sub), paths=["START one", "START two"]).compile(checkpointer=saver)
    assert asked(await app.ainvoke({}, thread())) == ["q", "q"]
    assert len({question.id for question in (await app.aget_state(thread())).interrupts}) == 2


@pytest.mark.parity("I8", "M1")
async def test_i8_a_node_may_ask_before_and_after_a_graph_that_asks(saver: Any) -> None:
    ran: list[str] = []
    sub = inner(counts("w", ran), asks("x", "within"), paths=["START w x"])

    async def call(state: Log) -> dict[str, Any]:
        first = interrupt("before")
        said = await sub.ainvoke({"log": [first]})
        return {"log": [*said["log"], interrupt("after")]}

    app = graph(Log, call, paths=["START call"]).compile(checkpointer=saver)
    input: Any = {"log": ["in"]}
    for question in ("before", "within", "after"):
        assert asked(await app.ainvoke(input, thread())) == [question]
        input = Command(resume=f"to {question}")
    result = await app.ainvoke(input, thread())
    assert (result, ran) == ({"log": ["in", "to before", "w", "x:to within", "to after"]}, ["w"])


@pytest.mark.parity("I8", "I9", differs=ALL_ANSWERED)
async def test_i9_a_nested_graph_enters_only_who_got_an_answer(saver: Any) -> None:
    ran: list[str] = []
    sub = inner(asks("x", "qx", ran=ran), asks("y", "qy", ran=ran), paths=["START x", "START y"])
    app = await paused(saver, ("sub", sub), asks("o", "qo", ran=ran), paths=["START sub", "START o"])
    await app.ainvoke(Command(resume={(await open_ids(app))["qy"]: "r"}), thread())
    assert sorted(ran) == ["o", "x", "y", "y"]


@pytest.mark.parity("I8", "I9", differs=ALL_ANSWERED)
async def test_i9_a_node_is_entered_again_only_for_answers_to_graphs_that_it_called(saver: Any) -> None:
    ran: list[str] = []

    def calls(word: str) -> Any:
        sub = inner(asks("x", f"q{word}"), paths=["START x"])

        async def node(state: Log) -> Any:
            ran.append(word)
            return await sub.ainvoke({"log": []})

        return (word, node)

    app = await paused(saver, calls("a"), calls("b"), paths=["START a", "START b"])
    await app.ainvoke(Command(resume={(await open_ids(app))["qb"]: "r"}), thread())
    assert ran == ["a", "b", "b"]
    assert await app.ainvoke(Command(resume="r"), thread()) == {"log": ["in", "x:r", "x:r"]}
    assert ran == ["a", "b", "b", "a"]


# ---- tasks


@task
async def puts(question: str) -> str:
    """Asks its argument."""
    answer: str = interrupt(question)
    return answer


@pytest.mark.parity("I18", "Q5")
async def test_i18_a_question_of_a_task_is_shown_once(saver: Any) -> None:
    async def a(state: Log) -> dict[str, Any]:
        return {"log": [await puts("q")]}

    app = graph(Log, a, paths=["START a"]).compile(checkpointer=saver)
    modes: Any = ["values", "updates"]
    shown = await chunks(app, {}, thread(), stream_mode=modes)
    assert [mode for mode, chunk in shown if "__interrupt__" in chunk] == ["updates", "values"]
    assert (await open_ids(app)).keys() == {"q"}
    assert await app.ainvoke(Command(resume="r"), thread()) == {"log": ["r"]}


@pytest.mark.parity("I18", "Q5")
async def test_i18_tasks_and_their_entrypoint_may_both_ask() -> None:
    @entrypoint(checkpointer=InMemorySaver())
    async def flow(given: str) -> list[str]:
        return [given, await puts("of the task"), interrupt("of its own")]

    assert asked(await flow.ainvoke("in", thread())) == ["of the task"]
    assert asked(await flow.ainvoke(Command(resume="r1"), thread())) == ["of its own"]
    assert await flow.ainvoke(Command(resume="r2"), thread()) == ["in", "r1", "r2"]


@pytest.mark.parity("I18")
async def test_i18_the_open_question_of_a_task_belongs_to_who_called_it() -> None:
    @entrypoint(checkpointer=InMemorySaver())
    async def flow(given: str) -> str:
        return await puts("q")

    await flow.ainvoke("in", thread())
    state = await flow.aget_state(thread())
    assert (state.next, [task.interrupts for task in state.tasks]) == (("flow",), [state.interrupts])
