"""Graphs in graphs that are cancelled, left and broken at every point, and what must not happen to them.

Each function and each memo is written down outside of all storage, so that one that is repeated shows.
"""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from graphrt.func import step, task
from graphrt.types import Command
from tests.acceptance.graphs import Log, graph, thread
from tests.engine.worlds import no_new_tasks, turns
from tests.property.foretold import foretell
from tests.property.planting import Ledger, plant
from tests.property.trees import (
    Ask,
    Body,
    Both,
    Call,
    Enter,
    Flow,
    Graph,
    Inner,
    Step,
    Work,
    answer_to,
    named,
)

GIVEN = {"place": "t0", "total": 0}


def beside(*nodes: Work | Inner) -> Graph:
    """Nodes side by side."""
    return Graph((nodes,))


PAYS = Body((Step(),))
CALLS = Body((Call(PAYS), Both((Call(PAYS), Enter(Flow(PAYS))))))
LASTS = Graph(((Work(PAYS),), (Work(PAYS),)), lasts=True)
INSIDE = beside(Inner(beside(Inner(beside(Work(CALLS), Work(PAYS))), Work(PAYS))))
DEEP = named(Graph(((Work(CALLS), Inner(INSIDE), Work(Body((Enter(LASTS),)))), (Work(PAYS, width=2),))))
"""Three nodes side by side, of which one is a graph in a graph in a graph; two Sends."""

ASKS = Body((Step(), Ask(), Step()))
ASKING = named(beside(Work(Body((Call(ASKS),))), Inner(beside(Inner(beside(Work(ASKS), Work(PAYS)))))))
"""Two questions: one in a task, one two graphs further in."""


class World:
    """One thread of a tree.

    Attributes:
        end: what it comes to.
    """

    def __init__(self, tree: Graph, saver: Any, *, asking: bool = False) -> None:
        self.ledger = Ledger()
        self.app: Any = plant(tree, self.ledger, saver=saver, answered=not asking, slowly=True)
        self.end = {"log": foretell(tree, [GIVEN], None).log}

    async def to_its_end(self, **options: Any) -> Any:
        """Run the thread on from wherever it is, and answer whatever it asks."""
        begun = (await self.app.aget_state(thread())).metadata is not None
        result = await self.app.ainvoke(await self.answers() if begun else GIVEN, thread(), **options)
        while "__interrupt__" in result:
            result = await self.app.ainvoke(await self.answers(), thread(), **options)
        return result

    async def answers(self) -> Command[Any] | None:
        """To all questions that are open."""
        open_ = (await self.app.aget_state(thread())).interrupts
        answers = {question.id: answer_to(question.value) for question in open_}
        return Command(resume=answers) if answers else None

    def repeated(self, durability: str) -> set[str]:
        """Functions and memos that came to their ends more than once.

        With "exit" durability that is no mistake: a graph that was called has ended and is not stored (LangGraph K2).
        """
        if durability == "exit":
            return set()
        happened = self.ledger.ended + self.ledger.stepped
        return {place for place, times in happened.items() if times > 1}


class HeldInside:
    """A graph in a graph in a graph; a task in the innermost one waits until `released`, beside a node that ends.

    Attributes:
        entered: the task has begun; `left` says that it ended, however it did.
        before: how many times the step was taken that comes before it in its node.
    """

    def __init__(self, *, saver: Any = None) -> None:
        self.entered, self.released = asyncio.Event(), asyncio.Event()
        self.left = False
        self.before = 0
        self.end = {"log": ["waits"]}

        @task
        async def waits() -> str:
            self.entered.set()
            try:
                await self.released.wait()
            finally:
                self.left = True
            return "waits"

        async def calls(state: Log) -> dict[str, Any]:
            await step("before", self.count)
            return {"log": [await waits()]}

        async def beside(state: Log) -> dict[str, Any]:
            return {"log": []}

        innermost = graph(Log, calls, beside, paths=["START calls", "START beside"]).compile()

        async def middle(state: Log) -> Any:
            return await innermost.ainvoke({"log": []})

        inner = graph(Log, middle, paths=["START middle"]).compile()
        self.app: Any = graph(Log, ("inner", inner), paths=["START inner"]).compile(checkpointer=saver)

    async def count(self) -> None:
        self.before += 1


@asynccontextmanager
async def no_trace(*, after_turns: int = 0) -> AsyncIterator[None]:
    """What runs inside leaves no asyncio task alive, and nothing that the collector finds and complains about."""
    async with no_new_tasks():
        yield
        await turns(after_turns)
    gc.collect()
