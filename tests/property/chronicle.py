"""A thread with its past: what had happened by each checkpoint, what is stored, and what a run from there does."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from graphrt.checkpoint import Stored
from graphrt.checkpoint.memory import InMemorySaver
from graphrt.types import Command, StateSnapshot
from tests.property.planting import Ledger, plant
from tests.property.trees import Tree, answer_to

__all__ = ["Archive", "Chronicle", "Happened", "Moment", "identity", "told"]

Archive = dict[tuple[str, str], Stored]
"""Everything that is stored, by namespace and checkpoint."""


@dataclass
class Happened:
    """What a run, with those that answered its questions, did and came to."""

    ended: Counter[str] = field(default_factory=Counter[str])
    stepped: Counter[str] = field(default_factory=Counter[str])
    asked: list[str] = field(default_factory=list[str])

    def since(self, moment: "Happened") -> "Happened":
        """What happened after an earlier moment, with everything that had begun before and had to begin anew."""
        ended = self.ended - moment.ended
        return Happened(ended, within(self.stepped, ended), sorted(within(Counter(self.asked), ended)))


def within(places: Counter[str], functions: Counter[str]) -> Counter[str]:
    """Those places that are inside of functions."""
    return Counter(
        {place: 1 for place in places if any(place.startswith(f"{where}.") for where in functions)}
    )


@dataclass
class Moment:
    """A checkpoint of the thread's past.

    Attributes:
        happened: what had happened when it was made.
        after: names of the nodes that had run in the step that made it.
        rest: the checkpoints that came after it, up to the end of its turn.
        end: all that had happened by then.
    """

    shown: StateSnapshot
    happened: Happened
    after: set[str]
    rest: list[Any]
    end: Happened
    given: dict[str, Any]


class Witness:
    """A checkpointer that knows which namespaces it has."""

    launch = None  # no commit passes it by

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.namespaces: dict[str, None] = {}

    async def commit(self, commit: Any) -> None:
        self.namespaces[commit.namespace] = None
        await self.inner.commit(commit)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


class Chronicle:
    """One thread of a tree, and what it did."""

    def __init__(self, tree: Tree, saver: Any = None, *, thread: str = "thread") -> None:
        self.tree = tree
        self.saver = Witness(saver or InMemorySaver())
        self.thread: Any = {"configurable": {"thread_id": thread}}
        self.marks: dict[str, Happened] = {}
        self.ends: list[Happened] = []
        self.inputs: list[dict[str, Any]] = []
        self._happened = Happened()

    async def live(self, *, turns: int) -> list[Moment]:
        """Run the thread through so many turns; every moment of its past, oldest first."""
        for turn in range(turns):
            self.inputs.append({"place": f"t{turn}", "total": turn})
            await self.run(self.inputs[-1], self.thread, self._happened)
            self.ends.append(self.copied())
        return self.moments(await self.history())

    def copied(self) -> Happened:
        now = self._happened
        return Happened(Counter(now.ended), Counter(now.stepped), list(now.asked))

    async def again(self, config: Any) -> Happened:
        """Run the thread from a checkpoint to the end of its turn."""
        happened = Happened()
        await self.run(None, config, happened)
        happened.asked.sort()
        return happened

    async def run(self, given: Any, config: Any, happened: Happened) -> None:
        """Run to the end, whatever is asked on the way; mark what had happened by each checkpoint."""
        while True:
            ledger = Ledger()
            ledger.ended, ledger.stepped = happened.ended, happened.stepped
            app = plant(self.tree, ledger, saver=self.saver)
            async for chunk in app.astream(given, config, stream_mode="checkpoints", durability="sync"):
                self.marks.setdefault(identity(chunk["config"]), self.copied())
            assert not ledger.misled
            open_ = (await app.aget_state(self.thread)).interrupts
            if not open_:
                return
            assert not {interrupt.value for interrupt in open_}.intersection(happened.asked), (
                "an answer is lost"
            )
            happened.asked += [interrupt.value for interrupt in open_]
            given = Command(resume={interrupt.id: answer_to(interrupt.value) for interrupt in open_})
            config = self.thread

    # ---- the past

    def app(self) -> Any:
        return plant(self.tree, Ledger(), saver=self.saver)

    async def history(self) -> list[StateSnapshot]:
        """All checkpoints, oldest first."""
        return [shown async for shown in self.app().aget_state_history(self.thread)][::-1]

    async def checkpoints(self) -> set[str]:
        return {identity(shown.config) for shown in await self.history()}

    def moments(self, history: Sequence[StateSnapshot]) -> list[Moment]:
        moments: list[Moment] = []
        turn = -1
        for number, shown in enumerate(history):
            assert shown.metadata is not None
            turn += shown.metadata["source"] == "input"
            rest = list(history[number + 1 :])
            inputs = [i for i, later in enumerate(rest) if (later.metadata or {})["source"] == "input"]
            moments.append(
                Moment(
                    shown,
                    self.marks[identity(shown.config)],
                    {task.name for task in history[number - 1].tasks} if number else set(),
                    [told(later) for later in rest[: inputs[0] if inputs else None]],
                    self.ends[turn],
                    self.inputs[turn],
                )
            )
        return moments

    async def branch(self, known: set[str]) -> list[StateSnapshot]:
        """The newest branch: the checkpoints from the thread's head back to one that is known, oldest first."""
        by_id = {identity(shown.config): shown for shown in await self.history()}
        shown = await self.app().aget_state(self.thread)
        found: list[StateSnapshot] = []
        while identity(shown.config) not in known:
            found.append(by_id[identity(shown.config)])
            assert shown.parent_config is not None
            shown = by_id[identity(shown.parent_config)]
        return found[::-1]

    async def archive(self, known: Archive | None = None) -> Archive:
        """What is stored: all of it, or of what is known already as far as it was known.

        A fork hangs on to an older checkpoint, which then shows results that came with the fork, too.
        """
        found: Archive = {}
        for namespace in self.saver.namespaces:
            async for stored in self.saver.history(self.thread["configurable"]["thread_id"], namespace):
                found[namespace, stored.checkpoint.id] = replace(stored, head="")
        if known is None:
            return found
        ours = {identity for _, identity in known}
        return {
            key: replace(
                stored, results=tuple(r for r in stored.results if r.child is None or r.child in ours)
            )
            for key, stored in found.items()
            if key in known
        }


def identity(config: Any) -> str:
    """Which checkpoint a config names."""
    found: str = config["configurable"]["checkpoint_id"]
    return found


def told(shown: StateSnapshot) -> Any:
    """A checkpoint without what says when and where it was made."""
    tasks = sorted((str(task.path), task.result) for task in shown.tasks)
    return shown.values, sorted(shown.next), tasks
