"""Random trees of nodes, loops, graphs, tasks and steps that ask are answered in every order, across restarts.

After each run all that has happened is compared with what was foretold (`foretold.py`): each answer reached its asker,
every step and every function that came to its end ran once, and the end is that of a run that asked nobody.
"""

import asyncio
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from graphrt.checkpoint.memory import InMemorySaver
from graphrt.checkpoint.sqlite import SqliteSaver
from tests.property.conversation import Conversation, Manner, Storage
from tests.property.elsewhere import ByLetter
from tests.property.foretold import foretell
from tests.property.growing import trees
from tests.property.planting import Ledger, plant
from tests.property.specimens import SPECIMENS
from tests.property.trees import Enter, Tree, parts

MANNERS = st.builds(
    Manner,
    seed=st.integers(0, 1000),
    one_by_one=st.booleans(),
    repeats=st.booleans(),
    blocking=st.integers(0, 3).map(lambda n: n == 3),
    durability=st.sampled_from(("async", "sync", "exit")),
)


def memory() -> Storage:
    """Storage that stays while processes come and go."""
    saver = InMemorySaver()
    return lambda: nullcontext(saver)


@pytest.fixture(params=("sqlite", "postgres"))
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    """A database that each process opens for itself."""
    if request.param == "sqlite":
        return lambda: SqliteSaver.from_conn_string(str(tmp_path / "threads.db"))
    from graphrt.checkpoint.postgres import PostgresSaver

    url = request.getfixturevalue("postgres")
    return lambda: PostgresSaver.from_conn_string(url)


threads = count()


async def talked_through(tree: Tree, storage: Storage, manner: Manner, *, turns: int) -> Conversation:
    """A conversation that is over."""
    if manner.durability == "exit":
        # What a graph that was called has stored by then is nothing, and it is called again (LangGraph K2).
        assume(not any(isinstance(part, Enter) for part in parts(tree)))
    conversation = Conversation(tree, storage, manner, thread=f"thread {next(threads)}")
    for turn in range(turns):
        await conversation.turn(f"t{turn}")
    return conversation


async def past(app: Any, thread: str) -> list[Any]:
    """A thread's checkpoints, newest first, without what says when they were made."""
    config: Any = {"configurable": {"thread_id": thread}}
    history = app.aget_state_history(config)
    return [(shown.metadata["source"], shown.values, sorted(shown.next)) async for shown in history]


# ---- random trees


@given(tree=trees(), manner=MANNERS)
@settings(max_examples=max(150, settings().max_examples))
async def test_every_answer_reaches_its_asker_and_nothing_happens_twice(tree: Tree, manner: Manner) -> None:
    await talked_through(tree, memory(), manner, turns=2)


@given(tree=trees(), manner=MANNERS.map(lambda manner: replace(manner, blocking=False)))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_answers_find_their_askers_in_databases(tree: Tree, manner: Manner, database: Storage) -> None:
    await talked_through(tree, database, manner, turns=1)


@given(tree=trees(), seed=st.integers(0, 1000))
@settings(max_examples=60)
async def test_a_thread_that_was_asked_has_the_past_of_one_that_was_not(tree: Tree, seed: int) -> None:
    saver, ledger = InMemorySaver(), Ledger()
    asked = await talked_through(tree, lambda: nullcontext(saver), Manner(seed), turns=2)
    unasked = plant(tree, ledger, saver=saver, answered=True)
    for given_ in asked.given:
        await unasked.ainvoke(given_, {"configurable": {"thread_id": "unasked"}})
    foretold = foretell(tree, asked.given, None)
    assert sorted(ledger.ended.elements()) == sorted(foretold.ended)
    assert sorted(ledger.stepped.elements()) == sorted(foretold.stepped)
    assert await past(unasked, asked.thread) == await past(unasked, "unasked")


# ---- every order


class Scripted(Conversation):
    """Answers as a script says: at each pause one of all subsets of what is open."""

    def follow(self, script: Sequence[int]) -> None:
        self.script = list(script)
        self.options: list[int] = []

    def chosen(self, open_: Sequence[str]) -> list[str]:
        at = len(self.options)
        self.options.append(2 ** len(open_) - 1)
        self.script += [0] * (at + 1 - len(self.script))
        subset = self.script[at] + 1
        return [question for bit, question in enumerate(open_) if subset >> bit & 1]


@pytest.mark.parametrize("name", SPECIMENS)
async def test_every_order_and_every_batch_comes_to_the_same_end(name: str) -> None:
    script: list[int] | None = []
    ways = 0
    while script is not None:
        conversation = Scripted(SPECIMENS[name], memory())
        conversation.follow(script)
        await conversation.turn("t0")
        script = following(conversation.script, conversation.options)
        ways += 1
    assert ways >= 3


def following(script: Sequence[int], options: Sequence[int]) -> list[int] | None:
    """The next script, given how many options there were at each pause of this one; None after the last."""
    for at in reversed(range(len(options))):
        if script[at] + 1 < options[at]:
            return [*script[:at], script[at] + 1]
    return None


# ---- a process for each answer


@pytest.fixture(params=("sqlite", "postgres"))
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database by its name."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'threads.db'}"
    named: str = request.getfixturevalue("postgres")
    return named


@pytest.mark.slow
@pytest.mark.parametrize("specimen", ["graphs in graphs", "a graph that is called", "tasks at once"])
def test_each_answer_may_come_in_a_process_of_its_own(url: str, specimen: str) -> None:
    asyncio.run(ByLetter(SPECIMENS[specimen], memory(), specimen=specimen, url=url).turn("t0"))
