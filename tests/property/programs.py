"""Random programs: every one compiles, most of them run for several steps, and shrinking removes what is not needed."""

from typing import Any

from hypothesis import strategies as st

from tests.property.model import (
    END,
    GHOST,
    KEYS,
    REDUCERS,
    START,
    Answer,
    Choice,
    Join,
    Node,
    Program,
    Router,
    Update,
    Write,
)

NAMES = ("b", "a", "a1", "a10", "B", "k_", "z", "é")
"""Not in sorted order, so that the order of definition and the order of names differ."""
SAFE_KEYS: tuple[str, ...] = ("log", "text", "total", "mix", "any", "topic", "heap")
"""Keys that take any number of writes in one step."""
PLAIN_KEYS: tuple[str, ...] = ("last", "other")
"""Keys without a reducer or a channel of their own."""


def rarely(strategy: st.SearchStrategy[bool] = st.booleans(), *, out_of: int = 8) -> st.SearchStrategy[bool]:
    """True once in about `out_of`; shrinks to False."""
    return st.integers(0, out_of - 1).map(lambda n: n == out_of - 1)


@st.composite
def choices(draw: st.DrawFn, names: tuple[str, ...], *, ghosts: bool, least: int = 0) -> Choice:
    known = st.sampled_from([*names, END])
    if ghosts and draw(rarely(out_of=6)):
        known = st.sampled_from([GHOST, GHOST, *names])
    if draw(rarely(out_of=3)):
        targets = draw(st.lists(known, max_size=1))
        return Choice(
            tuple(targets), to=draw(known.filter(lambda name: name != END)), sends=draw(st.integers(1, 3))
        )
    return Choice(tuple(draw(st.lists(known, min_size=least, max_size=2))))


@st.composite
def routers(draw: st.DrawFn, names: tuple[str, ...], *, ghosts: bool, least: int = 0) -> Router:
    labels = draw(st.booleans())
    options = draw(
        st.lists(choices(names, ghosts=ghosts and not labels, least=least), min_size=1, max_size=3)
    )
    return Router(tuple(options), labels=labels, bare=draw(st.booleans()), asynchronous=draw(st.booleans()))


@st.composite
def writes(draw: st.DrawFn, *, ghosts: bool) -> tuple[Write, ...]:
    if draw(rarely(out_of=4)):
        return tuple(map(Write, draw(st.lists(st.sampled_from(PLAIN_KEYS), min_size=1, unique=True))))
    keys = draw(st.lists(st.sampled_from(SAFE_KEYS), max_size=3, unique=True))
    if draw(rarely(out_of=6)):
        keys.append(draw(st.sampled_from([key for key in KEYS if key not in SAFE_KEYS])))
    if ghosts and draw(rarely(out_of=30)):
        keys.append(GHOST)
    return tuple(Write(key, overwrite=key in REDUCERS and draw(rarely(out_of=5))) for key in keys)


@st.composite
def answers(draw: st.DrawFn, names: tuple[str, ...], *, ghosts: bool) -> Answer:
    if draw(rarely(out_of=40)):
        return Answer("raise")
    command = st.builds(Update, st.none() | writes(ghosts=ghosts), st.none() | choices(names, ghosts=ghosts))
    match draw(st.sampled_from(("dict", "dict", "dict", "none", "command", "list"))):
        case "none":
            return Answer("none")
        case "dict":
            return Answer("dict", (Update(draw(writes(ghosts=ghosts))),))
        case "command":
            return Answer("command", (draw(command),))
        case _:
            return Answer("list", tuple(draw(st.lists(command, min_size=1, max_size=2))))


@st.composite
def nodes(draw: st.DrawFn, name: str, names: tuple[str, ...], *, ghosts: bool) -> Node:
    return Node(
        name,
        answers=tuple(draw(st.lists(answers(names, ghosts=ghosts), min_size=1, max_size=2))),
        routers=tuple(
            draw(st.lists(routers(names, ghosts=ghosts), max_size=draw(st.sampled_from((0, 1, 0, 2)))))
        ),
        defer=draw(rarely(out_of=5)),
        narrow=draw(rarely(out_of=5)),
    )


@st.composite
def joins(draw: st.DrawFn, names: tuple[str, ...]) -> Join:
    starts = draw(st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True))
    return Join(tuple(starts), draw(st.sampled_from([*names, END] if draw(rarely()) else names)))


def edges(names: tuple[str, ...], *, size: int) -> st.SearchStrategy[list[tuple[str, str]]]:
    """Plain edges. Most lead to a later name, so that a program has some length before it loops or ends."""
    position = {name: i for i, name in enumerate(names)}
    edge = st.tuples(st.sampled_from(names), st.sampled_from([*names, END]))
    forward = edge.map(lambda e: e if e[1] == END or position[e[0]] < position[e[1]] else (e[1], e[0]))
    return st.lists(st.one_of(forward, forward, edge), max_size=size, unique=True)


@st.composite
def inputs(draw: st.DrawFn, *, turns: int) -> tuple[dict[str, Any] | None, ...]:
    given: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
        {},
        optional={
            "log": st.just(["in"]),
            "total": st.integers(0, 9),
            "last": st.integers(0, 9),
            "other": st.sampled_from(("b", "k_")),
            "flash": st.just(1),
        },
    )
    return (draw(given), *draw(st.lists(st.none() | given, max_size=turns - 1)))


@st.composite
def programs(draw: st.DrawFn, *, strict: bool = False, turns: int = 1) -> Program:
    names = NAMES[: draw(st.integers(1, len(NAMES)))]
    first = draw(st.lists(st.sampled_from(names), max_size=3, unique=True))
    entry = draw(routers(names, ghosts=False, least=1)) if not first or draw(rarely(out_of=4)) else None
    return Program(
        nodes=tuple(draw(nodes(name, names, ghosts=True)) for name in names),
        edges=(*((START, name) for name in first), *draw(edges(names, size=len(names) + 2))),
        joins=tuple(draw(st.lists(joins(names), max_size=2, unique=True))),
        entry=entry,
        inputs=draw(inputs(turns=turns)),
        limit=8 - draw(st.integers(0, 7)),
        strict=strict,
    )


@st.composite
def strolls(draw: st.DrawFn, *, turns: int = 1) -> Program:
    """One node after the other, with edges and routers of the plainest kind: what the express way is for."""
    names = NAMES[: draw(st.integers(1, 4))]
    keys = st.sampled_from([*PLAIN_KEYS, *PLAIN_KEYS, "log", "text"])
    updates = st.lists(keys, max_size=2, unique=True).map(lambda keys: Update(tuple(map(Write, keys))))

    def answers() -> tuple[Answer, ...]:
        drawn = draw(st.lists(updates, min_size=1, max_size=2))
        return tuple(Answer("dict", (update,)) if update.writes else Answer("none") for update in drawn)

    def routers() -> tuple[Router, ...]:
        targets = st.sampled_from([*names, END])
        return (Router((Choice((draw(targets),)), Choice((draw(targets),))), bare=True),)

    routed = [draw(st.booleans()) for _ in names]
    follows = zip(names, [*names[1:], END], routed, strict=True)
    return Program(
        nodes=tuple(
            Node(name, answers(), routers() if by else ()) for name, by in zip(names, routed, strict=True)
        ),
        edges=((START, names[0]), *((name, end) for name, end, by in follows if not by)),
        inputs=draw(inputs(turns=turns)),
        limit=8 - draw(st.integers(0, 7)),
    )
