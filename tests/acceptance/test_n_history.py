"""A long history: each snapshot is what its checkpoint is by itself, and nobody else's (LangGraph N4)."""

import operator
from dataclasses import dataclass, field
from typing import Annotated, Any, TypedDict

import pytest

from graphrt.types import Send
from tests.acceptance.graphs import graph, thread
from tests.acceptance.streams import history


@dataclass
class Note:
    text: str
    tags: list[str] = field(default_factory=list)


class World(TypedDict, total=False):
    messages: Annotated[list[dict[str, str]], operator.add]
    notes: Annotated[list[Note], operator.add]
    nested: Annotated[list[Any], operator.add]
    known: Annotated[dict[str, Any], operator.or_]
    profile: dict[str, str]
    plan: list[Any]
    text: str
    turn: int


async def work(state: World) -> dict[str, Any]:
    turn = state["turn"] + 1
    long = f"of turn {turn}, and some words more so that it is no small value " * 2
    return {
        "turn": turn,
        "messages": [{"role": "ai", "content": long}],
        "notes": [Note(long, [str(turn)])],
        "nested": [{"calls": [{"name": long}]}],
        "known": {str(turn): [long]},
        "profile": {"name": long} if turn % 3 == 0 else state.get("profile", {}),
        "plan": [long, *state.get("plan", [])][:5],
        "text": state.get("text", "") + long,
    }


async def spread(state: World) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": "spread " * 20}]}


def route(state: World) -> Any:
    return [Send("spread", state), Send("spread", state)] if state["turn"] % 2 else []


async def grown(saver: Any) -> Any:
    """A thread of six turns on two branches."""
    builder = graph(World, work, spread, paths=["START work"]).add_conditional_edges(
        "work", route, ["spread"]
    )
    app = builder.compile(checkpointer=saver)
    for turn in range(6):
        await app.ainvoke({"turn": turn, "messages": [{"role": "user", "content": "?" * 100}]}, thread())
    await app.ainvoke({"turn": 20}, (await history(app, thread()))[6].config)
    return app


def spoil(value: Any) -> None:
    """Change all that can be changed in place."""
    match value:
        case dict():
            for inner in list(value.values()):
                spoil(inner)
            value["spoilt"] = True
        case list() | tuple():
            for inner in value:
                spoil(inner)
            if isinstance(value, list):
                value.insert(0, "spoilt")
        case Note():
            value.text = "spoilt"
            value.tags.append("spoilt")
        case _:
            pass


@pytest.mark.parity("N4")
async def test_n4_every_snapshot_is_what_its_checkpoint_shows_by_itself(saver: Any) -> None:
    app = await grown(saver)
    shown = await history(app, thread())
    assert len(shown) > 20
    assert [await app.aget_state(snapshot.config) for snapshot in shown] == shown


@pytest.mark.parity("N4")
async def test_n4_whoever_changes_a_snapshot_changes_no_other(saver: Any) -> None:
    app = await grown(saver)
    before = await history(app, thread())
    seen: list[str] = []
    async for snapshot in app.aget_state_history(thread()):
        seen.append(repr(snapshot))
        spoil(snapshot)
    assert seen == list(map(repr, before))
    assert list(map(repr, await history(app, thread()))) == seen
