"""Reading values that were just read: the checkpoints of a history hold nearly the same, a thousand times.

Nobody may see in one snapshot what somebody has changed in another. So only what cannot change is shared; lists and
dicts of such values are copied, which takes a third of the time that decoding does; all else is decoded every time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import accumulate, chain
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from uuid import UUID

from msgspec import Struct

from graphrt.edits import grown
from graphrt.serde.wire import ATOMS

if TYPE_CHECKING:
    from graphrt.serde.serializer import Serializer

__all__ = ["Rereader"]

_FIXED: Final = ATOMS | {datetime, date, time, timedelta, UUID, Decimal}
"""Types whose values cannot change."""

Cast: TypeAlias = Callable[[int], Any]
"""Makes the value that there was after so many parts."""

_copied: Final[Callable[[Any], Any]] = dict[Any, Any].copy
_type: Callable[[object], type] = type
"""`type`, for which pyright has a precise but unusable result where the argument is Any."""


class _Held(Struct, eq=False):
    """What was read last of a channel.

    Attributes:
        shrinks: the value after fewer parts is the beginning of it.
        again: it was read a second time; then `cast` makes more of it, if that can be done.
    """

    data: bytes
    parts: Sequence[bytes]
    shrinks: bool
    again: bool = False
    cast: Cast | None = None

    def has(self, data: bytes, parts: Sequence[bytes]) -> bool:
        """Whether it is this, or this is a beginning of it."""
        return (
            self.data == data
            and (self.shrinks or len(self.parts) == len(parts))
            and self.parts[: len(parts)] == parts
        )


class Rereader:
    """Reads what channels hold in one checkpoint after the other, newest first."""

    __slots__ = ("_held", "_serializer")

    def __init__(self, serializer: Serializer) -> None:
        self._serializer = serializer
        self._held: dict[str, _Held] = {}

    def read(self, name: str, data: bytes, parts: Sequence[bytes]) -> Any:
        """The value of a channel, as `Serializer.loads_grown_raw` has it.

        Raises:
            DeserializationError: the bytes are damaged.
        """
        held = self._held.get(name)
        if held is None or not held.has(data, parts):
            value = self._serializer.loads_grown_raw(data, parts)
            self._held[name] = _Held(data, parts, _type(value) is list)
            return value
        if not held.again:
            held.again = True
            held.cast = self._mold(held)
        held.parts = parts  # the same objects next time, which are compared sooner
        if held.cast is None:
            return self._serializer.loads_grown_raw(data, parts)
        return held.cast(len(parts))

    def _mold(self, held: _Held) -> Cast | None:
        value = self._serializer.loads_raw(held.data)
        changes = self._serializer.loads_parts_raw(held.parts)
        if held.shrinks and {list}.issuperset(map(type, changes)):
            return _shrinking(value, changes)
        held.shrinks = False
        value = grown(value, changes)
        if _type(value) in _FIXED:
            return lambda _: value
        if _type(value) is dict and _is_flat(value):
            return lambda _: value.copy()
        return None


def _shrinking(value: list[Any], changes: list[list[Any]]) -> Cast | None:
    """Makes lists of their own, None if decoding does not take longer."""
    items = [*value, *chain.from_iterable(changes)]
    ends = [*accumulate(map(len, changes), initial=len(value))]
    kinds = set(map(_type, items))
    if kinds <= _FIXED:
        return lambda parts: items[: ends[parts]]
    if kinds == {dict} and all(map(_is_flat, items)):
        return lambda parts: [*map(_copied, items[: ends[parts]])]
    return None


def _is_flat(value: dict[Any, Any]) -> bool:
    return _FIXED.issuperset(map(_type, chain(value, value.values())))
