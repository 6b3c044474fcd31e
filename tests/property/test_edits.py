"""Edits come to the same through every door: saver at compile time or later, blocking or not, in bulk or one by one.

User pain S6: an edit that destroyed a thread in production only, where the saver came another way.
"""

import asyncio
import operator
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, TypedDict
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from graphrt.checkpoint.memory import InMemorySaver
from graphrt.constants import END
from graphrt.core import book, recording
from graphrt.engine import journal
from graphrt.graph import StateGraph
from graphrt.types import Send, StateUpdate

THREAD: Any = {"configurable": {"thread_id": "t"}}


class World(TypedDict):
    words: Annotated[list[str], operator.add]
    known: Annotated[dict[str, int], operator.or_]
    text: Annotated[str, operator.add]
    last: int


# ---- a graph with a join, a deferred node, Sends and a router


def says(word: str) -> Callable[[World], Any]:
    def node(state: Any) -> Any:
        return {"words": [word], "known": {word: 1}, "text": word}

    return node


def router(state: World) -> Any:
    return {0: "z", 1: [Send("w", state), Send("w", state)], 2: ["a", "z"]}.get(state.get("last", 0) % 4, END)


def builder() -> StateGraph[Any, Any, Any, Any]:
    built: StateGraph[Any, Any, Any, Any] = StateGraph(World)
    for name in "abcwz":
        built.add_node(name, says(name), defer=name == "z")
    built.add_edge("__start__", "a").add_edge("__start__", "b").add_edge(["a", "b"], "c").add_edge("w", "z")
    return built.add_conditional_edges("c", router, ["a", "w", "z", END])


# ---- what is done to a thread


@dataclass
class Turn:
    """A run, from the newest state; it stops before some nodes."""

    given: Any
    before: list[str]


@dataclass
class Edit:
    """Supersteps of edits, at the checkpoint that so many others came after; None for the state as it is."""

    at: int | None
    supersteps: list[list[StateUpdate]]


values = st.fixed_dictionaries(
    {},
    optional={
        "words": st.lists(st.sampled_from(["x", "y"]), max_size=2),
        "known": st.dictionaries(st.sampled_from("abx"), st.integers(0, 3), max_size=2),
        "text": st.sampled_from(["", "x", "xy"]),
        "last": st.integers(0, 3),
    },
)
nodes = st.sampled_from(["__start__", "a", "b", "c", "w", "z"])
single = st.one_of(
    st.builds(StateUpdate, values | st.none(), nodes | st.none()),
    st.just(StateUpdate(None, END)),
    st.builds(StateUpdate, values, st.just("__input__")),
    st.builds(StateUpdate, st.none() | st.lists(st.tuples(values, nodes), max_size=2), st.just("__copy__")),
    st.just(StateUpdate({}, "nobody")),
)
supersteps = st.one_of(
    single.map(lambda update: [update]),
    st.lists(st.builds(StateUpdate, values, nodes), min_size=2, max_size=3),
)
actions = st.lists(
    st.builds(Turn, values, st.lists(st.sampled_from("bcwz"), max_size=2))
    | st.builds(Edit, st.none() | st.integers(0, 5), st.lists(supersteps, min_size=1, max_size=3)),
    min_size=1,
    max_size=5,
)


# ---- doors


class Door:
    """One way of doing it."""

    def app(self) -> Any:
        return builder().compile(checkpointer=InMemorySaver())

    async def run(self, app: Any, turn: Turn) -> Any:
        return await app.ainvoke(turn.given, THREAD, interrupt_before=turn.before)

    async def shown(self, app: Any) -> list[Any]:
        return [snapshot async for snapshot in app.aget_state_history(THREAD)]

    async def edit(self, app: Any, config: Any, edits: list[list[StateUpdate]]) -> None:
        await app.abulk_update_state(config, edits)


class Copied(Door):
    """The saver comes with `copy`."""

    def app(self) -> Any:
        return builder().compile().copy(update={"checkpointer": InMemorySaver()})


class Assigned(Door):
    """The saver is assigned to the compiled graph."""

    def app(self) -> Any:
        app = builder().compile()
        app.checkpointer = InMemorySaver()
        return app


class OneByOne(Door):
    """Every superstep is a call of its own, from the config that the one before gave."""

    async def edit(self, app: Any, config: Any, edits: list[list[StateUpdate]]) -> None:
        for updates in edits:
            if len(updates) == 1:
                config = await app.aupdate_state(config, *updates[0])
            else:
                config = await app.abulk_update_state(config, [updates])


class Blocking(Door):
    """The names without `a`, in a thread without a loop."""

    async def run(self, app: Any, turn: Turn) -> Any:
        return await asyncio.to_thread(app.invoke, turn.given, THREAD, interrupt_before=turn.before)

    async def shown(self, app: Any) -> list[Any]:
        return list(await asyncio.to_thread(app.get_state_history, THREAD))

    async def edit(self, app: Any, config: Any, edits: list[list[StateUpdate]]) -> None:
        await asyncio.to_thread(app.bulk_update_state, config, edits)


class InParts(Door):
    """Every value is stored as large ones are."""

    async def run(self, app: Any, turn: Turn) -> Any:
        with no_value_is_small():
            return await super().run(app, turn)

    async def edit(self, app: Any, config: Any, edits: list[list[StateUpdate]]) -> None:
        with no_value_is_small():
            await super().edit(app, config, edits)


@contextmanager
def no_value_is_small() -> Iterator[None]:
    with ExitStack() as stack:
        for module in (book, recording, journal):
            stack.enter_context(patch.object(module, "SMALL", 0))
        yield


async def done(door: Door, todo: list[Turn | Edit]) -> Any:
    """What became of each action, and the whole history."""
    app = door.app()
    outcomes: list[Any] = []
    for action in todo:
        before = await door.shown(app)
        try:
            if isinstance(action, Turn):
                outcomes.append(await door.run(app, action))
            else:
                at = before[action.at % len(before)].config if before and action.at is not None else THREAD
                await door.edit(app, at, action.supersteps)
        except Exception as error:
            outcomes.append(type(error).__name__)
        after = await door.shown(app)
        left = after[len(after) - len(before) :]
        assert list(map(held, left)) == list(map(held, before)), "an action changed what was there"
    return outcomes, told(await door.shown(app))


def held(snapshot: Any) -> Any:
    """What nobody may change of a checkpoint; results of its tasks may still come."""
    return snapshot.values, snapshot.next, snapshot.config, snapshot.parent_config, snapshot.metadata


def told(history: list[Any]) -> Any:
    """A history without ids."""
    numbers = {
        snapshot.config["configurable"]["checkpoint_id"]: i for i, snapshot in enumerate(reversed(history))
    }
    return [
        (
            snapshot.metadata["source"],
            snapshot.metadata["step"],
            snapshot.values,
            snapshot.next,
            [(task.name, task.path, task.result) for task in snapshot.tasks],
            snapshot.parent_config and numbers[snapshot.parent_config["configurable"]["checkpoint_id"]],
        )
        for snapshot in history
    ]


@given(todo=actions)
@settings(max_examples=100)
async def test_edits_come_to_the_same_through_every_door(todo: list[Turn | Edit]) -> None:
    expected = await done(Door(), todo)
    for door in (Copied(), Assigned(), OneByOne(), InParts()):
        assert await done(door, todo) == expected, type(door).__doc__


@given(todo=actions)
@settings(max_examples=30)
async def test_edits_come_to_the_same_through_the_blocking_door(todo: list[Turn | Edit]) -> None:
    assert await done(Blocking(), todo) == await done(Door(), todo)
