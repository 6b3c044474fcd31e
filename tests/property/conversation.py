"""Talking a thread through to its end: who is answered when, in which process, and what must be true after each run."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, TypeAlias

from graphrt.types import Command
from tests.property.foretold import Foretold, foretell
from tests.property.planting import Ledger, plant
from tests.property.trees import Tree, answer_to, digest

__all__ = ["Asked", "Conversation", "Manner", "Outcome", "Storage", "run_once"]

Storage = Callable[[], AbstractAsyncContextManager[Any]]
"""Opens the storage as another process would."""

Asked = list[tuple[str, str]]
"""Questions with their ids."""

How: TypeAlias = Literal["ainvoke", "invoke", "astream"]
"""How a graph is run."""


@dataclass(frozen=True)
class Manner:
    """How a thread is talked to.

    Attributes:
        seed: which questions are answered when, and which of the runs are streamed.
        one_by_one: an answer at a time.
        repeats: now and then the thread is run with nothing, or is told again what it was told.
        blocking: runs are called from threads without a loop.
    """

    seed: int = 0
    one_by_one: bool = False
    repeats: bool = False
    blocking: bool = False
    durability: str = "async"


@dataclass
class Outcome:
    """What a run came to, as it says itself, and as the thread's state says."""

    log: list[str]
    asked: Asked
    open: Asked
    next: tuple[str, ...]


@dataclass
class Conversation:
    """One thread, from its first input to its end.

    Attributes:
        ids: of all questions that were ever open.
        answered: questions that have their answers; `repeatable` those that were open at the same time as one that
            is open still.
    """

    tree: Tree
    storage: Storage
    manner: Manner = Manner()
    thread: str = "thread"
    ledger: Ledger = field(default_factory=Ledger)
    ids: dict[str, str] = field(default_factory=dict[str, str])
    answered: list[str] = field(default_factory=list[str])
    given: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    runs: int = 0

    async def turn(self, place: str) -> None:
        """Give the thread an input, and answer until nothing is open."""
        given = {"place": place, "total": len(self.given)}
        self.given.append(given)
        await self.run(given, answers=())
        while open_ := sorted(self.foretold().open):
            if self.manner.repeats and not self.dice("repeat", 3):
                await self.say_nothing_new()
            await self.answer(open_, self.chosen(open_))

    def chosen(self, open_: Sequence[str]) -> list[str]:
        """Which of the open questions to answer at once."""
        shuffled = sorted(open_, key=lambda question: self.dice(question, 1000))
        return shuffled[: 1 if self.manner.one_by_one else 1 + self.dice("how many", len(open_))]

    async def answer(self, open_: Sequence[str], questions: Sequence[str]) -> None:
        """Answer some questions by their ids, a lone one also by a bare value."""
        self.answered += questions
        given: Any = {self.ids[question]: answer_to(question) for question in questions}
        if len(open_) == 1 and self.dice("bare", 2):
            given = answer_to(questions[0])
        await self.run(Command(resume=given), answers=questions)

    async def say_nothing_new(self) -> None:
        """Run the thread with nothing, or tell it again what it was told last.

        With "exit" durability nobody knows any more what a run was told that came to its end.
        """
        if self.answered and self.manner.durability != "exit" and self.dice("again", 2):
            last = self.answered[-1]
            await self.run(Command(resume={self.ids[last]: answer_to(last)}), answers=())
        else:
            await self.run(None, answers=())

    def foretold(self) -> Foretold:
        return foretell(self.tree, self.given, self.answered)

    def dice(self, about: Any, sides: int) -> int:
        return digest(self.manner.seed, self.runs, about) % sides

    # ---- one run

    async def run(self, given: Any, *, answers: Sequence[str]) -> None:
        """Run the thread and compare what happened with what was foretold."""
        self.runs += 1
        before = Counter(self.ledger.begun)
        outcome = await self.happen(given)
        foretold = self.foretold()
        self.as_foretold(foretold)
        self.only_what_was_answered_began_again(self.ledger.begun - before, before, answers)
        self.asked(foretold, outcome.asked)
        self.asked(foretold, outcome.open)
        if not foretold.open:
            assert outcome.next == ()
            assert outcome.log == foretold.log

    async def happen(self, given: Any) -> Outcome:
        """A run in a new process, so to speak: everything it uses is new but what is stored."""
        async with self.storage() as saver:
            return await run_once(
                self.tree,
                self.ledger,
                saver,
                given,
                thread=self.thread,
                durability=self.manner.durability,
                how=self.how(),
            )

    def how(self) -> How:
        if self.manner.blocking:
            return "invoke"
        return "ainvoke" if self.dice("streamed", 3) else "astream"

    # ---- what must be true

    def as_foretold(self, foretold: Foretold) -> None:
        """Each function that ended and each memo happened once, and nothing that could happen is left."""
        assert not self.ledger.misled, "an answer came to somebody else"
        assert self.ledger.ended == Counter(foretold.ended)
        assert self.ledger.stepped == Counter(foretold.stepped)
        assert set(self.ledger.begun) == set(foretold.begun)

    def only_what_was_answered_began_again(
        self, again: Counter[str], before: Counter[str], answers: Sequence[str]
    ) -> None:
        """A function begins anew for answers to what was asked in it, once for all of them, and for no others.

        With no answers at all those begin anew that wait for others: a graph inside may have been edited.
        """
        for where, times in again.items():
            assert times == 1, f"{where} began {times} times in one run"
            if answers:
                wanted = any(is_inside(question, where) for question in answers)
            else:
                open_ = [question for question in self.ids if question not in self.answered]
                wanted = any(is_inside(question, where) and asker(question) != where for question in open_)
            assert not before[where] or wanted, f"{where} began again, for answers that are not its own"

    def asked(self, foretold: Foretold, shown: Asked) -> None:
        """Open are the questions that were foretold, under ids of their own that never change."""
        assert sorted(question for question, _ in shown) == sorted(foretold.open)
        for question, identity in shown:
            assert self.ids.setdefault(question, identity) == identity
        assert len(set(self.ids.values())) == len(self.ids), "two questions with one id"


async def run_once(
    tree: Tree, ledger: Ledger, saver: Any, given: Any, *, thread: str, durability: str, how: How
) -> Outcome:
    """Run a graph of the tree that nobody has used, and look at the thread with another one."""
    config: Any = {"configurable": {"thread_id": thread}}
    app = plant(tree, ledger, saver=saver)
    options: Any = {"durability": durability}
    match how:
        case "ainvoke":
            result = await app.ainvoke(given, config, **options)
        case "invoke":
            result = await asyncio.to_thread(partial(app.invoke, given, config, **options))
        case "astream":
            result = await gathered(
                app.astream(given, config, stream_mode="values", subgraphs=True, **options)
            )
    state = await plant(tree, ledger, saver=saver).aget_state(config)
    asked = pairs(result.get("__interrupt__", ()))
    return Outcome(result.get("log", []), asked, pairs(state.interrupts), state.next)


async def gathered(stream: AsyncIterator[Any]) -> dict[str, Any]:
    """What the outermost graph has streamed, as if it had been returned."""
    result: dict[str, Any] = {}
    asked: list[Any] = []
    async for namespace, chunk in stream:
        if namespace == ():
            asked += chunk.get("__interrupt__", ())
            result |= chunk
    return {**result, "__interrupt__": asked}


def pairs(interrupts: Sequence[Any]) -> Asked:
    return [(interrupt.value, interrupt.id) for interrupt in interrupts]


def is_inside(question: str, where: str) -> bool:
    return question.startswith(where) and question[len(where)] in "./-+"


def asker(question: str) -> str:
    """The place of the function that asks it."""
    return question.rpartition("?")[0].rpartition(".")[0]
