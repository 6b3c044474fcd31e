"""A thread that is asked: a graph in a graph, a functional task and memos, with a question in each of the two graphs.

The tree and what it comes to are those of tests/property; no function of it can run twice in a thread, so its name
says which one ran. What has been done is told, and so is what storage has acknowledged of it.
"""

from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

from graphrt.errors import ThreadConflict
from graphrt.testing.faults import FaultySaver, Kill
from graphrt.types import Command
from tests.crash.databases import Database
from tests.crash.jobs import history, on_loop
from tests.crash.line import Line
from tests.property.foretold import foretell
from tests.property.planting import Ledger, plant
from tests.property.trees import Ask, Body, Call, Graph, Inner, Step, Work, answer_to, named

__all__ = ["END", "answer_to_the_end"]

GIVEN = {"place": "t0", "total": 0}
PAYS = Body((Step(),))
ASKS = Body((Step(), Ask(), Step()))
INSIDE = Graph(((Work(ASKS), Work(PAYS)), (Work(PAYS),)))
TREE = named(Graph(((Work(Body((Step(), Call(ASKS), Step()))), Inner(INSIDE)), (Work(PAYS),))))
END = foretell(TREE, [GIVEN], None)
"""What it comes to."""


class Told(Counter[str]):
    """Counts, and tells what it counts."""

    def __init__(self, line: Line, what: str) -> None:
        super().__init__()
        self._line = line
        self._what = what

    def __setitem__(self, place: str, times: int) -> None:
        super().__setitem__(place, times)
        self._line.tell(self._what, place)


class Acknowledging:
    """Tells `acknowledged NAME` for what storage has of a function that ended, or of a memo."""

    def __init__(self, inner: Any, line: Line) -> None:
        self.inner = inner
        self.immediate = inner.immediate
        self._line = line

    async def commit(self, commit: Any) -> None:
        await self.inner.commit(commit)
        self._acknowledge(commit.results)

    async def append_results(self, thread_id: str, namespace: str, checkpoint_id: str, results: Any) -> None:
        await self.inner.append_results(thread_id, namespace, checkpoint_id, results)
        self._acknowledge(results)

    def _acknowledge(self, results: Any) -> None:
        for result in results:
            if result.error is None:
                self._line.tell("acknowledged", result.node or result.path.rpartition("!")[2])

    async def load(self, thread_id: str, namespace: str = "", checkpoint_id: str | None = None) -> Any:
        return await self.inner.load(thread_id, namespace, checkpoint_id)

    def history(self, thread_id: str, namespace: str = "", **options: Any) -> AsyncIterator[Any]:
        found: AsyncIterator[Any] = self.inner.history(thread_id, namespace, **options)
        return found

    async def adelete_thread(self, thread_id: str) -> None:
        await self.inner.adelete_thread(thread_id)


def answer_to_the_end(line: Line, *, loop: str = "asyncio", **options: Any) -> None:
    """Run the thread on from wherever it is, answer what it asks, one at a time, and report what it came to."""
    on_loop(loop, _answer_to_the_end(line, **options))


async def _answer_to_the_end(
    line: Line, *, database: dict[str, Any], thread: str, durability: str, kill: dict[str, Any] | None = None
) -> None:
    ledger = Ledger()
    ledger.begun, ledger.stepped = Told(line, "begun"), Told(line, "stepped")
    config: Any = {"configurable": {"thread_id": thread}}
    async with Database(**database).open() as inner:
        faults = [Kill(**kill)] if kill is not None else []
        saver = FaultySaver(Acknowledging(inner, line), *faults)
        app: Any = plant(TREE, ledger, saver=saver)
        state = await app.aget_state(config)
        while state.metadata is None or state.tasks:
            given: Any = GIVEN if state.metadata is None else None
            for question in sorted(state.interrupts, key=lambda question: question.value)[:1]:
                given = Command(resume={question.id: answer_to(question.value)})
            try:
                await app.ainvoke(given, config, durability=durability)
            except ThreadConflict:
                line.tell("conflict")  # what a killed process had sent has arrived
            state = await app.aget_state(config)
        calls = len(saver.calls)
        shown = await history(app, config)
    assert not ledger.misled, ledger.misled
    line.tell("report", [state.values["log"], shown, calls])
