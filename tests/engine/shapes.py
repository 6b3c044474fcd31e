"""The graphs that are cancelled, left and broken at every point: over any saver, they come to a known end."""

from collections.abc import Callable
from typing import Any

from graphrt.types import Send
from tests.acceptance.graphs import Log, graph
from tests.engine.worlds import chain, turns, waits_and_says

GIVEN: Any = {"log": ["in"]}


def a_chain(saver: Any) -> Any:
    return chain(*map(waits_and_says, "abc"), saver=saver)


def a_fan(saver: Any) -> Any:
    """Two nodes side by side, a join, then three Sends."""
    nodes = [waits_and_says("a"), waits_and_says("b", for_turns=4), waits_and_says("both")]

    async def work(word: str) -> dict[str, Any]:
        await turns(len(word))
        return {"log": [word]}

    builder = graph(Log, *nodes, work, paths=["START a", "START b", "a+b both"])
    builder.add_conditional_edges("both", lambda state: [Send("work", "x" * n) for n in (3, 1, 2)])
    return builder.compile(checkpointer=saver)


SHAPES: dict[str, tuple[Callable[[Any], Any], list[str]]] = {
    "chain": (a_chain, ["in", "a", "b", "c"]),
    "fan": (a_fan, ["in", "a", "b", "both", "xxx", "x", "xx"]),
}
