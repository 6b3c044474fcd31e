"""Items to what columns hold, and back: the same for both databases."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import takewhile
from typing import Any, Final, NamedTuple

from msgspec import MsgspecError

from graphrt.errors import DeserializationError
from graphrt.store.clock import after, as_datetime
from graphrt.store.items import Item, SearchItem
from graphrt.store.ops import ListNamespacesOp, SearchOp
from graphrt.store.values import from_bytes

__all__ = [
    "DAMAGED",
    "Row",
    "below",
    "bounded",
    "by_time",
    "end_of",
    "item_of",
    "leading",
    "pack_namespace",
    "search_item_of",
    "unpack_namespace",
    "value_of",
]

_END: Final = "\x01"
"""Before the first label and behind each. It sorts before whatever labels are made of, so that the packed namespaces of
a subtree are neighbours, and in the order of the tuples."""
_PAST_END: Final = "\x02"
_ESCAPES: Final = str.maketrans({"\x01": "\x02\x02", "\x02": "\x02\x03"})
_MOST: Final = 1 << 48
_type: Callable[[object], type] = type
_LONGEST: Final = 1e10
"""Minutes: 19,000 years are for ever, and the end of what lives shorter is a number that databases have."""

DAMAGED: Final = (
    ArithmeticError, AttributeError, LookupError, MsgspecError, RecursionError, TypeError, ValueError,
)  # fmt: skip
"""What reading raises when a column does not hold what a store wrote."""


def pack_namespace(labels: Sequence[str]) -> str:
    """A namespace as one text."""
    return _END + "".join([label.translate(_ESCAPES) + _END for label in labels])


def unpack_namespace(text: str) -> tuple[str, ...]:
    """The namespace that was packed.

    Raises:
        DeserializationError: the text is damaged.
    """
    if _type(text) is not str or len(text) < len("_a_") or text[0] != _END or text[-1] != _END:
        raise DeserializationError(f"A stored namespace is damaged: {text!r:.80}.")
    labels = text[1:-1].split(_END)
    if "\x02" in text:
        labels = [label.replace("\x02\x02", "\x01").replace("\x02\x03", "\x02") for label in labels]
    return tuple(labels)


def below(prefix: Sequence[str]) -> tuple[str, str]:
    """From where up to where the packed namespaces are that begin with these labels; the end is not among them."""
    low = pack_namespace(prefix)
    return low, low[:-1] + _PAST_END


class Row(NamedTuple):
    """An item as both databases have it. `ttl` counts minutes, None for ever."""

    id: int
    namespace: str
    key: str
    value: str
    created: int
    updated: int
    ttl: float | None


def by_time(row: Row) -> tuple[int, str, str]:
    """Sorts the last put first; then by namespace and key."""
    return -row.updated, row.namespace, row.key


def end_of(ttl: float | None, now: int) -> int | None:
    """When an item is over that is put or refreshed now, None for never."""
    if ttl is None:
        return None
    return after(now, ttl) if ttl < _LONGEST else None


def value_of(row: Row) -> dict[str, Any]:
    """The value that was stored.

    Raises:
        DeserializationError: it is damaged.
    """
    try:
        return from_bytes(row.value.encode())
    except DAMAGED as error:
        place = f"{'/'.join(unpack_namespace(row.namespace))} under {row.key!r:.80}"
        raise DeserializationError(
            f"The value that is stored in {place} is damaged: {error}. Put it again, or delete it."
        ) from None


def item_of(row: Row) -> Item:
    """What `get` returns.

    Raises:
        DeserializationError: the row is damaged.
    """
    return Item(
        value=value_of(row),
        key=row.key,
        namespace=unpack_namespace(row.namespace),
        created_at=_moment(row.created),
        updated_at=_moment(row.updated),
    )


def search_item_of(row: Row, score: float | None) -> SearchItem:
    """What `search` returns.

    Raises:
        DeserializationError: the row is damaged.
    """
    created, updated = _moment(row.created), _moment(row.updated)
    return SearchItem(unpack_namespace(row.namespace), row.key, value_of(row), created, updated, score)


def _moment(packed: int) -> datetime:
    try:
        return as_datetime(packed)
    except (OverflowError, TypeError) as error:
        raise DeserializationError(f"A stored time is damaged: {error}.") from None


def bounded(op: SearchOp) -> SearchOp:
    """The same with a page that databases can count: nobody has more items."""
    return op._replace(limit=min(op.limit, _MOST), offset=min(op.offset, _MOST))


def leading(op: ListNamespacesOp) -> tuple[str, ...]:
    """Labels that all namespaces begin with which a listing wants; its other wishes are `list_of`'s business."""
    longest: tuple[str, ...] = ()
    for condition in op.match_conditions or ():
        if condition.match_type == "prefix":
            known = tuple(takewhile(lambda label: label != "*", condition.path))
            longest = max(longest, known, key=len)
    return longest
