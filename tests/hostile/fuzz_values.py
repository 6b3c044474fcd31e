"""Feeds mutated bytes to the serializer in a process of its own: `python -m tests.hostile.fuzz_values SEED SECONDS|N`.

Prints one JSON object: how many cases, and what went wrong. A case is run again by its seed and number.
"""

import json
import sys
from collections.abc import Callable
from random import Random
from time import monotonic
from typing import Any

from graphrt.edits import Merge, Weave
from graphrt.errors import DeserializationError
from graphrt.serde import UnknownValue
from tests.hostile import canary
from tests.hostile.mutation import mutated
from tests.hostile.watch import begin, happened, watched
from tests.unit.serde_world import EXAMPLES, world_serializer

WORLD = world_serializer()
GROWING: list[tuple[Any, list[Any]]] = [
    (["a", {"b": 1}], [["c"], Weave([[1, 2, 1], [0, 1, 2]], ["x", (1, 2), "y"]), ["d"]]),
    ({"a": 1}, [{"b": 2}, Merge(["a"], {"c": {3}})]),
    ("text", [" and", " more"]),
]
VALUES = [WORLD.dumps(value) for value in EXAMPLES.values()]
GROWN = [(WORLD.dumps(value), [WORLD.dumps(part) for part in parts]) for value, parts in GROWING]
SEEDS = [*VALUES, *(data for value, parts in GROWN for data in (value, *parts))]
HOME = ("builtins", "collections", "datetime", "decimal", "enum", "fractions", "graphrt", "ipaddress", "msgspec",
        "numpy", "pathlib", "re", "tests.unit.serde_world", "uuid", "zoneinfo")  # fmt: skip


def reading(random: Random) -> Callable[[], Any]:
    """What one case reads."""
    raw = random.random() < 0.5
    if random.random() < 0.8:
        data = mutated(random, random.choice(SEEDS), SEEDS)
        return lambda: (WORLD.loads_raw if raw else WORLD.loads)(data)
    value, parts = random.choice(GROWN)
    changed = [mutated(random, item, SEEDS) if random.random() < 0.4 else item for item in (value, *parts)]
    return lambda: (WORLD.loads_grown_raw if raw else WORLD.loads_grown)(changed[0], changed[1:])


def strangers(value: Any) -> set[str]:
    """Modules of values, at every depth, that nobody registered."""
    found: set[str] = set()
    todo, seen = [value], 0
    while todo and seen < 2_000:
        item = todo.pop()
        seen += 1
        home = type(item).__module__
        if not home.startswith(HOME):
            found.add(home)
        if isinstance(item, dict):
            todo += [*item.keys(), *item.values()]
        elif isinstance(item, list | tuple | set | frozenset):
            todo += item
        elif isinstance(item, UnknownValue):
            todo.append(item.data)
    return found


def case(seed: int, number: int) -> str | None:
    """What is wrong with what case `number` does; None if nothing."""
    act = reading(Random(f"{seed} {number}"))
    wrong = None
    with watched():
        try:
            value = act()
        except DeserializationError:
            value = None
        except Exception as error:
            value, wrong = None, f"raised {type(error).__name__}: {error}"
    if found := strangers(value):
        wrong = f"made values of {sorted(found)}"
    if happened or canary.sung:
        wrong = f"did {happened + canary.sung}"
        happened.clear()
        canary.sung.clear()
    return wrong


def main(seed: int, cases: int, seconds: float) -> dict[str, Any]:
    for data in VALUES:  # classes are looked at when they are first read, the list of time zones too
        WORLD.loads(data)
        WORLD.loads_raw(data)
    for value, parts in GROWN:
        WORLD.loads_grown(value, parts)
    begin()
    wrong: dict[str, str] = {}
    end, number = monotonic() + seconds, 0
    while number < cases or monotonic() < end:
        if (found := case(seed, number)) is not None:
            wrong.setdefault(found[:80], f"case {number} of seed {seed}: {found}"[:400])
        number += 1
    return {"cases": number, "wrong": list(wrong.values())}


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))))
