"""A thread stores what is new, and reads back as if everything were stored each time (LangGraph L1, L5, L8)."""

import operator
from collections.abc import Callable
from itertools import pairwise
from typing import Annotated, Any, TypedDict

import pytest

from graphrt.errors import StateMutationWarning
from graphrt.graph import START, StateGraph
from graphrt.types import Durability
from tests.acceptance.meters import Meter

TEXT = (
    "a sentence of some length, as people write them when they talk to machines, again and again and again: "
)


class Chat(TypedDict, total=False):
    added: Annotated[list[dict[str, Any]], operator.add]
    merged: Annotated[dict[str, str], operator.or_]
    own: Annotated[list[str], lambda old, new: (old + new)[-40:]]
    replaced: list[str]
    text: Annotated[str, operator.add]
    still: str


def turn(state: Chat) -> Chat:
    number = len(state["added"])
    return {
        "added": [{"role": "assistant", "content": f"{TEXT}{number}"}],
        "merged": {f"key {number % 30}": f"{TEXT}{number}"},
        "own": [f"{TEXT}{number}"],
        "replaced": [*state.get("replaced", []), f"{TEXT}{number}"],
        "text": f"{TEXT}{number}",
    }


def chat(saver: Any, node: Callable[[Any], Any] = turn, **options: Any) -> Any:
    return (
        StateGraph(Chat).add_node("turn", node).add_edge(START, "turn").compile(checkpointer=saver, **options)
    )


def asked(number: int) -> Any:
    return {"added": [{"role": "user", "content": f"{TEXT}?{number}"}], "still": TEXT}


async def test_bytes_of_a_turn_do_not_grow_with_the_thread(saver: Any, thread: Any) -> None:
    meter = Meter(saver)
    graph = chat(meter)
    turns: list[int] = []
    for number in range(60):
        meter.weights.clear()
        await graph.ainvoke(asked(number), thread)
        turns.append(sum(meter.weights))
    # A value that is trimmed is stored whole now and then, so single turns differ.
    assert sum(turns[-25:]) < 2 * sum(turns[:25])


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
async def test_every_checkpoint_reads_back_as_the_run_showed_it(
    saver: Any, thread: Any, durability: Durability
) -> None:
    graph = chat(saver)
    shown: list[Any] = []
    for number in range(50):
        run = graph.astream(asked(number), thread, stream_mode="checkpoints", durability=durability)
        shown += [chunk["values"] async for chunk in run]
    stored = [snapshot.values async for snapshot in graph.aget_state_history(thread)]
    assert (await graph.aget_state(thread)).values == shown[-1]
    if durability != "exit":
        assert stored == shown[::-1]


async def test_results_of_tasks_in_the_history_are_whole(saver: Any, thread: Any) -> None:
    graph = chat(saver)
    for number in range(5):
        await graph.ainvoke(asked(number), thread)
    history = [snapshot async for snapshot in graph.aget_state_history(thread)]
    for after, before in pairwise(history):
        for task in before.tasks:
            if task.name == "turn":
                assert task.result["added"] == after.values["added"][-1:]
                assert task.result["replaced"] == after.values["replaced"]
                assert task.result["text"] == after.values["text"][-len(task.result["text"]) :]
    alone = await graph.aget_state(history[4].config)
    assert alone.tasks[0].result == history[4].tasks[0].result is not None


async def test_fork_goes_on_from_where_it_began(saver: Any, thread: Any) -> None:
    graph = chat(saver)
    for number in range(8):
        await graph.ainvoke(asked(number), thread)
    history = [snapshot async for snapshot in graph.aget_state_history(thread)]
    past = history[10]
    before = [snapshot.values for snapshot in history]
    ended = await graph.ainvoke(asked(99), past.config)
    assert ended["added"][:-2] == past.values["added"]
    after = [snapshot.values async for snapshot in graph.aget_state_history(thread)]
    assert after[-len(before) :] == before
    assert (await graph.aget_state(thread)).values == ended


# ---- what is changed in place


async def test_value_that_was_changed_in_place_and_returned_is_stored(saver: Any, thread: Any) -> None:
    def node(state: Any) -> Any:
        state.setdefault("replaced", []).append(TEXT)
        return {"replaced": state["replaced"]}

    graph = chat(saver, node)
    for _ in range(4):
        await graph.ainvoke(asked(0), thread)
    assert (await graph.aget_state(thread)).values["replaced"] == [TEXT] * 4


async def test_debug_mode_names_the_node_that_changed_a_value_in_place(saver: Any, thread: Any) -> None:
    def careless(state: Any) -> None:
        state["added"][0]["content"] = "changed"

    graph = chat(saver, careless, debug=True)
    with pytest.warns(StateMutationWarning, match="Node 'turn' changed the value of 'added' in place"):
        await graph.ainvoke(asked(0), thread)


async def test_debug_mode_is_silent_about_nodes_that_return_new_values(saver: Any, thread: Any) -> None:
    await chat(saver, debug=True).ainvoke(asked(0), thread)


@pytest.mark.parametrize(
    "value",
    [TEXT, [TEXT, TEXT], {"a": TEXT}, TEXT.encode() * 3, (TEXT, 1)],
    ids=["text", "list", "dict", "bytes", "tuple"],
)
async def test_large_value_of_a_plain_key_is_stored_at_every_step(
    saver: Any, thread: Any, value: Any
) -> None:
    class Plain(TypedDict, total=False):
        large: Any
        small: int

    async def first(state: Plain) -> Plain:
        return {"large": value}

    async def second(state: Plain) -> Plain:
        return {"large": value * 2 if not isinstance(value, dict) else {**value, "b": TEXT}, "small": 1}

    builder = StateGraph(Plain).add_sequence([first, second]).add_edge(START, "first")
    graph = builder.compile(checkpointer=saver)
    ended = await graph.ainvoke({"small": 0}, thread)
    assert (await graph.aget_state(thread)).values == ended
    again = await graph.ainvoke({"small": 5}, thread)
    assert (await graph.aget_state(thread)).values == again == ended
    shown = [snapshot.values async for snapshot in graph.aget_state_history(thread)]
    assert [s.get("large") for s in shown][::-1][:4] == [None, None, value, ended["large"]]
