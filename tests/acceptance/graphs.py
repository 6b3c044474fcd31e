"""The words the acceptance tests are written in: a state that logs, nodes that say a word, graphs from chains."""

import operator
from collections.abc import Awaitable, Callable, Collection
from itertools import pairwise
from typing import Annotated, Any, TypedDict

from graphrt.graph import StateGraph


class Log(TypedDict):
    """A state in which every node leaves a trace."""

    log: Annotated[list[str], operator.add]


def says(word: str) -> Callable[[Any], Awaitable[dict[str, Any]]]:
    """A node named `word` that appends `word` to the log."""

    async def node(state: Any) -> dict[str, Any]:
        return {"log": [word]}

    return named(word, node)


def named(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` under another name: nodes and routers are known by it."""
    function.__name__ = name
    return function


def graph(
    schema: Any, *nodes: Any, paths: list[str], deferred: Collection[str] = (), **schemas: Any
) -> StateGraph[Any, Any, Any, Any]:
    """A builder with `nodes` and the edges of `paths`: `"START a b END"` is a chain, `"a+b c"` a join.

    A node is a function, known by its name, or a `(name, function)` pair.
    """
    builder: StateGraph[Any, Any, Any, Any] = StateGraph(schema, **schemas)
    for node in nodes:
        name, function = node if isinstance(node, tuple) else (node.__name__, node)
        builder.add_node(name, function, defer=name in deferred)
    for path in paths:
        stops = path.replace("START", "__start__").replace("END", "__end__").split()
        for start, end in pairwise(stops):
            builder.add_edge(start.split("+") if "+" in start else start, end)
    return builder


def thread(thread_id: str = "t", **config: Any) -> Any:
    """A run config for `thread_id`."""
    return {"configurable": {"thread_id": thread_id}, **config}
