"""Random trees: small enough to be talked through in many orders, and every kind of thing inside every other."""

from hypothesis import strategies as st

from tests.property.programs import rarely
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
    named,
    parts,
)

__all__ = ["trees"]

MOST_QUESTIONS = 8
"""Trees that ask more are not told apart by what they are, only by how long they take."""


@st.composite
def bodies(draw: st.DrawFn, *, deep: int, lasting: bool) -> Body:
    if draw(rarely(out_of=5)):
        return Body((Ask(), Ask())[: draw(st.integers(0, 2))], threaded=True)
    return Body(tuple(draw(st.lists(actions(deep=deep, lasting=lasting), max_size=2 if deep else 3))))


@st.composite
def actions(draw: st.DrawFn, *, deep: int, lasting: bool) -> Action:
    kind = draw(st.sampled_from(("ask", "step", "call", "enter", "both") if deep else ("ask", "step")))
    match kind:
        case "ask":
            return Ask(guarded=draw(rarely()))
        case "step":
            return Step()
        case "both":
            inside = st.lists(calls(deep=deep - 1, lasting=lasting), min_size=1, max_size=2)
            return Both(tuple(draw(inside)))
        case "call":
            return Call(draw(bodies(deep=deep - 1, lasting=lasting)))
        case _:
            return Enter(draw(graphs(deep=deep - 1, lasting=lasting)))


@st.composite
def calls(draw: st.DrawFn, *, deep: int, lasting: bool) -> Call | Enter:
    if draw(st.booleans()):
        return Call(draw(bodies(deep=deep, lasting=lasting)))
    return Enter(draw(graphs(deep=deep, lasting=lasting)))


@st.composite
def graphs(draw: st.DrawFn, *, deep: int, lasting: bool) -> Tree:
    lasts = lasting and draw(st.booleans())
    if draw(rarely(out_of=3)):
        return Flow(draw(bodies(deep=deep, lasting=lasting)), lasts=lasts)
    layers = draw(st.lists(layer(deep=deep, lasting=lasting), min_size=1, max_size=2))
    return Graph(tuple(layers), rounds=2 if draw(rarely(out_of=4)) else 1, lasts=lasts)


@st.composite
def layer(draw: st.DrawFn, *, deep: int, lasting: bool) -> tuple[Work | Inner, ...]:
    if draw(rarely(out_of=5)):
        # Tasks of one node share a namespace for what lasts, and are side by side.
        return (Work(draw(bodies(deep=deep, lasting=False)), width=2),)
    node = st.builds(Work, bodies(deep=deep, lasting=lasting))
    if deep:
        node |= st.builds(Inner, graphs(deep=deep - 1, lasting=lasting))
    return tuple(draw(st.lists(node, min_size=1, max_size=2)))


def asks(tree: Tree) -> int:
    return sum(isinstance(part, Ask) for part in parts(tree))


def trees(*, deep: int = 2, lasting: bool = True) -> st.SearchStrategy[Tree]:
    """Trees that ask something, with names."""
    return graphs(deep=deep, lasting=lasting).filter(lambda tree: 0 < asks(tree) <= MOST_QUESTIONS).map(named)
