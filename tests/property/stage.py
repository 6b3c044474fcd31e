"""Programs on the stage: built as a StateGraph, run under a schedule, and told as the reference tells them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypedDict

from graphrt.channels import AnyValue, EphemeralValue, Topic
from graphrt.graph import StateGraph
from graphrt.types import Command, Overwrite, Send
from tests.property.model import REDUCERS, Given, Node, Packet, Program, Replacement, Router, digest

log, text, total, mix = REDUCERS.values()


class State(TypedDict, total=False):
    log: Annotated[list[str], log[1]]
    text: Annotated[str, text[1]]
    total: Annotated[int, total[1]]
    mix: Annotated[int, mix[1]]
    last: int
    other: str
    any: Annotated[int, AnyValue(int)]
    flash: Annotated[int, EphemeralValue(int)]
    topic: Annotated[list[str], Topic(str)]
    heap: Annotated[list[str], Topic(str, accumulate=True)]


class Narrow(TypedDict, total=False):
    log: Annotated[list[str], log[1]]
    last: int
    flash: Annotated[int, EphemeralValue(int)]


# ---- who finishes when


class Schedule:
    """Lets the nodes of a superstep finish in an order of its own, once all of them have started.

    Args:
        widths: how many nodes each superstep has. Where the engine runs others, nodes are let go after some turns of
            the loop without a newcomer: the run ends and the comparison says what was wrong.
        seed: of the order; 0 is the order of starting.
    """

    PATIENCE = 50

    def __init__(self, widths: list[int], *, seed: int) -> None:
        self._widths = list(widths)
        self._seed = seed
        self._waiting: list[asyncio.Event] = []
        self._arrivals = 0

    async def turn(self) -> None:
        """Park the calling node until it is its turn to finish."""
        event = asyncio.Event()
        self._waiting.append(event)
        self._arrivals += 1
        if self._widths and len(self._waiting) == self._widths[0]:
            self._widths.pop(0)
            self._release()
        else:
            self._watch(self._arrivals, self.PATIENCE)
        await event.wait()

    def _watch(self, arrivals: int, turns: int) -> None:
        if arrivals != self._arrivals or not self._waiting:
            return
        if turns:
            asyncio.get_running_loop().call_soon(self._watch, arrivals, turns - 1)
        else:
            self._release()

    def _release(self) -> None:
        waiting, self._waiting = self._waiting, []
        self._arrivals += 1
        order = list(enumerate(waiting))
        if self._seed:
            order.sort(key=lambda pair: digest(self._seed, self._arrivals, pair[0]))
        self._finish([event for _, event in order])

    def _finish(self, events: list[asyncio.Event]) -> None:
        """Let the first one go, and the others some turns of the loop later: they end apart or together."""
        events[0].set()
        if events[1:]:
            self._after(digest(self._seed, len(events)) % 4 * 3 if self._seed else 0, events[1:])

    def _after(self, turns: int, events: list[asyncio.Event]) -> None:
        loop = asyncio.get_running_loop()
        if turns:
            loop.call_soon(self._after, turns - 1, events)
        else:
            loop.call_soon(self._finish, events)


# ---- program -> graph


def build(program: Program, schedule: Callable[[], Schedule]) -> StateGraph[Any, Any, Any, Any]:
    """The graph of `program`; `schedule` is asked each time, so that a graph can run under several."""
    builder: StateGraph[Any, Any, Any, Any] = StateGraph(State)
    for node in program.nodes:
        schema = Narrow if node.narrow else None
        builder.add_node(node.name, action(node, schedule), defer=node.defer, input_schema=schema)
        for i, router in enumerate(node.routers):
            builder.add_conditional_edges(node.name, path(router, i), router.path_map() or None)
    for start, end in program.edges:
        builder.add_edge(start, end)
    for join in program.joins:
        builder.add_edge(list(join.starts), join.end)
    if program.entry:
        builder.set_conditional_entry_point(path(program.entry, 0), program.entry.path_map() or None)
    return builder


def action(node: Node, schedule: Callable[[], Schedule]) -> Callable[[Any], Awaitable[Any]]:
    async def run(state: Any) -> Any:
        await schedule().turn()
        form, updates = node.answer(state)
        match form:
            case "raise":
                raise ValueError(node.name)
            case "none":
                return None
            case "dict":
                return wrapped(updates[0].update)
            case "command":
                return command(updates[0])
            case _:
                plain = [
                    command(given) if given.goto else wrapped(given.update or {}) for given in updates[1:]
                ]
                return [command(updates[0]), *plain]

    return run


def command(given: Given) -> Command[Any]:
    goto = [wrapped(target) for target in given.goto]
    return Command(update=wrapped(given.update), goto=goto[0] if len(goto) == 1 else goto)


def path(router: Router, number: int) -> Callable[[Any], Any]:
    def decide(state: Any) -> Any:
        return wrapped(router.decide(state))

    async def decide_later(state: Any) -> Any:
        await asyncio.sleep(0)
        return wrapped(router.decide(state))

    chosen = decide_later if router.asynchronous else decide
    chosen.__name__ = f"router{number}"
    return chosen


def wrapped(value: Any) -> Any:
    """The program's words in the engine's: Packets become Sends, Replacements Overwrites."""
    match value:
        case Packet(node, arg):
            return Send(node, arg)
        case Replacement(inner):
            return Overwrite(inner)
        case list():
            return [wrapped(item) for item in value]
        case dict():
            return {key: wrapped(item) for key, item in value.items()}
        case _:
            return value
