"""Running from an older checkpoint: replay, forks, resumes, new turns (LangGraph N11, N12, N14)."""

from typing import Any

import pytest

from graphrt.types import Command, Send, interrupt
from tests.acceptance.asking import asked, counts
from tests.acceptance.graphs import Log, graph, named, says, thread
from tests.acceptance.streams import Flaky, chunks, failed_beside, history


def chain(saver: Any, ran: list[str], *words: str, **options: Any) -> Any:
    """A compiled chain of nodes that leave a trace in `ran`."""
    nodes = [counts(word, ran) for word in words]
    return graph(Log, *nodes, paths=["START " + " ".join(words)]).compile(saver, **options)


async def at(app: Any, *following: str, config: Any = None) -> Any:
    """The newest snapshot that `following` come after."""
    return next(s for s in await history(app, config or thread()) if set(s.next) == set(following))


async def branch(app: Any) -> list[Any]:
    """(source, log) from the thread's head back to its beginning."""
    config: Any = thread()
    found: list[Any] = []
    while config is not None:
        state = await app.aget_state(config)
        found.append((state.metadata["source"], state.values["log"]))
        config = state.parent_config
    return found


# ---- replay


@pytest.mark.parity("N11")
async def test_n11_what_came_after_the_checkpoint_runs_again(saver: Any) -> None:
    ran: list[str] = []
    app = chain(saver, ran, "a", "b", "c")
    await app.ainvoke({"log": ["in"]}, thread())
    old = await at(app, "b")
    ran.clear()
    assert await app.ainvoke(None, old.config) == {"log": ["in", "a", "b", "c"]}
    assert ran == ["b", "c"]


@pytest.mark.parity("N11")
async def test_n11_a_replay_is_a_branch_that_begins_with_a_fork(saver: Any) -> None:
    app = chain(saver, [], "a", "b", "c")
    await app.ainvoke({"log": ["in"]}, thread())
    await app.ainvoke(None, (await at(app, "b")).config)
    assert await branch(app) == [
        ("loop", ["in", "a", "b", "c"]),
        ("loop", ["in", "a", "b"]),
        ("fork", ["in", "a"]),
        ("loop", ["in", "a"]),
        ("loop", ["in"]),
        ("input", []),
    ]


@pytest.mark.parity("N11")
@pytest.mark.parametrize("number", range(4))
async def test_n11_a_replay_leaves_the_branch_that_it_starts_from_alone(number: int, saver: Any) -> None:
    app = chain(saver, [], "a", "b")
    await app.ainvoke({"log": ["in"]}, thread())
    before = await history(app, thread())
    assert await app.ainvoke(None, before[number].config) == {"log": ["in", "a", "b"]}
    assert (await history(app, thread()))[-len(before) :] == before


@pytest.mark.parity("N11")
async def test_n11_a_replay_can_begin_at_the_input(saver: Any) -> None:
    ran: list[str] = []
    app = chain(saver, ran, "a", "b")
    await app.ainvoke({"log": ["in"]}, thread())
    await app.ainvoke({"log": ["more"]}, thread())
    first = (await history(app, thread()))[-1]
    ran.clear()
    assert await app.ainvoke(None, first.config) == {"log": ["in", "a", "b"]}
    assert ran == ["a", "b"]


@pytest.mark.parity("N11")
async def test_n11_a_checkpoint_at_which_all_was_done_becomes_the_head(saver: Any) -> None:
    ran: list[str] = []
    app = chain(saver, ran, "a")
    await app.ainvoke({"log": ["one"]}, thread())
    end = await app.aget_state(thread())
    await app.ainvoke({"log": ["two"]}, thread())
    ran.clear()
    assert await app.ainvoke(None, end.config) == {"log": ["one", "a"]}
    assert ran == []
    assert (await app.aget_state(thread())).values == {"log": ["one", "a"]}
    assert await app.ainvoke({"log": ["three"]}, thread()) == {"log": ["one", "a", "three", "a"]}


@pytest.mark.parity("N11", "H1")
async def test_n11_sends_are_sent_again(saver: Any) -> None:
    ran: list[str] = []
    builder = graph(Log, counts("a", ran), counts("w", ran), paths=["START a"])
    builder.add_conditional_edges("a", lambda _: [Send("w", {})] * 2, ["w"])
    app = builder.compile(checkpointer=saver)
    await app.ainvoke({"log": []}, thread())
    ran.clear()
    assert await app.ainvoke(None, (await at(app, "w")).config) == {"log": ["a", "w", "w"]}
    assert ran == ["w", "w"]


@pytest.mark.parity("N11", "K11")
async def test_n11_what_finished_beside_a_failure_runs_again_as_well(saver: Any) -> None:
    ran: list[str] = []
    app = await failed_beside(counts("ok", ran), saver)
    head = (await app.aget_state(thread())).config
    assert await app.ainvoke(None, head) == {"log": ["in", "flaky", "ok", "last"]}
    assert ran == ["ok", "ok"]


@pytest.mark.parity("N11", "K8")
async def test_n11_a_replay_that_fails_goes_on_from_its_fork(saver: Any) -> None:
    ran: list[str] = []
    flaky = Flaky()
    app = graph(Log, counts("ok", ran), ("flaky", flaky.node), paths=["START ok", "START flaky"]).compile(
        saver
    )
    flaky.calls = 1
    await app.ainvoke({"log": []}, thread())
    flaky.calls = 0
    with pytest.raises(ConnectionError):
        await app.ainvoke(None, (await at(app, "ok", "flaky")).config)
    assert await app.ainvoke(None, thread()) == {"log": ["flaky", "ok"]}
    assert ran == ["ok", "ok"]


@pytest.mark.parity("N11")
async def test_n11_a_replay_streams_the_state_that_it_starts_from(saver: Any) -> None:
    app = chain(saver, [], "a", "b")
    await app.ainvoke({"log": []}, thread())
    old = (await at(app, "b")).config
    assert await chunks(app, None, old, stream_mode="values") == [{"log": ["a"]}, {"log": ["a", "b"]}]


@pytest.mark.parity("N11", "K1")
@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
async def test_n11_a_replay_is_stored_as_durably_as_it_was_asked(durability: Any, saver: Any) -> None:
    app = chain(saver, [], "a", "b")
    await app.ainvoke({"log": ["in"]}, thread())
    await app.ainvoke({"log": ["more"]}, thread())
    old = next(s for s in reversed(await history(app, thread())) if s.next == ("b",))
    await app.ainvoke(None, old.config, durability=durability)
    assert (await app.aget_state(thread())).values == {"log": ["in", "a", "b"]}


@pytest.mark.parity("N11")
async def test_n11_replays_of_replays_go_back_to_the_same_beginning(saver: Any) -> None:
    app = chain(saver, [], "a", "b", "c")
    await app.ainvoke({"log": ["in"]}, thread())
    for _ in range(12):
        await app.ainvoke(None, (await at(app, "b")).config)
    assert (await app.aget_state(thread())).values == {"log": ["in", "a", "b", "c"]}
    assert [source for source, _ in await branch(app)].count("fork") == 12


# ---- Commands


@pytest.mark.parity("N11", "H8")
async def test_n11_a_command_may_update_the_fork(saver: Any) -> None:
    ran: list[str] = []
    app = chain(saver, ran, "a", "b")
    await app.ainvoke({"log": ["in"]}, thread())
    ran.clear()
    old = (await at(app, "b")).config
    assert await app.ainvoke(Command(update={"log": ["told"]}), old) == {"log": ["in", "a", "told", "b"]}
    assert ran == ["b"]
    assert (await app.aget_state(old)).values == {"log": ["in", "a"]}


@pytest.mark.parity("N11", "H9")
async def test_n11_a_command_may_send_the_fork_elsewhere_too(saver: Any) -> None:
    ran: list[str] = []
    app = chain(saver, ran, "a", "b", "c")
    await app.ainvoke({"log": []}, thread())
    ran.clear()
    await app.ainvoke(Command(goto="c"), (await at(app, "b")).config)
    assert sorted(ran) == ["b", "c", "c"]


# ---- forks by hand


@pytest.mark.parity("N11", "N5")
async def test_n11_an_edited_past_runs_on_as_a_branch(saver: Any) -> None:
    ran: list[str] = []
    app = chain(saver, ran, "a", "b", "c")
    await app.ainvoke({"log": ["in"]}, thread())
    made = await app.aupdate_state((await at(app, "b")).config, {"log": ["edit"]}, as_node="a")
    ran.clear()
    assert await app.ainvoke(None, made) == {"log": ["in", "a", "edit", "b", "c"]}
    assert ran == ["b", "c"]


@pytest.mark.parity("N11", "N5")
async def test_n11_an_edit_that_is_the_head_is_not_forked_again(saver: Any) -> None:
    app = chain(saver, [], "a", "b")
    await app.ainvoke({"log": []}, thread())
    made = await app.aupdate_state((await at(app, "b")).config, {"log": ["edit"]}, as_node="a")
    await app.ainvoke(None, made)
    assert [source for source, _ in await branch(app)] == ["loop", "update", "loop", "loop", "input"]


@pytest.mark.parity("N11", "N5")
async def test_n11_an_edit_that_was_overtaken_is_forked(saver: Any) -> None:
    app = chain(saver, [], "a", "b")
    await app.ainvoke({"log": []}, thread())
    old = (await at(app, "b")).config
    first = await app.aupdate_state(old, {"log": ["first"]}, as_node="a")
    await app.aupdate_state(old, {"log": ["second"]}, as_node="a")
    assert await app.ainvoke(None, first) == {"log": ["a", "first", "b"]}
    assert [source for source, _ in await branch(app)][:3] == ["loop", "fork", "update"]


@pytest.mark.parity("N11", "N7")
async def test_n11_a_copy_runs_on_as_a_branch(saver: Any) -> None:
    ran: list[str] = []
    app = chain(saver, ran, "a", "b")
    await app.ainvoke({"log": ["in"]}, thread())
    copy = await app.aupdate_state((await at(app, "b")).config, None, as_node="__copy__")
    ran.clear()
    assert await app.ainvoke(None, copy) == {"log": ["in", "a", "b"]}
    assert ran == ["b"]
    assert [source for source, _ in await branch(app)] == ["loop", "fork", "loop", "input"]


# ---- questions


def asking(saver: Any, ran: list[str]) -> Any:
    """`ask` asks "?", `side` finishes beside it, `z` follows."""

    async def ask(state: Log) -> dict[str, Any]:
        ran.append("ask")
        return {"log": [f"ask:{interrupt('?')}"]}

    nodes = [says("a"), named("ask", ask), counts("side", ran), counts("z", ran)]
    return graph(Log, *nodes, paths=["START a ask z", "a side"]).compile(checkpointer=saver)


async def answered(app: Any, answer: str) -> Any:
    await app.ainvoke({"log": []}, thread())
    return await app.ainvoke(Command(resume=answer), thread())


@pytest.mark.parity("N11", "I9")
async def test_n11_a_replay_asks_again(saver: Any) -> None:
    ran: list[str] = []
    app = asking(saver, ran)
    await answered(app, "yes")
    old = await at(app, "ask", "side")
    ran.clear()
    assert asked(await app.ainvoke(None, old.config)) == ["?"]
    assert sorted(ran) == ["ask", "side"]
    assert await app.ainvoke(Command(resume="no"), thread()) == {"log": ["a", "ask:no", "side", "z"]}


@pytest.mark.parity("N11")
async def test_n11_the_question_of_a_replay_is_a_new_one(saver: Any) -> None:
    app = asking(saver, [])
    (first,) = (await app.ainvoke({"log": []}, thread()))["__interrupt__"]
    (second,) = (await app.ainvoke(None, (await app.aget_state(thread())).config))["__interrupt__"]
    assert (first.value, second.value) == ("?", "?")
    assert first.id != second.id


@pytest.mark.parity("N12")
async def test_n12_an_answer_at_the_head_is_a_resume(saver: Any) -> None:
    ran: list[str] = []
    app = asking(saver, ran)
    await app.ainvoke({"log": []}, thread())
    head = (await app.aget_state(thread())).config
    ran.clear()
    assert await app.ainvoke(Command(resume="yes"), head) == {"log": ["a", "ask:yes", "side", "z"]}
    assert ran == ["ask", "z"]
    assert [source for source, _ in await branch(app)] == ["loop", "loop", "loop", "loop", "input"]


@pytest.mark.parity("N12")
async def test_n12_at_a_checkpoint_that_was_passed_finished_tasks_run_again(saver: Any) -> None:
    ran: list[str] = []
    app = asking(saver, ran)
    await answered(app, "yes")
    old = (await at(app, "ask", "side")).config
    ran.clear()
    await app.ainvoke(Command(resume="again"), old)
    assert sorted(ran) == ["ask", "side", "z"]


@pytest.mark.parity("N12", differs="answers-at-a-checkpoint-that-was-passed: LangGraph takes the old one")
async def test_n12_at_a_checkpoint_that_was_passed_the_new_answer_counts(saver: Any) -> None:
    app = asking(saver, [])
    await answered(app, "yes")
    old = (await at(app, "ask", "side")).config
    result = await app.ainvoke(Command(resume="again"), old)
    assert result == {"log": ["a", "ask:again", "side", "z"]}


# ---- a new turn


@pytest.mark.parity("N14")
async def test_n14_new_input_branches_from_the_checkpoint(saver: Any) -> None:
    ran: list[str] = []
    app = chain(saver, ran, "a", "b")
    await app.ainvoke({"log": ["one"]}, thread())
    await app.ainvoke({"log": ["two"]}, thread())
    old = next(s for s in reversed(await history(app, thread())) if not s.next)
    ran.clear()
    assert await app.ainvoke({"log": ["three"]}, old.config) == {"log": ["one", "a", "b", "three", "a", "b"]}
    assert ran == ["a", "b"]
    assert [source for source, _ in await branch(app)] == ["loop", "loop", "loop", "input"] * 2


@pytest.mark.parity("N14", "A7")
async def test_n14_new_input_drops_what_the_checkpoint_had_planned(saver: Any) -> None:
    ran: list[str] = []
    app = chain(saver, ran, "a", "b")
    await app.ainvoke({"log": ["one"]}, thread())
    old = (await at(app, "b")).config
    ran.clear()
    assert await app.ainvoke({"log": ["new"]}, old) == {"log": ["one", "a", "new", "a", "b"]}
    assert ran == ["a", "b"]


@pytest.mark.parity("N14")
async def test_n14_the_branch_that_was_left_can_be_taken_up_again(saver: Any) -> None:
    app = chain(saver, [], "a")
    await app.ainvoke({"log": ["one"]}, thread())
    first = (await app.aget_state(thread())).config
    await app.ainvoke({"log": ["left"]}, thread())
    left = (await app.aget_state(thread())).config
    await app.ainvoke({"log": ["right"]}, first)
    assert await app.ainvoke({"log": ["on"]}, left) == {"log": ["one", "a", "left", "a", "on", "a"]}


@pytest.mark.parity("N14", "N11", differs="unknown-checkpoints: LangGraph starts an empty thread")
async def test_n14_a_checkpoint_that_does_not_exist_cannot_be_run_from(saver: Any) -> None:
    app = chain(saver, [], "a")
    await app.ainvoke({"log": ["one"]}, thread())
    nowhere = {"configurable": {"thread_id": "t", "checkpoint_id": "nothing"}}
    for given in (None, {"log": ["two"]}):
        with pytest.raises(ValueError, match="no checkpoint 'nothing'"):
            await app.ainvoke(given, nowhere)
    assert (await app.aget_state(thread())).values == {"log": ["one", "a"]}
