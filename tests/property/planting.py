"""Trees as graphs: each function writes down that it began and ended, each memo that it was made."""

import asyncio
import operator
from collections import Counter
from collections.abc import Callable
from typing import Annotated, Any, TypedDict

from graphrt.func import entrypoint, step, task
from graphrt.graph import END, START, StateGraph
from graphrt.types import Send, interrupt
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

__all__ = ["Ledger", "plant"]


class State(TypedDict, total=False):
    place: str
    total: Annotated[int, mix]
    log: Annotated[list[str], operator.add]
    round: int


class Given(TypedDict):
    place: str
    total: int


class Told(TypedDict):
    log: list[str]


class Ledger:
    """What has really happened, and how often. It is outside of all storage, as the world is."""

    def __init__(self) -> None:
        self.begun: Counter[str] = Counter()
        self.ended: Counter[str] = Counter()
        self.stepped: Counter[str] = Counter()
        self.misled: Counter[str] = Counter()


def plant(tree: Tree, ledger: Ledger, *, saver: Any, answered: bool = False, slowly: bool = False) -> Any:
    """A runnable of `tree`, all of it new.

    Args:
        answered: nobody is asked, as all answers were given in advance.
        slowly: async functions give up the loop between whatever they do.
    """
    return Planter(ledger, answered=answered, slowly=slowly).graph(tree, saver)


class Planter:
    def __init__(self, ledger: Ledger, *, answered: bool, slowly: bool) -> None:
        self.ledger = ledger
        self.answered = answered
        self.slowly = slowly

    # ---- functions

    def ask(self, action: Ask, where: str, seen: int) -> Any:
        question = f"{where}?{seen}"
        if self.answered:
            return answer_to(question)
        answer: Any = None
        if action.guarded:
            try:
                answer = interrupt(question)
            except Exception as caught:
                answer = repr(caught)
        else:
            answer = interrupt(question)
        if answer != answer_to(question):
            self.ledger.misled[f"{question}: {answer!r}"] += 1
        return answer

    def playing(self, body: Body) -> Callable[[str, int], Any]:
        """The function of a body, plain or async: of a place and what was seen before."""
        if body.threaded:
            return lambda where, seen: self.play_plainly(body, where, seen)
        acts = [self.acting(action) for action in body.actions]

        async def play(where: str, seen: int) -> int:
            self.ledger.begun[where] += 1
            for number, act in enumerate(acts):
                if self.slowly:
                    await asyncio.sleep(0)
                seen = digest(seen, await act(f"{where}.{number}", seen))
            if self.slowly:
                await asyncio.sleep(0)
            self.ledger.ended[where] += 1
            return seen

        return play

    def play_plainly(self, body: Body, where: str, seen: int) -> int:
        self.ledger.begun[where] += 1
        for number, action in enumerate(body.actions):
            assert isinstance(action, Ask)
            seen = digest(seen, self.ask(action, f"{where}.{number}", seen))
        self.ledger.ended[where] += 1
        return seen

    def acting(self, action: Action) -> Callable[[str, int], Any]:
        match action:
            case Ask():
                return self.asking(action)
            case Step():
                return self.memo
            case Call(body):
                return self.calling(body)
            case Enter(graph):
                return self.entering(graph)
            case Both(parts):
                return self.together([self.acting(part) for part in parts])

    def asking(self, action: Ask) -> Callable[[str, int], Any]:
        async def ask(where: str, seen: int) -> Any:
            return self.ask(action, where, seen)

        return ask

    async def memo(self, where: str, seen: int) -> Any:
        async def make(text: str, number: int) -> int:
            await asyncio.sleep(0)
            self.ledger.stepped[where] += 1
            return digest("step", text, number)

        return await step(where, make, where, number=seen)

    def calling(self, body: Body) -> Callable[[str, int], Any]:
        play: Any = self.playing(body)

        async def wait(where: str, seen: int) -> int:
            result: int = await play(where, seen)
            return result

        called: Any = task(play if body.threaded else wait, name=body.name)
        return lambda where, seen: called(where, seen)

    def entering(self, graph: Tree) -> Callable[[str, int], Any]:
        app = self.graph(graph, graph.lasts or None)

        async def enter(where: str, seen: int) -> Any:
            return (await app.ainvoke({"place": where, "total": seen}))["log"]

        return enter

    def together(self, acts: list[Callable[[str, int], Any]]) -> Callable[[str, int], Any]:
        async def gather(where: str, seen: int) -> Any:
            return await asyncio.gather(*(act(f"{where}-{i}", seen) for i, act in enumerate(acts)))

        return gather

    # ---- graphs

    def graph(self, graph: Tree, saver: Any) -> Any:
        return self.flow(graph, saver) if isinstance(graph, Flow) else self.layered(graph, saver)

    def flow(self, flow: Flow, saver: Any) -> Any:
        play: Any = self.playing(flow.body)

        def told(where: str, seen: int) -> Any:
            return entrypoint.final(value={"log": [f"{where}={seen}"]}, save=seen)

        def place(given: Any, previous: int | None) -> tuple[str, int]:
            return f"{given['place']}/{flow.name}", digest(given["total"], previous or 0)

        async def waits(given: Any, *, previous: Any = None) -> Any:
            where, seen = place(given, previous)
            return told(where, await play(where, seen))

        def blocks(given: Any, *, previous: Any = None) -> Any:
            where, seen = place(given, previous)
            return told(where, play(where, seen))

        function: Any = blocks if flow.body.threaded else waits
        function.__name__ = flow.name
        return entrypoint(checkpointer=saver)(function)

    def layered(self, graph: Graph, saver: Any) -> Any:
        builder: Any = StateGraph(State, input_schema=Given, output_schema=Told)
        ends = [START]
        for layer in graph.layers:
            for node in reversed(layer):  # the order of definition is not that of names
                builder.add_node(node.name, self.node(node))
            firsts = [self.first(builder, node) for node in layer]
            for first in firsts:
                builder.add_edge(ends if len(ends) > 1 else ends[0], first)
            ends = [node.name for node in layer]
        if graph.rounds > 1:
            self.turn(builder, graph, ends)
        return builder.compile(checkpointer=saver, name=graph.name)

    def node(self, node: Work | Inner) -> Any:
        if isinstance(node, Inner):
            return self.graph(node.graph, node.graph.lasts or None)
        play: Any = self.playing(node.body)

        def told(where: str, seen: int) -> Any:
            return {"log": [f"{where}={seen}"], "total": seen % 10_007}

        def place(state: Any) -> str:
            index = f"[{state['index']}]" if "index" in state else ""
            return f"{state['place']}/{node.name}{index}"

        async def waits(state: Any) -> Any:
            where = place(state)
            return told(where, await play(where, state["total"]))

        def blocks(state: Any) -> Any:
            where = place(state)
            return told(where, play(where, state["total"]))

        return blocks if node.body.threaded else waits

    def first(self, builder: Any, node: Work | Inner) -> str:
        """Where the way to a node begins: for one with a width at a node that sends."""
        if not isinstance(node, Work) or not node.width:
            return node.name
        name, width = node.name, node.width

        async def spread(state: Any) -> None:
            return None

        def packets(state: Any) -> list[Send]:
            given = {"place": state["place"], "total": state["total"]}
            return [Send(name, {**given, "index": index}) for index in range(width)]

        builder.add_node(f"{name}_spread", spread)
        builder.add_conditional_edges(f"{name}_spread", packets, [name])
        return f"{name}_spread"

    def turn(self, builder: Any, graph: Graph, ends: list[str]) -> None:
        """The way back to the first layer."""
        name = f"{graph.name}_turn"
        firsts = [
            f"{node.name}_spread" if isinstance(node, Work) and node.width else node.name
            for node in graph.layers[0]
        ]

        async def turn(state: Any) -> Any:
            number = (state.get("round", 0) + 1) % graph.rounds
            return {"place": f"{state['place']}+{graph.name}", "round": number}

        def back(state: Any) -> Any:
            return firsts if state["round"] else END

        builder.add_node(name, turn)
        builder.add_edge(ends if len(ends) > 1 else ends[0], name)
        builder.add_conditional_edges(name, back, [*firsts, END])
