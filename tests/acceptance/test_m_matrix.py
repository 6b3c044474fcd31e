"""Every scope of a graph in every place it can have, resumed, forked and run for a second turn (user pain A8).

What is stored and for how long is LangGraph M2; that it depends on neither place nor depth is what is shown here.
"""

import operator
from typing import Annotated, Any, TypedDict

import pytest

from graphrt.types import Command, Send
from tests.acceptance.graphs import graph, thread
from tests.acceptance.nested import chain, visited
from tests.acceptance.streams import history

SCOPES = [None, True, False]
CALLS = {"as node": 1, "called": 1, "called twice": 2, "fan-out": 2, "3 deep": 1, "5 deep": 1}
"""Places, and how many children each has."""


class State(TypedDict):
    log: Annotated[list[str], operator.add]
    visits: int
    said: str


class Level(TypedDict):
    visits: int
    said: str


def told(state: Any) -> str:
    return f"{state['visits']} {state['said']}"


class World:
    """A graph with children of one scope in one place; its node `here` is or calls them."""

    def __init__(self, place: str, scope: bool | None, saver: Any, *, asking: bool = False) -> None:
        self.arrivals: list[str] = []
        self.child = visited(scope, self.arrivals, asking=asking)
        self.scope = scope
        builder = self.fanned_out() if place == "fan-out" else self.in_line(place)
        self.app = builder.compile(checkpointer=saver)

    def in_line(self, place: str) -> Any:
        match place:
            case "called" | "called twice":
                return graph(State, ("here", self.calling(CALLS[place])), paths=["START here"])
            case "as node":
                node = self.child
            case _:
                node = self.buried(int(place[0]))
        nodes = [("enter", self.enter), ("here", node), ("leave", self.leave)]
        return graph(State, *nodes, paths=["START enter here leave"])

    def fanned_out(self) -> Any:
        builder = graph(State, ("here", self.calling(1)), paths=[])
        return builder.add_conditional_edges("__start__", lambda _: [Send("here", n) for n in range(2)])

    def buried(self, depth: int) -> Any:
        """The child inside of as many graphs as make it `depth` graphs in a row."""
        node = self.child
        for _ in range(depth - 1):
            node = chain(("level", node), schema=Level, checkpointer=self.scope)
        return node

    def calling(self, times: int) -> Any:
        async def here(state: Any) -> dict[str, Any]:
            return {"log": [told(await self.child.ainvoke({"visits": 0})) for _ in range(times)]}

        return here

    async def enter(self, state: State) -> dict[str, Any]:
        return {"visits": 0}

    async def leave(self, state: State) -> dict[str, Any]:
        return {"log": [told(state)]}

    async def answered(self) -> list[str]:
        """What is logged when every question was answered, with a letter each."""
        letters = iter("abcdefgh")
        result = await self.app.ainvoke({"log": []}, thread())
        while asked := result.get("__interrupt__"):
            answers: dict[str, Any] = {interrupt.id: next(letters) for interrupt in asked}
            answer = answers if len(asked) > 1 else answers.popitem()[1]
            result = await self.app.ainvoke(Command(resume=answer), thread())
        return list(result["log"])

    async def turn(self, config: Any = None) -> list[str]:
        return list((await self.app.ainvoke({"log": ["|"]}, config or thread()))["log"])

    async def forks(self) -> list[list[str]]:
        """What is logged by a replay from before each time the children ran, oldest first."""
        befores = [s.config for s in reversed(await history(self.app, thread())) if "here" in s.next]
        return [list((await self.app.ainvoke(None, before))["log"]) for before in befores]


def cells(*but: tuple[str, bool | None]) -> Any:
    """All places and scopes `but` some."""
    both = [(place, scope) for place in CALLS for scope in SCOPES if (place, scope) not in but]
    return pytest.mark.parametrize("place, scope", both)


TOGETHER = ("fan-out", True)


# ---- resumed


@cells(TOGETHER, ("called twice", False), ("fan-out", False))
@pytest.mark.parity("M2", "M3")
async def test_m2_children_resume_in_every_place(place: str, scope: Any, saver: Any) -> None:
    world = World(place, scope, saver, asking=True)
    assert await world.answered() == [f"1 {letter}" for letter in "ab"[: CALLS[place]]]
    assert len(world.arrivals) == CALLS[place] * (2 if scope is False else 1)


@pytest.mark.parity("M2", "M3", differs="answers-to-what-is-not-stored: LangGraph asks for ever")
@pytest.mark.parametrize("place", ["called twice", "fan-out"])
async def test_m2_several_children_that_are_not_stored_resume(place: str, saver: Any) -> None:
    assert await World(place, False, saver, asking=True).answered() == ["1 a", "1 b"]


@pytest.mark.parity(
    "M2", "M6", differs="a-fan-out-has-children-of-its-own: LangGraph's tasks share one persistent child"
)
async def test_m2_persistent_children_of_a_fan_out_resume_each_for_itself(saver: Any) -> None:
    world = World(*TOGETHER, saver, asking=True)
    assert await world.answered() == ["1 a", "1 b"]
    assert len(world.arrivals) == 2


# ---- a second turn


@cells()
@pytest.mark.parity("M2", "F5")
async def test_m2_a_second_turn_in_every_place(place: str, scope: Any, saver: Any) -> None:
    world = World(place, scope, saver)
    assert await world.turn() == ["|"] + ["1 nothing"] * CALLS[place]
    visits = 2 if scope is True else 1
    assert (await world.turn())[-CALLS[place] :] == [f"{visits} nothing"] * CALLS[place]


# ---- forked


@cells(TOGETHER)
@pytest.mark.parity("M2", "N13")
async def test_m2_a_fork_finds_the_children_of_its_checkpoint(place: str, scope: Any, saver: Any) -> None:
    await forked(World(place, scope, saver), CALLS[place])


@pytest.mark.parity(
    "M6", "N13", differs="a-fan-out-has-children-of-its-own: LangGraph's tasks share one persistent child"
)
async def test_m2_a_fork_finds_the_persistent_children_of_a_fan_out(saver: Any) -> None:
    await forked(World(*TOGETHER, saver), 2)


async def forked(world: World, calls: int) -> None:
    """Two turns, a replay of each, and a turn more on top of the last."""
    await world.turn()
    source = await world.turn()
    first, second = await world.forks()
    assert second == source
    assert first == source[: 1 + calls]
    again = await world.turn()
    assert again == [*second, "|", *["3 nothing" if world.scope is True else "1 nothing"] * calls]
