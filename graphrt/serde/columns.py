"""Whether values keep to their annotations, exactly: then msgspec gives back what it was given.

Asked column by column: one field of all records at once, in a loop that does nothing else. That takes 15 to 30 ns for
a field of a record, where asking record by record takes 150 (`python -m bench.serde`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time
from typing import Any

from graphrt.serde.column import (
    Column,
    Look,
    array,
    by_attribute,
    clock,
    dicts,
    exactly,
    fixed,
    in_rows,
    plain,
    tagged,
)
from graphrt.serde.layout import PLAIN_WORDS, WORDS, Described, Layout
from graphrt.serde.wire import MAX_DEPTH

__all__ = ["Columns"]

_NOTHING = frozenset({type(None)})


class Columns:
    """Asks for the records of one class, and of the classes in their fields."""

    def __init__(self, described: Described) -> None:
        self._described = described
        self._of_class: list[Column] = []
        for kind, _, _, fields in described.classes:
            place = len(self._of_class)
            column = tagged(described.types[place]) if kind == "enum" else self._record(place, fields)
            self._of_class.append(column)

    def fit(self, records: Sequence[Any], look: Look, depth: int) -> bool:
        """Whether msgspec reads back these records as they are, if they are of the class at all."""
        try:
            return self._of_class[0](records, look, depth)
        except (AttributeError, KeyError):  # a field that was never set
            return False

    def _column(self, layout: Layout) -> Column:
        match layout:
            case "any":
                return plain
            case "datetime" | "time":
                return clock(datetime if layout == "datetime" else time)
            case str():
                return exactly(PLAIN_WORDS[layout]) if layout in PLAIN_WORDS else tagged(WORDS[layout])
            case int():
                return self._later(layout)
            case ["list", item]:
                return array(list, self._column(item))
            case ["tuple", item]:
                return array(tuple, self._column(item))
            case ["dict", item]:
                return dicts(self._column(item))
            case ["fixed", *items]:
                return fixed([self._column(item) for item in items])
            case [_, *members]:
                return self._either(members)
            case _:
                raise AssertionError(layout)

    def _later(self, place: int) -> Column:
        """A class that may not be ready yet, as it is the one being made."""

        def column(values: Sequence[Any], look: Look, depth: int) -> bool:
            return self._of_class[place](values, look, depth)

        return column

    def _record(self, place: int, fields: dict[str, Layout]) -> Column:
        typ, native = self._described.types[place], self._described.natives[place]
        assert native is not None
        exact = {name: exactly for name, layout in fields.items() if (exactly := self._exact_type(layout))}
        others = [(name, self._column(layout)) for name, layout in fields.items() if name not in exact]
        ask = in_rows(native, exact, others) if native.in_dict else by_attribute(native, exact, others)
        tags = 1 + sum(not _is_plain_word(fields[name]) for name in exact)
        again = self._leads_back(place)

        def column(values: Sequence[Any], look: Look, depth: int) -> bool:
            if depth >= MAX_DEPTH:
                return False
            for value in values:
                if type(value) is not typ:
                    return False
            look.tagged += len(values) * tags
            if again:  # records inside records: one that is met twice may be its own descendant
                known = len(look.met)
                look.met.update(map(id, values))
                if len(look.met) - known != len(values):
                    return False
            return not values or ask(values, look, depth)

        return column

    def _exact_type(self, layout: Layout) -> type | None:
        """The type that says all there is to ask of a value."""
        match layout:
            case "any" | "datetime" | "time" | list():
                return None
            case str():
                return PLAIN_WORDS.get(layout) or WORDS[layout]
            case int():
                return self._described.types[layout] if self._described.natives[layout] is None else None

    def _leads_back(self, place: int) -> bool:
        """Whether a record of the class may hold another one of it, however deep."""
        reached: set[int] = set()
        todo: list[Layout] = [*self._described.classes[place][3].values()]
        while todo:
            match todo.pop():
                case [_, *inner]:
                    todo.extend(inner)
                case int(inner) if inner not in reached:
                    reached.add(inner)
                    kind, _, _, fields = self._described.classes[inner]
                    todo.extend(fields.values() if kind == "record" else ())
                case _:
                    pass
        return place in reached

    def _either(self, members: Sequence[Layout]) -> Column:
        atoms = frozenset(PLAIN_WORDS[str(member)] for member in members if _is_plain_word(member))
        others = [
            (self._type(member), self._column(member)) for member in members if not _is_plain_word(member)
        ]
        if not others:
            return lambda values, look, depth: atoms.issuperset(map(type, values))

        def column(values: Sequence[Any], look: Look, depth: int) -> bool:
            if atoms == _NOTHING:
                rest = [value for value in values if value is not None]
            else:
                rest = [value for value in values if type(value) not in atoms]
            if len(others) == 1:
                return not rest or others[0][1](rest, look, depth)
            parts = [([value for value in rest if type(value) is typ], ask) for typ, ask in others]
            return sum(len(part) for part, _ in parts) == len(rest) and all(
                ask(part, look, depth) for part, ask in parts if part
            )

        return column

    def _type(self, layout: Layout) -> type:
        """The type by which a value is found to be this member of a union."""
        match layout:
            case int():
                return self._described.types[layout]
            case [("list" | "dict") as word, *_]:
                return {"list": list, "dict": dict}[word]
            case str():
                return WORDS.get(layout, object)
            case _:
                return tuple


def _is_plain_word(layout: Layout) -> bool:
    return isinstance(layout, str) and layout in PLAIN_WORDS
