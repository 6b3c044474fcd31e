"""A tree: nodes side by side, loops, graphs in graphs, tasks and steps that ask, as plain data.

Both sides of the property run the same tree: `foretold.py` says by plain recursion what it comes to, `planting.py`
builds graphs from it. Everything that happens has a place, a text that is unique in a run (`t0/n_a1.2/n_a1_2_b0`), and
what is said there depends on a digest of all that was seen before it, so that an answer, a memo or a state that came to
the wrong place changes everything after it.
"""

import string
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from tests.property.model import affine, digest

__all__ = [
    "Ask", "Body", "Both", "Call", "Enter", "Flow", "Graph", "Inner", "Step", "Tree", "Work", "answer_to", "digest",
    "mix", "named", "parts",
]  # fmt: skip

mix = affine
"""The reducer of `total`."""


@dataclass(frozen=True)
class Ask:
    """A question. `guarded`: inside a `try` whose `except Exception` must not see it."""

    guarded: bool = False


@dataclass(frozen=True)
class Step:
    """A memo (`graphrt.func.step`)."""


@dataclass(frozen=True)
class Call:
    """A functional task is called and awaited."""

    body: "Body"


@dataclass(frozen=True)
class Enter:
    """A graph is called and awaited."""

    graph: "Graph | Flow"


@dataclass(frozen=True)
class Both:
    """Several of them at once, by `asyncio.gather`."""

    parts: tuple[Call | Enter, ...]


Action = Ask | Step | Call | Enter | Both


@dataclass(frozen=True)
class Body:
    """What a function does, in order. `threaded`: it is a plain function, which can do nothing but ask."""

    actions: tuple[Action, ...] = ()
    threaded: bool = False
    name: str = ""


@dataclass(frozen=True)
class Work:
    """A node with a function of its own; with a `width`, so many tasks by Sends."""

    body: Body
    width: int = 0
    name: str = ""


@dataclass(frozen=True)
class Inner:
    """A graph as a node."""

    graph: "Graph | Flow"
    name: str = ""


@dataclass(frozen=True)
class Graph:
    """Layers of nodes side by side, each layer after the one before it, and all of them `rounds` times.

    A node with a width is alone in its layer. `lasts`: it keeps its state from call to call (`checkpointer=True`).
    """

    layers: tuple[tuple[Work | Inner, ...], ...]
    rounds: int = 1
    lasts: bool = False
    name: str = ""


@dataclass(frozen=True)
class Flow:
    """An entrypoint. `lasts`: it finds what it came to at the last call."""

    body: Body
    lasts: bool = False
    name: str = ""


Tree = Graph | Flow
T = TypeVar("T", bound=Any)


def named(tree: T, name: str = "n") -> T:
    """The same with names, each of them unique in the tree."""
    item: Any = tree
    match item:
        case Call(body):
            return replace(item, body=named(body, name))
        case Enter(graph):
            return replace(item, graph=named(graph, name))
        case Both(parts):
            return replace(item, parts=each(parts, name))
        case Body(actions):
            return replace(item, actions=each(actions, name), name=name)
        case Work(body):
            return replace(item, body=named(body, name), name=name)
        case Inner(graph):
            return replace(item, graph=named(graph, f"{name}_g"), name=name)
        case Flow(body):
            return replace(item, body=named(body, f"{name}_f"), name=name)
        case Graph(layers):
            letters = zip(layers, string.ascii_lowercase, strict=False)
            return replace(item, layers=tuple(each(layer, name, of) for layer, of in letters), name=name)
        case _:
            return tree


def each(items: tuple[T, ...], name: str, layer: str = "") -> tuple[T, ...]:
    return tuple(named(item, f"{name}_{layer}{i}") for i, item in enumerate(items))


def parts(tree: Any) -> Iterator[Any]:
    """Everything that a tree is made of, itself first."""
    yield tree
    below: tuple[Any, ...] = ()
    match tree:
        case Call(body) | Work(body) | Flow(body):
            below = (body,)
        case Enter(graph) | Inner(graph):
            below = (graph,)
        case Both(inside) | Body(inside):
            below = inside
        case Graph(layers):
            below = tuple(node for layer in layers for node in layer)
        case _:
            pass
    for item in below:
        yield from parts(item)


def answer_to(question: str) -> str:
    """What every question is answered with."""
    return f"A{digest(question) % 1000}"
