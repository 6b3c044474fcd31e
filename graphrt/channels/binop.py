"""The channel behind `Annotated[T, reducer]`."""

from __future__ import annotations

from collections import abc
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from operator import add
from typing import Any, Generic, Self, cast

from graphrt.channels.base import MISSING, Value, of_same_class
from graphrt.channels.cell import Cell
from graphrt.errors import ErrorCode, InvalidUpdateError
from graphrt.types import Overwrite

__all__ = ["BinaryOperatorAggregate"]

OVERWRITE_KEY = "__overwrite__"
"""Marks an Overwrite that went through JSON and came back as a dict."""

CONCRETE: dict[Any, type[Any]] = {
    abc.Sequence: list,
    abc.MutableSequence: list,
    abc.Set: set,
    abc.MutableSet: set,
    abc.Mapping: dict,
    abc.MutableMapping: dict,
}


class BinaryOperatorAggregate(Cell[Value], Generic[Value]):  # noqa: PLW1641 - mutable
    """Folds every write into the value: `value = operator(value, write)` (LangGraph C6, C11).

    Starts from `typ()` where that works, so the key can be read before its first write; otherwise the first
    write becomes the value. An `Overwrite` replaces the value, and the other writes of that step are lost.

    Args:
        typ: the declared type; `Sequence`, `Set` and `Mapping` start as list, set and dict.
        operator: the reducer. What it raises aborts the step.
    """

    __slots__ = ("_new", "operator")

    reacts_to_idle = False

    operator: Callable[[Value, Value], Value]
    _new: Callable[[], Any] | None

    def __init__(self, typ: type[Value] | Any, operator: Callable[[Value, Value], Value]) -> None:
        super().__init__(typ)
        self.operator = operator
        self._new, self.value = constructor_of(typ)

    def __eq__(self, other: object) -> bool:
        return of_same_class(other, self) and same_reducer(self.operator, other.operator)

    def _empty_like(self) -> Self:
        cls = type(self)
        if cls.__init__ is BinaryOperatorAggregate.__init__:  # pyright: ignore[reportUnknownMemberType]
            # Once per run and key, so it must not find out again what `typ` constructs.
            new = cls.__new__(cls)
            new.typ = self.typ
            new.operator = self.operator
            new._new = self._new
            new.value = MISSING if self._new is None else self._new()
        else:
            new = cls(self.typ, self.operator)
        new.key = self.key
        return new

    def update(self, values: Sequence[Value], /) -> bool:
        if not values:
            return False
        value = held = self.value
        operator = self.operator
        if operator is add and type(held) is list and len(values) > 1 and set(map(type, values)) == {list}:
            self.value = joined(held, values)
            return True
        for write in values:
            kind = type(write)
            if kind is Overwrite or (kind is dict and is_overwrite(write)):
                value = sole_overwrite(self.key, values)
                break
            value = write if value is MISSING else operator(value, write)
        self.value = value
        return True


def constructor_of(typ: Any) -> tuple[Callable[[], Any] | None, Any]:
    """What makes the initial value of `typ`, and a first one; `(None, MISSING)` if nothing does."""
    concrete = unwrapped(typ)
    try:
        new = cast("Callable[[], Any]", CONCRETE.get(concrete, concrete))
        return new, new()
    except Exception:  # any type may be declared, and calling it may raise anything
        return None, MISSING


def joined(first: Any, others: Iterable[Any]) -> Any:
    """What adding lists one after the other gives, without copying the whole for each of n: O(n) instead of O(n²)."""
    return [*first, *chain.from_iterable(others)]


def unwrapped(typ: Any) -> Any:
    """The class behind `list[int]`, `Annotated[T, ...]`, `Required[T]` and the like."""
    while (origin := getattr(typ, "__origin__", None)) is not None:
        # Of a qualifier the argument matters, else the origin. By name: typing_extensions may have its own.
        is_qualifier = getattr(origin, "_name", None) in ("Required", "NotRequired", "ReadOnly")
        typ = typ.__args__[0] if is_qualifier else origin
    return typ


def same_reducer(a: Callable[..., Any], b: Callable[..., Any]) -> bool:
    """Identity, except that a lambda equals everything: each declaration makes a new one (LangGraph B3)."""
    return a is b or "<lambda>" in (getattr(a, "__name__", ""), getattr(b, "__name__", ""))


def is_overwrite(write: Any) -> bool:
    """Is it an Overwrite, or the dict that JSON makes of one?"""
    if type(write) is not dict:
        return type(write) is Overwrite
    form = cast("dict[object, object]", write)
    if len(form) == 1:
        return OVERWRITE_KEY in form
    return len(form) == 2 and form.get("type") == OVERWRITE_KEY and "value" in form


def sole_overwrite(key: str, writes: Sequence[Any]) -> Any:
    """The value of the one Overwrite among a step's writes.

    Raises:
        InvalidUpdateError: there are several, so that none can win.
    """
    found = [write for write in writes if is_overwrite(write)]
    if len(found) > 1:
        raise InvalidUpdateError(
            f"At key {key!r}: Can receive only one Overwrite value per super-step. "
            f"(This step wrote {len(found)}.) Let one node overwrite it, or let them run in different steps.",
            code=ErrorCode.INVALID_CONCURRENT_GRAPH_UPDATE,
            channel=key,
        )
    write = found[0]
    if type(write) is Overwrite:
        return write.value
    return write[OVERWRITE_KEY] if len(write) == 1 else write["value"]
