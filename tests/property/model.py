"""A program: a graph as plain data, whose nodes and routers are functions of what they see and nothing else.

Both sides of the property run the same program: `reference.py` interprets the data, `stage.py` builds a StateGraph
from it. What is written depends on a digest of the input, so that a task which saw a wrong state shows it at once
and all later steps differ.
"""

import json
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Literal

START = "__start__"
END = "__end__"
GHOST = "ghost"
"""A key that no schema declares, and a node that no graph has."""

State = Mapping[str, Any]


def affine(left: int, right: int) -> int:
    """A reducer that tells every order of its operands from every other."""
    return (left * 31 + right) % 1009


REDUCERS: dict[str, tuple[type, Callable[[Any, Any], Any]]] = {
    "log": (list, operator.add),
    "text": (str, operator.add),
    "total": (int, operator.add),
    "mix": (int, affine),
}
"""Key -> type and reducer. The other keys are named after their channel: see `KEYS`."""
KEYS = ("log", "text", "total", "mix", "last", "other", "any", "flash", "topic", "heap")
NARROW = ("log", "last", "flash")
"""The keys of the input schema of a node that does not read the whole state."""


def digest(*parts: Any) -> int:
    """A number that depends on every part, alike in every process and for every order of a dict's keys."""
    text = json.dumps(parts, sort_keys=True, default=lambda wrapper: ["instead", wrapper.value])
    return int.from_bytes(blake2b(text.encode(), digest_size=6).digest())


@dataclass(frozen=True)
class Packet:
    """A Send: `node` runs in the next superstep with `arg` as its input."""

    node: str
    arg: Any


@dataclass(frozen=True)
class Replacement:
    """An Overwrite: the value replaces what the reducer has gathered."""

    value: Any


Target = str | Packet


@dataclass(frozen=True)
class Choice:
    """One way a router or a goto can go: names as they stand, numbers as that many Sends to `to`."""

    targets: tuple[str, ...] = ()
    to: str = ""
    sends: int = 0

    def resolve(self, seen: int) -> list[Target]:
        packets = (Packet(self.to, {"log": [f"sent{i}"], "seen": seen % 100}) for i in range(self.sends))
        return [*self.targets, *packets]


@dataclass(frozen=True)
class Router:
    """A conditional edge. `labels`: it returns labels that a path map translates; `bare`: one target, no list."""

    choices: tuple[Choice, ...]
    labels: bool = False
    bare: bool = False
    asynchronous: bool = False

    def path_map(self) -> dict[str, str] | None:
        if not self.labels:
            return None
        return {f"to {name}": name for choice in self.choices for name in choice.targets}

    def decide(self, view: State) -> Any:
        seen = digest(view)
        targets = self.choices[seen % len(self.choices)].resolve(seen)
        if self.labels:
            targets = [f"to {target}" if isinstance(target, str) else target for target in targets]
        return targets[0] if self.bare and len(targets) == 1 else targets


@dataclass(frozen=True)
class Write:
    """What a node writes to one key."""

    key: str
    overwrite: bool = False

    def value(self, node: str, seen: int) -> Any:
        values: dict[str, Any] = {
            "log": [f"{node}{seen % 97}"],
            "text": node[0],
            "topic": [f"{node}{seen % 5}", node],
            "heap": node,
            "other": node * (1 + seen % 3),  # a text, which is often a longer form of the one that was there
        }
        value = values.get(self.key, seen % 11)
        return Replacement(value) if self.overwrite else value


@dataclass(frozen=True)
class Update:
    """One update and where to go: a dict, or a Command, or one of a list of Commands."""

    writes: tuple[Write, ...] | None = None
    goto: Choice | None = None


@dataclass(frozen=True)
class Answer:
    """What a node returns: nothing, a dict, a Command, a list of Commands. Or it raises."""

    form: Literal["none", "dict", "command", "list", "raise"]
    updates: tuple[Update, ...] = ()


@dataclass(frozen=True)
class Given:
    """An update with its values filled in."""

    update: dict[str, Any] | None
    goto: tuple[Target, ...]


@dataclass(frozen=True)
class Node:
    """A node and the conditional edges that leave it. Which answer it gives depends on its input."""

    name: str
    answers: tuple[Answer, ...]
    routers: tuple[Router, ...] = ()
    defer: bool = False
    narrow: bool = False

    def answer(self, state: Any) -> tuple[str, list[Given]]:
        """The form of the answer, and its updates."""
        seen = digest(self.name, state)
        answer = self.answers[seen % len(self.answers)]
        return answer.form, [self._given(update, seen) for update in answer.updates]

    def _given(self, update: Update, seen: int) -> Given:
        goto = tuple(update.goto.resolve(seen)) if update.goto else ()
        if update.writes is None:
            return Given(None, goto)
        return Given({write.key: write.value(self.name, seen) for write in update.writes}, goto)


@dataclass(frozen=True)
class Join:
    """An edge from all of `starts` to `end`."""

    starts: tuple[str, ...]
    end: str


@dataclass(frozen=True)
class Program:
    """A graph, and the runs to make of it on one thread: a dict is new input, None continues."""

    nodes: tuple[Node, ...]
    edges: tuple[tuple[str, str], ...]
    joins: tuple[Join, ...] = ()
    entry: Router | None = None
    inputs: tuple[dict[str, Any] | None, ...] = ({},)
    limit: int = 5
    strict: bool = False

    def names(self) -> Iterable[str]:
        return [node.name for node in self.nodes]
