"""As which node an edit acts: the one it names, the one that ran last, or none at all (LangGraph N6, N7)."""

from typing import Any

import pytest

from graphrt.channels import EphemeralValue, LastValue
from graphrt.constants import END, START
from graphrt.errors import InvalidUpdateError
from graphrt.func import entrypoint
from graphrt.pregel import NodeBuilder, Pregel
from graphrt.types import Command, Send
from tests.acceptance.graphs import Log, graph, says, thread
from tests.acceptance.streams import Flaky, failed_beside, history
from tests.acceptance.test_n_update import app_of, joining, paused


async def head(app: Any) -> Any:
    return await app.aget_state(thread())


# ---- nobody is named


@pytest.mark.parity("N6")
@pytest.mark.parametrize("before, following", [("b", ("b",)), ("c", ("c",))])
async def test_n6_it_is_the_node_that_ran_last(before: str, following: Any, saver: Any) -> None:
    app = await paused(saver, "a", "b", "c", before=before)
    await app.aupdate_state(thread(), {"log": ["edit"]})
    assert (await head(app)).next == following


@pytest.mark.parity("N6")
async def test_n6_before_any_node_has_run_it_is_the_input_node(saver: Any) -> None:
    app = app_of(saver, "a")
    await app.aupdate_state(thread(), {"log": ["one"]})
    assert ((await head(app)).next, (await head(app)).metadata["step"]) == (("a",), 0)
    await app.aupdate_state(thread(), {"log": ["two"]})
    assert await app.ainvoke(None, thread()) == {"log": ["one", "two", "a"]}


@pytest.mark.parity("N6")
async def test_n6_after_the_input_it_is_the_input_node(saver: Any) -> None:
    app = await failed_beside(says("ok"), saver)
    await app.aupdate_state(thread(), {"log": ["edit"]})
    state = await head(app)
    assert (state.values, set(state.next)) == ({"log": ["in", "edit"]}, {"ok", "flaky"})


@pytest.mark.parity("N6")
async def test_n6_an_edit_is_no_run_of_its_node(saver: Any) -> None:
    app = await paused(saver, "a", "b", "c", before="b")
    await app.aupdate_state(thread(), {"log": ["x"]}, as_node="c")
    await app.aupdate_state(thread(), {"log": ["y"]})
    assert (await head(app)).next == ("b",)


@pytest.mark.parity("N6")
async def test_n6_sent_tasks_do_not_count(saver: Any) -> None:
    builder = graph(Log, *map(says, "awz"), paths=["START a", "w z"])
    builder.add_conditional_edges("a", lambda _: [Send("w", {})], ["w"])
    app = builder.compile(checkpointer=saver, interrupt_after=["w"])
    await app.ainvoke({"log": []}, thread())
    await app.aupdate_state(thread(), {"log": ["edit"]})
    assert (await head(app)).next == ("w",)


@pytest.mark.parity("N6")
async def test_n6_of_two_that_ran_together_it_cannot_be_told(saver: Any) -> None:
    app = joining(saver, interrupt_before=["c"])
    await app.ainvoke({"log": []}, thread())
    with pytest.raises(InvalidUpdateError, match="Ambiguous update, specify as_node"):
        await app.aupdate_state(thread(), {"log": ["edit"]})


@pytest.mark.parity(
    "N6", differs="who-ran-last: LangGraph finds a node that two channels started at once ambiguous"
)
async def test_n6_a_node_that_ran_alone_is_the_last_whatever_started_it(saver: Any) -> None:
    builder = graph(Log, *map(says, "abcd"), paths=["START a", "START b", "a+b c", "a c", "c d"])
    app = builder.compile(checkpointer=saver, interrupt_before=["d"])
    await app.ainvoke({"log": []}, thread())
    await app.aupdate_state(thread(), {"log": ["edit"]})
    assert (await head(app)).next == ("d",)


def program(saver: Any, *, second: bool) -> Pregel[Any, Any, Any, Any]:
    """A program of one node or two that read and write channels."""
    nodes = {"one": NodeBuilder().subscribe_only("a").do(lambda a: a + "1").write_to("b")}
    if second:
        nodes["two"] = NodeBuilder().subscribe_only("b").do(lambda b: b + "2").write_to("c")
    return Pregel(
        nodes=nodes,
        channels={"a": EphemeralValue(str), "b": LastValue(str), "c": LastValue(str)},
        input_channels=["a"],
        output_channels=["b", "c"],
        checkpointer=saver,
    )


@pytest.mark.parity("N6")
async def test_n6_the_only_node_of_a_program_is_meant(saver: Any) -> None:
    app = program(saver, second=False)
    await app.aupdate_state(thread(), "given")
    assert ((await head(app)).values, (await head(app)).next) == ({"b": "given"}, ())


@pytest.mark.parity("N6")
async def test_n6_a_program_without_an_input_node_must_be_told(saver: Any) -> None:
    app = program(saver, second=True)
    with pytest.raises(InvalidUpdateError, match="Ambiguous update, specify as_node"):
        await app.aupdate_state(thread(), "given")
    await app.aupdate_state(thread(), "given", as_node="one")
    assert await app.ainvoke(None, thread()) == {"b": "given", "c": "given2"}


@pytest.mark.parity("N6", "Q10")
async def test_n6_an_entrypoint_returns_and_saves_what_an_edit_says(saver: Any) -> None:
    @entrypoint(checkpointer=saver)
    async def count(given: int, *, previous: int | None = None) -> int:
        return (previous or 0) + given

    await count.ainvoke(3, thread())
    await count.aupdate_state(thread(), entrypoint.final(value=5, save=50))
    assert (await head(count)).values == 5
    assert await count.ainvoke(1, thread()) == 51


@pytest.mark.parity("N6", "N9")
@pytest.mark.parametrize("name", ["nobody", END])
async def test_n6_a_node_that_does_not_exist_is_refused(name: str, saver: Any) -> None:
    with pytest.raises(InvalidUpdateError, match=f"Node {name} does not exist"):
        await app_of(saver, "a").aupdate_state(thread(), {"log": ["x"]}, as_node=name)


# ---- the input node


@pytest.mark.parity("N6", "N7", "A8")
async def test_n6_as_start_an_edit_leads_to_the_first_nodes(saver: Any) -> None:
    app = app_of(saver, "a", "b")
    await app.ainvoke({"log": ["in"]}, thread())
    await app.aupdate_state(thread(), {"log": ["edit"]}, as_node=START)
    assert ((await head(app)).next, (await head(app)).values["log"][-1]) == (("a",), "edit")


# ---- END: the step at hand is over


@pytest.mark.parity("N7")
async def test_n7_as_end_what_has_finished_takes_effect_and_the_rest_is_dropped(saver: Any) -> None:
    app = await failed_beside(says("ok"), saver)
    await app.aupdate_state(thread(), None, as_node=END)
    state = await head(app)
    assert (state.values, state.next) == ({"log": ["in", "ok"]}, ())
    assert (state.metadata["source"], state.metadata["step"]) == ("update", 1)


@pytest.mark.parity("N7")
async def test_n7_as_end_what_follows_the_finished_tasks_is_next(saver: Any) -> None:
    nodes = [says("ok"), says("then"), ("flaky", Flaky().node)]
    app = graph(Log, *nodes, paths=["START ok then", "START flaky"]).compile(checkpointer=saver)
    with pytest.raises(ConnectionError):
        await app.ainvoke({"log": []}, thread())
    await app.aupdate_state(thread(), None, as_node=END)
    assert await app.ainvoke(None, thread()) == {"log": ["ok", "then"]}


@pytest.mark.parity("N7", "C7")
async def test_n7_as_end_joins_that_are_due_are_dropped(saver: Any) -> None:
    app = joining(saver, interrupt_before=["c"])
    await app.ainvoke({"log": []}, thread())
    await app.aupdate_state(thread(), None, as_node=END)
    assert (await head(app)).next == ()


@pytest.mark.parity("N7", "H8")
async def test_n7_as_end_updates_of_commands_take_effect(saver: Any) -> None:
    async def fails(state: Log) -> None:
        raise ConnectionError("no route")

    app = graph(Log, fails, paths=["START fails"]).compile(checkpointer=saver)
    given: list[Any] = [{"log": ["in"]}, Command(update={"log": ["note"]})]
    for input in given:
        with pytest.raises(ConnectionError):
            await app.ainvoke(input, thread())
    await app.aupdate_state(thread(), None, as_node=END)
    assert ((await head(app)).values, (await head(app)).next) == ({"log": ["in", "note"]}, ())


@pytest.mark.parity("N7")
async def test_n7_as_end_a_thread_with_nothing_to_do_stays_as_it_is(saver: Any) -> None:
    app = app_of(saver, "a")
    await app.aupdate_state(thread(), None, as_node=END)
    assert [(s.metadata["step"], s.values, s.next) for s in await history(app, thread())] == [
        (0, {"log": []}, ())
    ]
    await app.ainvoke({"log": ["in"]}, thread())
    await app.aupdate_state(thread(), None, as_node=END)
    assert ((await head(app)).values, (await head(app)).next) == ({"log": ["in", "a"]}, ())


@pytest.mark.parity("N7", "N6")
async def test_n7_as_end_what_was_planned_counts_as_run(saver: Any) -> None:
    app = await paused(saver, "a", "b", "c", before="b")
    await app.aupdate_state(thread(), None, as_node=END)
    await app.aupdate_state(thread(), {"log": ["edit"]})
    assert (await head(app)).next == ("c",)


@pytest.mark.parity(
    "N7", "K11", differs="ending-an-older-step: LangGraph applies what the step came to afterwards"
)
async def test_n7_as_end_at_an_older_checkpoint_its_step_is_dropped(saver: Any) -> None:
    app = app_of(saver, "a", "b")
    await app.ainvoke({"log": ["in"]}, thread())
    old = next(s.config for s in await history(app, thread()) if s.next == ("b",))
    await app.aupdate_state(old, None, as_node=END)
    assert ((await head(app)).values, (await head(app)).next) == ({"log": ["in", "a"]}, ())


# ---- __input__: as a run's input


@pytest.mark.parity("N7")
async def test_n7_as_input_an_edit_is_what_a_run_would_be_given(saver: Any) -> None:
    app = app_of(saver, "a")
    await app.aupdate_state(thread(), {"log": ["in"]}, as_node="__input__")
    state = await head(app)
    assert (state.values, state.next) == ({"log": []}, (START,))
    assert (state.metadata["source"], state.metadata["step"]) == ("input", -1)
    assert await app.ainvoke(None, thread()) == {"log": ["in", "a"]}


@pytest.mark.parity("N7", "A11")
async def test_n7_as_input_the_next_turn_is_prepared(saver: Any) -> None:
    app = app_of(saver, "a")
    await app.ainvoke({"log": ["one"]}, thread())
    await app.aupdate_state(thread(), {"log": ["two"]}, as_node="__input__")
    assert (await head(app)).metadata["step"] == 2
    assert await app.ainvoke(None, thread()) == {"log": ["one", "a", "two", "a"]}


@pytest.mark.parity("N7")
async def test_n7_as_input_an_edit_drops_nothing_that_is_planned(saver: Any) -> None:
    app = await paused(saver, "a", "b", before="b")
    await app.aupdate_state(thread(), {"log": ["new"]}, as_node="__input__")
    assert set((await head(app)).next) == {START, "b"}


@pytest.mark.parity("N7", "A9")
async def test_n7_as_input_a_program_takes_its_channels(saver: Any) -> None:
    app = program(saver, second=True)
    await app.aupdate_state(thread(), {"a": "x"}, as_node="__input__")
    assert (await head(app)).next == ("one",)
    with pytest.raises(InvalidUpdateError, match="Received no input writes"):
        await app.aupdate_state(thread(), {"unknown": "x"}, as_node="__input__")


@pytest.mark.parity("N7")
async def test_n7_as_input_none_is_refused(saver: Any) -> None:
    with pytest.raises(InvalidUpdateError, match="Received no input writes"):
        await app_of(saver, "a").aupdate_state(thread(), None, as_node="__input__")


# ---- __copy__: a checkpoint beside another


@pytest.mark.parity("N7")
async def test_n7_a_copy_is_a_sibling_that_holds_the_same(saver: Any) -> None:
    app = await paused(saver, "a", "b", before="b")
    origin = await head(app)
    made = await app.aupdate_state(thread(), None, as_node="__copy__")
    copy = await head(app)
    assert (copy.config, copy.parent_config) == (made, origin.parent_config)
    assert (copy.values, copy.next) == (origin.values, origin.next)
    assert (copy.metadata["source"], copy.metadata["step"]) == ("fork", 2)
    assert await app.ainvoke(None, thread()) == {"log": ["in", "a", "b"]}


@pytest.mark.parity("N7", "L6")
@pytest.mark.parametrize("number", range(4))
async def test_n7_any_checkpoint_can_be_copied_and_stays_as_it_is(number: int, saver: Any) -> None:
    app = app_of(saver, "a", "b")
    await app.ainvoke({"log": ["in"]}, thread())
    before = await history(app, thread())
    await app.aupdate_state(before[number].config, None, as_node="__copy__")
    copy = await head(app)
    assert (copy.values, copy.next) == (before[number].values, before[number].next)
    assert copy.parent_config == before[number].parent_config
    assert (await history(app, thread()))[1:] == before
    await app.ainvoke(None, thread())
    assert (await head(app)).values == {"log": ["in", "a", "b"]}


@pytest.mark.parity("N7", "C7")
async def test_n7_a_copy_has_nothing_that_its_origin_has_not(saver: Any) -> None:
    app = joining(saver)
    await app.ainvoke({"log": []}, thread())
    after_the_join = next(s.config for s in await history(app, thread()) if s.next == ("d",))
    await app.aupdate_state(after_the_join, None, as_node="__copy__")
    assert await app.ainvoke({"log": ["|"]}, thread()) == {"log": ["a", "b", "c", "|", "a", "b", "c", "d"]}


@pytest.mark.parity("N7")
async def test_n7_a_copy_of_a_long_value_is_as_long(saver: Any) -> None:
    app = app_of(saver, "a", "b", "c")
    long = [str(number) for number in range(100)]
    await app.ainvoke({"log": long}, thread())
    for snapshot in await history(app, thread()):
        await app.aupdate_state(snapshot.config, None, as_node="__copy__")
        assert (await head(app)).values == snapshot.values


@pytest.mark.parity("N7")
async def test_n7_a_copy_starts_its_step_anew(saver: Any) -> None:
    app = await failed_beside(says("ok"), saver)
    await app.aupdate_state(thread(), None, as_node="__copy__")
    assert {task.name: task.result for task in (await head(app)).tasks} == {"ok": None, "flaky": None}
    assert await app.ainvoke(None, thread()) == {"log": ["in", "flaky", "ok", "last"]}


@pytest.mark.parity("N7", "N8")
async def test_n7_a_copy_can_be_updated_in_one_go(saver: Any) -> None:
    app = await failed_beside(says("ok"), saver)
    updates = [({"log": ["ok by hand"]}, "ok"), ({"log": ["flaky by hand"]}, "flaky")]
    await app.aupdate_state(thread(), updates, as_node="__copy__")
    state, copy, origin, *_ = await history(app, thread())
    assert (state.values, state.next) == ({"log": ["in", "ok by hand", "flaky by hand"]}, ("last",))
    assert [s.metadata["source"] for s in (state, copy, origin)] == ["update", "fork", "loop"]
    assert {task.name: task.result for task in copy.tasks} == {
        "ok": {"log": ["ok by hand"]},
        "flaky": {"log": ["flaky by hand"]},
    }
    assert {task.name: task.result for task in origin.tasks} == {"ok": {"log": ["ok"]}, "flaky": None}


@pytest.mark.parity("N7", "N9")
async def test_n7_what_is_no_update_is_no_update_of_a_copy(saver: Any) -> None:
    app = await paused(saver, "a", "b", before="b")
    with pytest.raises(InvalidUpdateError, match="Invalid update item: 7 when copying checkpoint"):
        await app.aupdate_state(thread(), [7], as_node="__copy__")


@pytest.mark.parity("N7", "N9")
async def test_n7_a_thread_that_does_not_exist_cannot_be_copied(saver: Any) -> None:
    with pytest.raises(InvalidUpdateError, match="Cannot copy a non-existent checkpoint"):
        await app_of(saver, "a").aupdate_state(thread(), None, as_node="__copy__")
