"""After any prune of any nested thread, whatever stays runs on exactly as it would have run on without.

The thread's past has turns that were left with open questions, answers, forks, and prunes in between. What a run from a
checkpoint does is told by copies of the thread: some of the whole one, some of the pruned one.
"""

from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graphrt.checkpoint import time_of
from graphrt.checkpoint.memory import InMemorySaver
from graphrt.types import Command
from tests.checkpointers.encrypted_world import encrypted
from tests.property.growing import trees
from tests.property.planting import Ledger, plant
from tests.property.trees import Tree, answer_to

Doing = tuple[str, int]
"""What happens to a thread, and which of its checkpoints or questions it happens to."""

doings = st.lists(
    st.tuples(
        st.sampled_from(("turn", "answer", "answer", "go on", "fork", "turn back", "prune")),
        st.integers(0, 99),
    ),
    min_size=1,
    max_size=7,
)
prunes = st.builds(
    lambda age, last: {"age": last} if age else {"keep_last": last}, st.booleans(), st.integers(1, 6)
)
thoroughly = settings(max_examples=max(60, settings().max_examples // 2))
rarely = settings(
    max_examples=max(5, settings().max_examples // 20),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
examples = count()
"""Storage is shared by the examples of a test."""


@dataclass
class Life:
    """A thread of a tree, and what it was seen to do."""

    tree: Tree
    saver: Any
    thread: str
    ledger: Ledger = field(default_factory=Ledger)
    turns: int = 0
    seen: list[Any] = field(default_factory=list[Any])

    def config(self, checkpoint: str | None = None) -> Any:
        chosen = {} if checkpoint is None else {"checkpoint_id": checkpoint}
        return {"configurable": {"thread_id": self.thread, **chosen}}

    async def run(self, given: Any, checkpoint: str | None = None) -> None:
        """Run in a new process, so to speak, and see what comes of it."""
        app = plant(self.tree, self.ledger, saver=self.saver)
        try:
            result = await app.ainvoke(given, self.config(checkpoint))
        except Exception as error:
            self.seen.append(repr(error))
            return
        asked = sorted(interrupt.value for interrupt in result.get("__interrupt__", ()))
        self.seen.append((result.get("log"), asked))

    async def turn(self, checkpoint: str | None = None) -> None:
        self.turns += 1
        await self.run({"place": f"t{self.turns}", "total": self.turns}, checkpoint)

    async def open_(self) -> list[Any]:
        app = plant(self.tree, Ledger(), saver=self.saver)
        return sorted((await app.aget_state(self.config())).interrupts, key=lambda interrupt: interrupt.value)

    async def history(self) -> list[str]:
        """The graph's own checkpoints, newest first."""
        return [stored.checkpoint.id async for stored in self.saver.history(self.thread)]

    async def do(self, doing: Doing) -> None:
        """What happens to the thread."""
        what, number = doing
        history, open_ = await self.history(), await self.open_()
        if what == "answer" and open_:
            chosen = open_[number % len(open_)]
            await self.run(Command(resume={chosen.id: answer_to(chosen.value)}))
        elif what == "go on" and history:
            await self.run(None)
        elif what == "fork" and history:
            await self.run(None, history[number % len(history)])
        elif what == "turn back" and history:
            await self.turn(history[number % len(history)])
        elif what == "prune":
            await self.saver.aprune([self.thread], keep_last=1 + number % 20)
        else:
            await self.turn()

    async def on_and_on(self, checkpoint: str | None) -> list[Any]:
        """What the thread does from a checkpoint to the end of its turn, and in the turn after that."""
        if checkpoint is not None:
            await self.run(None, checkpoint)
        for _ in range(2):
            while open_ := await self.open_():
                self.seen.append([interrupt.value for interrupt in open_])
                await self.run(Command(resume={one.id: answer_to(one.value) for one in open_}))
            await self.turn()
        assert not self.ledger.misled
        return [*self.seen, *map(sorted_, (self.ledger.begun, self.ledger.ended, self.ledger.stepped))]


def sorted_(counter: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counter.items())


async def runs_on_as_before(saver: Any, tree: Tree, past: list[Doing], prune: dict[str, int]) -> None:
    example = next(examples)
    life = Life(tree, saver, f"{example} thread")
    await life.turn()
    for doing in past:
        await life.do(doing)
    history = await life.history()
    pruned = f"{example} pruned"
    await saver.acopy_thread(life.thread, pruned)
    options = {"older_than": time_of(history[: prune["age"]][-1])} if "age" in prune else prune
    await saver.aprune([pruned], **options)
    left = await Life(tree, saver, pruned).history()
    assert left == history[: len(left)]
    for checkpoint in (None, *left):
        told: list[Any] = []
        for origin in (life.thread, pruned):
            copy = Life(tree, saver, f"{origin} from {checkpoint}", turns=life.turns)
            await saver.acopy_thread(origin, copy.thread)
            told.append(await copy.on_and_on(checkpoint))
        assert told[0] == told[1]
    await nothing_is_left_over(saver, pruned)


async def nothing_is_left_over(saver: Any, thread: str) -> None:
    """With the graph's own last checkpoint alone, no namespace is there that no open question needs."""
    await saver.aprune([thread])
    async for info in saver.athreads(prefix=thread, limit=1):
        head = await saver.load(thread)
        waiting = [result for result in head.results if result.error is not None or result.child is None]
        assert waiting or not [namespace for namespace in info.namespaces if ":" in namespace]


@given(tree=trees(), past=doings, prune=prunes)
@thoroughly
async def test_what_stays_runs_on_as_before(tree: Tree, past: list[Doing], prune: dict[str, int]) -> None:
    await runs_on_as_before(InMemorySaver(), tree, past, prune)


@pytest.mark.parametrize("wrap", [lambda saver: saver, encrypted], ids=["plain", "encrypted"])
@given(tree=trees(), past=doings, prune=prunes)
@rarely
async def test_what_stays_in_storage_runs_on_as_before(
    saver: Any, wrap: Any, tree: Tree, past: list[Doing], prune: dict[str, int]
) -> None:
    await runs_on_as_before(wrap(saver), tree, past, prune)
