"""What a store gives back: an item, and an item that a search found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

__all__ = ["Item", "JsonDict", "SearchItem"]

JsonDict: TypeAlias = dict[str, Any]
"""A value as stores have it: what JSON can say."""


@dataclass(slots=True, kw_only=True)
class Item:
    """A value with its address and its times. It is the caller's own: changing it changes nothing in the store.

    Attributes:
        value: a dict of what JSON can say.
        key: names the item in its namespace.
        namespace: the labels on the way to it, the outermost first.
        created_at: when a value was first put here, in UTC; overwriting keeps it, deleting does not.
        updated_at: when the value that is here now was put, in UTC.
    """

    value: JsonDict
    key: str
    namespace: tuple[str, ...]
    created_at: datetime
    updated_at: datetime

    def __hash__(self) -> int:
        return hash((self.namespace, self.key))

    def dict(self) -> JsonDict:
        """As JSON can say it: the namespace as a list, times in ISO 8601."""
        return {
            "namespace": list(self.namespace),
            "key": self.key,
            "value": self.value,
            "created_at": self.created_at.isoformat(),
            "updated_at": self.updated_at.isoformat(),
        }


@dataclass(slots=True, init=False)
class SearchItem(Item):
    """An item that a search found. `score` says how near it is to the query, None if nothing was compared."""

    score: float | None = None

    def __init__(
        self,
        namespace: tuple[str, ...],
        key: str,
        value: JsonDict,
        created_at: datetime,
        updated_at: datetime,
        score: float | None = None,
    ) -> None:
        self.namespace = namespace
        self.key = key
        self.value = value
        self.created_at = created_at
        self.updated_at = updated_at
        self.score = score

    def __hash__(self) -> int:
        return hash((self.namespace, self.key))

    def dict(self) -> JsonDict:
        """As JSON can say it, with the score."""
        return {**Item.dict(self), "score": self.score}
