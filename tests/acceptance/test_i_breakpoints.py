"""Static breakpoints: a run stops before or after nodes named beforehand (LangGraph I12, I13, A10, P2, P3)."""

from typing import Any

import pytest

from graphrt.checkpoint.memory import InMemorySaver
from graphrt.errors import GraphValidationError
from graphrt.types import Command, Send, interrupt
from tests.acceptance.asking import asked, asks, counts, open_ids, paused
from tests.acceptance.graphs import Log, graph, named, says, thread
from tests.acceptance.streams import chunks, history

CHAIN = ["START a b c"]


def chain(saver: Any, **options: Any) -> Any:
    return graph(Log, says("a"), says("b"), says("c"), paths=CHAIN).compile(checkpointer=saver, **options)


async def stops(app: Any, config: Any, **options: Any) -> list[Any]:
    """How far the log had come at each stop of a run that is always continued with None."""
    shown = [(await app.ainvoke({"log": []}, config, **options))["log"]]
    while (await app.aget_state(config)).next:
        shown.append((await app.ainvoke(None, config, **options))["log"])
    return ["".join(log) for log in shown]


# ---- where a run stops


@pytest.mark.parity("I12")
@pytest.mark.parametrize(
    "breakpoints, expected",
    [
        ({"interrupt_before": ["b"]}, ["a", "abc"]),
        ({"interrupt_after": ["b"]}, ["ab", "abc"]),
        ({"interrupt_before": ["a"], "interrupt_after": ["a"]}, ["", "a", "abc"]),
        ({"interrupt_before": ["b", "c"]}, ["a", "ab", "abc"]),
        ({"interrupt_before": ["c"], "interrupt_after": ["b"]}, ["ab", "abc"]),
        ({"interrupt_after": ["c"]}, ["abc"]),
        ({"interrupt_before": "*"}, ["", "a", "ab", "abc"]),
        ({"interrupt_after": "*"}, ["a", "ab", "abc"]),
    ],
)
async def test_i12_a_run_stops_before_and_after_nodes(saver: Any, breakpoints: Any, expected: Any) -> None:
    assert await stops(chain(saver, **breakpoints), thread("compiled")) == expected
    assert await stops(chain(saver), thread("called"), **breakpoints) == expected


@pytest.mark.parity("I12", "A4")
async def test_i12_breakpoints_of_a_call_replace_those_of_the_graph(saver: Any) -> None:
    app = chain(saver, interrupt_before=["b"])
    assert (await app.ainvoke({}, thread("1"), interrupt_before=["c"]))["log"] == ["a", "b"]
    assert (await app.ainvoke({}, thread("2"), interrupt_after=["b"]))["log"] == ["a"]


@pytest.mark.parity("I12")
async def test_i12_breakpoints_of_a_call_are_not_those_of_the_next(saver: Any) -> None:
    app = chain(saver)
    await app.ainvoke({}, thread(), interrupt_before="*")
    assert await app.ainvoke(None, thread()) == {"log": ["a", "b", "c"]}


@pytest.mark.parity("I12")
async def test_i12_the_node_to_stop_at_is_planned_and_has_no_question(saver: Any) -> None:
    app = chain(saver, interrupt_before=["b"])
    await app.ainvoke({}, thread())
    state = await app.aget_state(thread())
    assert (state.values, state.next, state.interrupts) == ({"log": ["a"]}, ("b",), ())
    assert [(task.name, task.error, task.interrupts) for task in state.tasks] == [("b", None, ())]


@pytest.mark.parity("I12")
async def test_i12_a_stop_before_a_node_stops_its_siblings_too(saver: Any) -> None:
    ran: list[str] = []
    app = await paused(
        saver, counts("a", ran), counts("b", ran), paths=["START a", "START b"], interrupt_before=["b"]
    )
    assert ran == []
    assert await app.ainvoke(None, thread()) == {"log": ["in", "a", "b"]}


@pytest.mark.parity("I12", "A10")
async def test_i12_a_breakpoint_in_a_loop_stops_every_round(saver: Any) -> None:
    builder = graph(Log, says("a"), says("b"), paths=["START a b"])
    builder.add_conditional_edges("b", lambda state: "a" if len(state["log"]) < 6 else "__end__")
    app = builder.compile(checkpointer=saver, interrupt_before=["a"])
    assert await stops(app, thread()) == ["", "ab", "abab", "ababab"]


@pytest.mark.parity("I12")
async def test_i12_a_stop_adds_no_checkpoint(saver: Any) -> None:
    app = chain(saver, interrupt_before="*")
    await stops(app, thread())
    shown = [(snapshot.metadata["step"], snapshot.next) for snapshot in await history(app, thread())]
    assert shown == [(3, ()), (2, ("c",)), (1, ("b",)), (0, ("a",)), (-1, ("__start__",))]


@pytest.mark.parity("I12")
async def test_i12_new_input_at_a_breakpoint_starts_over(saver: Any) -> None:
    app = chain(saver, interrupt_before=["b"])
    await app.ainvoke({"log": ["one"]}, thread())
    assert await app.ainvoke({"log": ["two"]}, thread()) == {"log": ["one", "a", "two", "a"]}


@pytest.mark.parity("I12")
@pytest.mark.parametrize("command", [{"resume": "go"}, {"update": {"log": []}}, {"goto": "__end__"}])
async def test_i12_a_command_goes_on_from_a_breakpoint_as_none_does(saver: Any, command: Any) -> None:
    app = chain(saver, interrupt_before=["b"])
    await app.ainvoke({}, thread())
    assert await app.ainvoke(Command(**command), thread()) == {"log": ["a", "b", "c"]}


@pytest.mark.parity("I12", "N5")
async def test_i12_an_edit_at_a_breakpoint_does_not_stop_there_again(saver: Any) -> None:
    app = chain(saver, interrupt_before=["b"])
    await app.ainvoke({}, thread())
    await app.aupdate_state(thread(), {"log": ["edit"]})
    assert (await app.aget_state(thread())).next == ("b",)
    assert await app.ainvoke(None, thread()) == {"log": ["a", "edit", "b", "c"]}


@pytest.mark.parity("I12", "H1")
async def test_i12_a_stop_before_sends_names_their_node(saver: Any) -> None:
    async def work(item: int) -> dict[str, Any]:
        return {"log": [f"work{item}"]}

    builder = graph(Log, work, paths=["work END"])
    builder.add_conditional_edges("__start__", lambda state: [Send("work", 1), Send("work", 2)])
    app = builder.compile(checkpointer=saver, interrupt_before=["work"])
    assert await app.ainvoke({"log": []}, thread()) == {"log": []}
    assert (await app.aget_state(thread())).next == ("work", "work")
    assert await app.ainvoke(None, thread()) == {"log": ["work1", "work2"]}


@pytest.mark.parity("I12", "I4")
async def test_i12_breakpoints_and_questions_of_a_node_follow_one_another(saver: Any) -> None:
    options: Any = {"interrupt_before": ["b"], "interrupt_after": ["b"]}
    app = graph(Log, says("a"), asks("b", "q"), says("c"), paths=CHAIN).compile(checkpointer=saver, **options)
    assert await app.ainvoke({}, thread()) == {"log": ["a"]}
    assert asked(await app.ainvoke(None, thread())) == ["q"]
    assert await app.ainvoke(Command(resume="r"), thread()) == {"log": ["a", "b:r"]}
    assert await app.ainvoke(None, thread()) == {"log": ["a", "b:r", "c"]}


@pytest.mark.parity("I12", "I9")
async def test_i12_a_breakpoint_does_not_stop_the_answer_to_a_question(saver: Any) -> None:
    app = await paused(saver, asks("a", "qa"), asks("b", "qb"), paths=["START a", "START b"])
    ids = await open_ids(app)
    result = await app.ainvoke(Command(resume={ids["qa"]: "r"}), thread(), interrupt_before="*")
    assert (result["log"], asked(result)) == (["in", "a:r"], ["qb"])


@pytest.mark.parity("I12")
@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
async def test_i12_a_stop_is_durable(saver: Any, durability: Any) -> None:
    app = chain(saver, interrupt_after=["a"])
    await app.ainvoke({}, thread(), durability=durability)
    assert await chain(saver).ainvoke(None, thread()) == {"log": ["a", "b", "c"]}


@pytest.mark.parity("I12")
async def test_i12_without_a_checkpointer_the_run_ends_at_a_breakpoint() -> None:
    assert await chain(None, interrupt_before=["b"]).ainvoke({"log": ["in"]}) == {"log": ["in", "a"]}


@pytest.mark.parity("I12")
def test_i12_the_blocking_doors_stop_as_well() -> None:
    plain = [named(word, lambda state: {"log": ["x"]}) for word in "abc"]
    app = graph(Log, *plain, paths=CHAIN).compile(checkpointer=InMemorySaver(), interrupt_before=["b"])
    assert app.invoke({"log": []}, thread()) == {"log": ["x"]}
    shown = list(app.stream(None, thread(), interrupt_after=["b"]))
    assert shown == [{"b": {"log": ["x"]}}, {"__interrupt__": ()}]


# ---- names


@pytest.mark.parity("P2")
@pytest.mark.parametrize("where", ["interrupt_before", "interrupt_after"])
def test_p2_a_breakpoint_at_an_unknown_node_is_refused_at_compile(where: str) -> None:
    options: Any = {where: ["nope"]}
    with pytest.raises(GraphValidationError, match="Interrupt node `nope` not found"):
        chain(None, **options)


@pytest.mark.parity("P3")
async def test_p3_unless_strict_a_call_may_name_unknown_nodes(saver: Any) -> None:
    app = chain(saver, strict=False)
    assert await app.ainvoke({}, thread(), interrupt_before=["nope"]) == {"log": ["a", "b", "c"]}


# ---- what a stop shows


@pytest.mark.parity("I13")
@pytest.mark.parametrize("options", [{"interrupt_before": ["b"]}, {"interrupt_after": ["a"]}])
async def test_i13_a_stop_shows_on_updates_only(saver: Any, options: Any) -> None:
    modes: Any = ["values", "updates"]
    shown = await chunks(chain(saver), {"log": ["in"]}, thread(), stream_mode=modes, **options)
    assert shown == [
        ("values", {"log": ["in"]}),
        ("updates", {"a": {"log": ["a"]}}),
        ("values", {"log": ["in", "a"]}),
        ("updates", {"__interrupt__": ()}),
    ]


@pytest.mark.parity("I13")
async def test_i13_a_result_does_not_say_that_the_run_stopped(saver: Any) -> None:
    app = chain(saver, interrupt_before=["b"])
    assert await app.ainvoke({}, thread("1")) == {"log": ["a"]}
    result = await app.ainvoke({}, thread("2"), version="v2")
    assert (result.value, result.interrupts) == ({"log": ["a"]}, ())


@pytest.mark.parity("I13", "J7")
async def test_i13_the_checkpoint_at_which_it_stops_is_streamed_first(saver: Any) -> None:
    modes: Any = ["updates", "checkpoints"]
    shown = await chunks(chain(saver), {}, thread(), stream_mode=modes, interrupt_before=["b"])
    (mode, checkpoint), stop = shown[-2:]
    assert (mode, checkpoint["next"], stop) == ("checkpoints", ["b"], ("updates", {"__interrupt__": ()}))


@pytest.mark.parity("A10")
async def test_a10_going_on_from_a_stop_streams_the_state_first(saver: Any) -> None:
    app = chain(saver, interrupt_before=["c"])
    await app.ainvoke({}, thread())
    shown = await chunks(app, None, thread(), stream_mode="values")
    assert shown == [{"log": ["a", "b"]}, {"log": ["a", "b", "c"]}]


@pytest.mark.parity("I12", "I3")
async def test_i3_what_is_given_at_a_breakpoint_answers_the_node_that_asks_behind_it(saver: Any) -> None:
    async def b(state: Log) -> dict[str, Any]:
        return {"log": [interrupt("q1"), interrupt("q2")]}

    app = graph(Log, says("a"), b, paths=["START a b"]).compile(checkpointer=saver, interrupt_after=["a"])
    await app.ainvoke({}, thread())
    assert asked(await app.ainvoke(Command(resume="r1"), thread())) == ["q2"]
    assert await app.ainvoke(Command(resume="r2"), thread()) == {"log": ["a", "r1", "r2"]}
