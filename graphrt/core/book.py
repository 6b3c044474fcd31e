"""What storage holds of values that may grow, so that a commit stores what is new and not what is there.

A list, dict or string of some size is remembered as it was stored: a list or dict in a copy of the book's own (one
reference per item). When it is written again, the two are compared item by item, by identity: the same object in the
same place is the same stored item, however its content may have changed since (docs/state.md, "Changing a value in
place"). What differs becomes a part (`graphrt.edits`), or the value is stored whole where that is shorter.

The reducers that most states use, `operator.add` on lists, `operator.or_` on dicts and `add_messages`, say by
themselves what they added; with them a commit costs the same however long the list is.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from itertools import compress, count
from operator import is_not
from typing import Any, Final, TypeAlias

from msgspec import Struct

from graphrt.channels import BinaryOperatorAggregate
from graphrt.channels.base import MISSING
from graphrt.core.plan import Channel
from graphrt.edits import Merge, Weave

__all__ = ["GROWING", "SMALL", "Book", "Entry", "Held"]

Encode: TypeAlias = Callable[[Any], bytes]

GROWING: Final = frozenset({list, dict, str})
"""Types whose values are stored in parts."""

SMALL: Final = 96
"""Bytes up to which a value is stored whole and again rather than in parts or by reference."""

_OR: Final[object] = getattr(operator, "or_")  # noqa: B009 - pyright knows only half of its type
_type: Callable[[object], type] = type
"""`type`, for which pyright has a precise but unusable result where the argument is Any."""


class Held(Struct, eq=False):
    """One value as it is stored: `parts` behind the last whole one; `seen` is the object that `content` copies."""

    content: Any
    parts: int
    seen: Any = None


class Entry(Struct, frozen=True):
    """What a commit stores of a channel.

    Attributes:
        data: bytes of the whole value or, if `part`, of what comes behind what is there; None if nothing is new.
        as_written: the part is what the step's tasks have written, and nothing else.
    """

    data: bytes | None
    part: bool
    as_written: bool = False


class Book:
    """The values of one run's thread that may grow: `held` by channel index."""

    __slots__ = ("held",)

    def __init__(self) -> None:
        self.held: dict[int, Held] = {}

    def learn(self, index: int, content: Any, *, size: int, parts: int) -> None:
        """Storage holds `content` in `size` bytes: a whole value and so many parts."""
        if size > SMALL and type(content) in GROWING:
            self.held[index] = Held(_copy(content), parts, content)
        else:
            self.held.pop(index, None)

    def forget(self, index: int) -> None:
        """Storage holds nothing of the channel any more."""
        self.held.pop(index, None)

    def enter(
        self, index: int, channel: Channel, content: Any, written: Sequence[Any], encode: Encode
    ) -> Entry:
        """What is to be stored now that the channel holds `content`.

        Args:
            written: what the step's tasks wrote to the channel.
            encode: a value to bytes.
        """
        held = self.held.get(index)
        if held is not None and type(content) is type(held.content):
            added = _added(channel, held, content, written)
            part = added if added is not None else _difference(held.content, content)
            if part is MISSING:
                return Entry(None, part=True)
            if part is not None and held.parts < len(content) + 64:
                data = encode(part)
                _take(held, content, part)
                return Entry(
                    data, part=True, as_written=added is not None and _is_written(channel, part, written)
                )
        data = encode(content)
        self.learn(index, content, size=len(data), parts=0)
        return Entry(data, part=False)


def _copy(content: Any) -> Any:
    return content if type(content) is str else content.copy()


def _take(held: Held, content: Any, part: Any) -> None:
    """The book's own copy follows; what was added is enough where nothing else changed."""
    held.parts += 1
    held.seen = content
    if type(part) is list:
        held.content += part
    elif type(part) is dict:
        held.content.update(part)
    else:
        held.content = _copy(content)


def _is_written(channel: Any, part: Any, written: Sequence[Any]) -> bool:
    """Whether the part of a known reducer is the one write, so that the task's result need not have it again."""
    if _type(channel) is BinaryOperatorAggregate:
        return True
    items: Any = written[0] if len(written) == 1 else None
    return type(part) is list is type(items) and len(part) == len(items) and not any(map(is_not, part, items))


def _added(channel: Any, held: Held, now: Any, written: Sequence[Any]) -> Any:
    """What a known reducer has added, None if that cannot be said without comparing."""
    before = held.content
    if _type(channel) is not BinaryOperatorAggregate:
        # One that a node has appended to in place is not the one that is stored.
        return channel.part_since(held.seen) if len(held.seen) == len(before) else None
    reducer = channel.operator
    kind = _type(now)
    if kind is str or not written or any(_type(write) is not kind for write in written):
        return None
    if reducer is operator.add and kind is list:
        old = len(before)
        return now[old:] if len(now) == old + sum(map(len, written)) > old else None
    if reducer is _OR and kind is dict:
        put = {key: now[key] for write in written for key in write if key in now}
        fits = len(now) == len(before) + sum(key not in before for key in put)
        return put if put and fits and _texts(put) else None
    return None


def _difference(before: Any, now: Any) -> Any:
    """The part that makes `now` of `before`; `MISSING` if they are the same, None if there is no short one."""
    if _type(now) is list:
        return _list_difference(before, now)
    if _type(now) is dict:
        return _dict_difference(before, now)
    if now == before:
        return MISSING
    return now[len(before) :] if now.startswith(before) else None


def _list_difference(before: list[Any], now: list[Any]) -> Any:
    old = len(before)
    common: int = next(compress(count(), map(is_not, before, now)), min(old, len(now)))
    if common == old:
        return now[old:] if len(now) > old else MISSING
    where = {id(item): index for index, item in enumerate(before)}
    runs: list[list[int]] = [[0, common, 0]]
    items: list[Any] = []
    follows = common
    for item in now[common:]:
        run = runs[-1]
        if not run[2] and follows < old and before[follows] is item:
            run[1] += 1
            follows += 1
        elif (index := where.get(id(item))) is not None:
            runs.append([index, 1, 0])
            follows = index + 1
        else:
            run[2] += 1
            items.append(item)
    copied = len(now) - len(items)
    return Weave(runs, items) if len(runs) + len(items) <= copied <= old else None


def _dict_difference(before: dict[Any, Any], now: dict[Any, Any]) -> Any:
    if not (_texts(now) and _texts(before)):
        return None  # 1 and True are one key and two values
    drop = [key for key in before if key not in now]
    put = {key: value for key, value in now.items() if before.get(key, MISSING) is not value}
    if not drop and not put:
        return MISSING if list(before) == list(now) else None
    if 2 * len(put) > len(now):
        return None
    left = [key for key in before if key in now] if drop else list(before)
    if [*left, *(key for key in put if key not in before)] != list(now):
        return None  # the order changed
    return Merge(drop, put) if drop else put


def _texts(keys: dict[Any, Any]) -> bool:
    return {str}.issuperset(map(type, keys))
