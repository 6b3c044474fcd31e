"""The reference interpreter's channels: each is its update rule and little else (LangGraph C, A8, G5)."""

from collections.abc import Callable, Iterator
from typing import Any

from tests.property.model import END, REDUCERS, START, Program, Replacement

SENDS = "sends"
"""The channel of Sends."""
EMPTY: Any = ...
"""A constant, so that a deep copy of it is still it."""


class Failure(Exception):
    """What a task or a commit raises: the name of the error."""


class Cell:
    """A value and its update rule; each method that can change it says whether it did."""

    value: Any = EMPTY

    def available(self) -> bool:
        return self.value is not EMPTY

    def update(self, values: list[Any]) -> bool:
        raise NotImplementedError

    def consume(self) -> bool:
        return False

    def finish(self) -> bool:
        return False


class Last(Cell):  # C1
    def update(self, values: list[Any]) -> bool:
        if len(values) > 1:
            raise Failure("InvalidUpdateError")
        if values:
            self.value = values[0]
        return bool(values)


class Flash(Cell):  # C3, and C2 without the guard
    def __init__(self, *, guard: bool) -> None:
        self.guard = guard

    def update(self, values: list[Any]) -> bool:
        if self.guard and len(values) > 1:
            raise Failure("InvalidUpdateError")
        had = self.available()
        self.value = values[-1] if values else EMPTY
        return had or bool(values)


class Heap(Cell):  # C5
    def __init__(self, *, accumulate: bool) -> None:
        self.accumulate = accumulate
        self.value: list[Any] = []

    def available(self) -> bool:
        return bool(self.value)

    def update(self, values: list[Any]) -> bool:
        had = bool(self.value) and not self.accumulate
        flat: list[Any] = []
        for value in values:
            flat.extend(value if isinstance(value, list) else [value])
        self.value = [*(self.value if self.accumulate else []), *flat]
        return had or bool(flat)


class Fold(Cell):  # C6, C11
    def __init__(self, kind: type, reduce: Callable[[Any, Any], Any]) -> None:
        self.value = kind()
        self.reduce = reduce

    def update(self, values: list[Any]) -> bool:
        replaced = False
        for value in values:
            if isinstance(value, Replacement):
                if replaced:
                    raise Failure("InvalidUpdateError")
                self.value, replaced = value.value, True
            elif not replaced:
                self.value = self.reduce(self.value, value)
        return bool(values)


class Barrier(Cell):  # C7; C9 and C8 when `late`
    """Open once all of `names` were written and, if `late`, the run came to its end with them."""

    def __init__(self, names: tuple[str, ...], *, late: bool) -> None:
        self.names, self.late = set(names), late
        self.seen: set[str] = set()
        self.finished = False

    def available(self) -> bool:
        return self.seen == self.names and (self.finished or not self.late)

    def update(self, values: list[Any]) -> bool:
        had = len(self.seen)
        self.seen |= set(values)
        return len(self.seen) > had

    def consume(self) -> bool:
        if not self.available():
            return False
        self.seen, self.finished = set(), False
        return True

    def finish(self) -> bool:
        if not self.late or self.finished or self.seen != self.names:
            return False
        self.finished = True
        return True


class LateTrigger(Barrier):  # C9
    """The trigger of a deferred node: any write opens it, at the end of the run; a new one closes it again."""

    def update(self, values: list[Any]) -> bool:
        if not values:
            return False
        self.seen, self.finished = set(self.names), False
        return True


def cells_of(program: Program) -> Iterator[tuple[str, Cell]]:
    """The channels of the state, then those that carry control (A8, G5)."""
    for key, (kind, reduce) in REDUCERS.items():
        yield key, Fold(kind, reduce)
    yield "last", Last()
    yield "other", Last()
    yield "any", Flash(guard=False)
    yield "flash", Flash(guard=True)
    yield "topic", Heap(accumulate=False)
    yield "heap", Heap(accumulate=True)
    yield START, Flash(guard=True)
    yield SENDS, Heap(accumulate=False)
    late = {node.name for node in program.nodes if node.defer}
    for node in program.nodes:
        trigger = LateTrigger(("any",), late=True) if node.defer else Flash(guard=False)
        yield f"branch:to:{node.name}", trigger
    for join in program.joins:
        if join.end != END:
            yield join_name(join.starts, join.end), Barrier(join.starts, late=join.end in late)


def join_name(starts: tuple[str, ...], end: str) -> str:
    return f"join:{'+'.join(starts)}:{end}"
