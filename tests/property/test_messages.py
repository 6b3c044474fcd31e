"""The channel of messages does what the plain function does, in memory and as it is stored in parts.

The function is written down here once more, in the simplest way: each message looks through the whole list.
"""

import asyncio
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphrt.checkpoint.memory import InMemorySaver
from graphrt.errors import UnknownMessageError
from graphrt.graph import START, StateGraph
from graphrt.graph.message import (
    REMOVE_ALL_MESSAGES,
    AIMessage,
    HumanMessage,
    MessagesState,
    RemoveMessage,
    add_messages,
)
from graphrt.graph.schema import channels_of
from graphrt.types import Overwrite

IDS = tuple("abcdefgh")

messages = st.builds(HumanMessage, st.text(max_size=3), id=st.sampled_from(IDS))
removals = st.sampled_from((*IDS, REMOVE_ALL_MESSAGES)).map(RemoveMessage)
writes = st.one_of(
    st.lists(messages, max_size=4), st.lists(st.one_of(messages, messages, removals), max_size=5)
)
overwrites = st.lists(messages, max_size=4, unique_by=lambda m: m.id).map(Overwrite)
steps = st.lists(st.lists(st.one_of(writes, writes, writes, overwrites), min_size=1, max_size=3), max_size=8)


def model(before: list[Any], news: list[Any]) -> list[Any] | None:
    """What `before` becomes; None if a removal names what is not there."""
    resets = [i for i, m in enumerate(news) if type(m) is RemoveMessage and m.id == REMOVE_ALL_MESSAGES]
    if resets:
        before, news = [], news[resets[-1] + 1 :]
    slots: list[list[Any]] = [[message, True] for message in before]
    for message in news:
        slot = next((slot for slot in slots if slot[0].id == message.id), None)
        if type(message) is RemoveMessage:
            if slot is None:
                return None
            slot[1] = False
        elif slot is None:
            slots.append([message, True])
        else:
            slot[:] = [message, True]
    return [message for message, stays in slots if stays]


def step_model(before: list[Any], step: list[Any]) -> list[Any] | None:
    """The same for all writes of a step; None also for several Overwrites, which are an error."""
    kinds = [type(write) is Overwrite for write in step]
    if sum(kinds) > 1:
        return None
    if any(kinds):
        value: list[Any] = step[kinds.index(True)].value
        return list(value)
    return model(before, [message for write in step for message in write])


@given(before=st.lists(messages, max_size=8, unique_by=lambda m: m.id), news=writes)
def test_the_function_is_the_model(before: list[Any], news: list[Any]) -> None:
    wanted = model(before, news)
    if wanted is None:
        with pytest.raises(UnknownMessageError):
            add_messages(before, news)
    else:
        assert add_messages(before, news) == wanted


@given(steps=steps, looks=st.lists(st.sampled_from(("after", "before", "")), max_size=8))
def test_the_channel_is_the_model(steps: list[list[Any]], looks: list[str]) -> None:
    """Also while others look at what it would be, each in a copy; and what has failed leaves no trace."""
    channel = channels_of(MessagesState)["messages"].fresh()
    held: list[Any] = []
    for number, step in enumerate(steps):
        wanted = step_model(held, step)
        kept = channel.get()
        look = looks[number] if number < len(looks) else ""
        others = [channel.copy()] if look else []
        for one in [channel, *others] if look == "after" else [*others, channel]:
            if wanted is None:
                with pytest.raises(Exception):  # noqa: B017 - any: the state must be as before
                    one.update(step)
            else:
                one.update(step)
                assert one.get() == wanted
        assert kept == held
        held = held if wanted is None else wanted
        assert channel.get() == held


def app_of(step: Any, saver: Any) -> Any:
    builder = StateGraph(MessagesState)
    for number, write in enumerate(step):
        builder.add_node(f"n{number}", lambda state, write=write: {"messages": write})
        builder.add_edge(START, f"n{number}")
    return builder.compile(checkpointer=saver)


async def lived(steps: list[Any], saver: Any, thread: Any) -> None:
    """Every step is a run of a graph of its own, which knows of the others what is stored."""
    held: list[Any] = []
    for step in steps:
        wanted = step_model(held, step)
        if wanted is None:
            continue
        result = await app_of(step, saver).ainvoke({"messages": []}, thread)
        assert result["messages"] == wanted
        held = wanted
        assert (await app_of(step, saver).aget_state(thread)).values["messages"] == held
    shown = [s.values["messages"] async for s in app_of([[]], saver).aget_state_history(thread)]
    assert not shown or shown[0] == held


@given(steps=steps)
def test_a_thread_is_read_back_as_the_model_says(steps: list[list[Any]]) -> None:
    asyncio.run(lived(steps, InMemorySaver(), {"configurable": {"thread_id": "t"}}))


@pytest.mark.parametrize("seed", range(4))
async def test_a_thread_survives_every_restart(saver: Any, thread: Any, seed: int) -> None:
    """Long enough lists are stored in parts: appended to, woven anew, and whole again."""
    random = Random(seed)
    held = [str(number) for number in range(60)]
    steps: list[list[Any]] = [[[HumanMessage("x" * 20, id=name) for name in held]]]
    for number in range(25):
        news: list[Any] = [AIMessage("y" * 20, id=f"{seed} {number}")]
        news += [
            HumanMessage("z" * number, id=name) for name in random.sample(held, random.choice((0, 1, 5)))
        ]
        removed = random.sample(held, random.choice((0, 0, 0, 2)))
        news += map(RemoveMessage, removed)
        held = [*(name for name in held if name not in removed), f"{seed} {number}"]
        steps.append([news])
    await lived(steps, saver, thread)
