"""What a tree comes to: plain recursion over the data, with no loop, no storage and nothing of graphrt.

Every function that can run runs, up to its first question without an answer; what follows it waits (LangGraph G10,
I9). So what has happened when a thread pauses follows from which questions are answered, whatever the order.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tests.property.trees import (
    Action,
    Ask,
    Body,
    Both,
    Call,
    Enter,
    Flow,
    Graph,
    Inner,
    Step,
    Tree,
    Work,
    answer_to,
    digest,
    mix,
)

__all__ = ["Foretold", "foretell"]


class Waits(Exception):
    """A question has no answer."""


@dataclass
class Kept:
    """What a graph keeps of its state between two calls."""

    total: int = 0
    log: list[str] = field(default_factory=list[str])


@dataclass
class Foretold:
    """What has happened, and what is open.

    Attributes:
        begun, ended, stepped: places where functions began, came to their ends, and of memos that were made.
        open: questions that wait for an answer; nothing else can happen until then.
        log, total: the state of the tree if nothing is open.
    """

    begun: list[str] = field(default_factory=list[str])
    ended: list[str] = field(default_factory=list[str])
    stepped: list[str] = field(default_factory=list[str])
    open: list[str] = field(default_factory=list[str])
    log: list[str] = field(default_factory=list[str])
    total: int = 0


def foretell(tree: Tree, given: Sequence[dict[str, Any]], answered: Collection[str] | None) -> Foretold:
    """What a thread has come to after inputs, all but the last of them to their ends.

    Args:
        answered: questions that have their answers; None for all.
    """
    teller = Teller(answered)
    try:
        for turn in given:
            teller.enter(tree, turn["place"], turn["total"], lasts=True)
    except Waits:
        assert teller.told.open
    else:
        assert not teller.told.open
        kept = teller.kept[tree.name]
        teller.told.log, teller.told.total = kept.log, kept.total
    return teller.told


class Teller:
    def __init__(self, answered: Collection[str] | None) -> None:
        self.told = Foretold()
        self.kept: dict[str, Kept] = {}
        self._answered = answered

    # ---- functions

    def play(self, body: Body, where: str, seen: int) -> int:
        assert where not in self.told.begun, "places are unique"
        self.told.begun.append(where)
        for number, action in enumerate(body.actions):
            seen = digest(seen, self.act(action, f"{where}.{number}", seen))
        self.told.ended.append(where)
        return seen

    def act(self, action: Action, where: str, seen: int) -> Any:
        match action:
            case Ask():
                question = f"{where}?{seen}"
                if self._answered is not None and question not in self._answered:
                    self.told.open.append(question)
                    raise Waits
                return answer_to(question)
            case Step():
                self.told.stepped.append(where)
                return digest("step", where, seen)
            case Call(body):
                return self.play(body, where, seen)
            case Enter(graph):
                return self.enter(graph, where, seen)
            case Both(parts):
                return self.together(
                    [partial(self.act, part, f"{where}-{i}", seen) for i, part in enumerate(parts)]
                )

    def together(self, things: Sequence[Callable[[], Any]]) -> list[Any]:
        """All of them happen, even if some of them wait."""
        results: list[Any] = []
        waits = False
        for thing in things:
            try:
                results.append(thing())
            except Waits:
                waits = True
        if waits:
            raise Waits
        return results

    # ---- graphs

    def enter(self, graph: Tree, place: str, given: int, *, lasts: bool = False) -> list[str]:
        """What the graph returns: its log."""
        lasts = lasts or graph.lasts
        state = self.kept.setdefault(graph.name, Kept()) if lasts else Kept()
        if isinstance(graph, Flow):
            where = f"{place}/{graph.name}"
            seen = self.play(graph.body, where, digest(given, state.total))
            state.total, state.log = seen, [f"{where}={seen}"]
        else:
            state.total = mix(state.total, given)
            self.run(graph, place, state)
        return list(state.log)

    def run(self, graph: Graph, place: str, state: Kept) -> None:
        for number in range(graph.rounds):
            here = place + f"+{graph.name}" * number
            for layer in graph.layers:
                tasks = [task for node in layer for task in self.tasks(node, here, state.total)]
                for log, total in self.together(tasks):
                    state.log = [*state.log, *log]
                    state.total = state.total if total is None else mix(state.total, total)

    def tasks(self, node: Work | Inner, place: str, seen: int) -> list[Callable[[], Any]]:
        """What a node adds to the log and to the total, for each of its tasks."""
        where = f"{place}/{node.name}"
        if isinstance(node, Inner):
            return [lambda: (self.enter(node.graph, place, seen), None)]
        places = [f"{where}[{i}]" for i in range(node.width)] or [where]
        return [partial(self.work, node, each, seen) for each in places]

    def work(self, node: Work, where: str, seen: int) -> tuple[list[str], int]:
        seen = self.play(node.body, where, seen)
        return [f"{where}={seen}"], seen % 10_007
