"""The words of a store: what it can be asked for, and how it is set up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Final, Literal, NamedTuple, TypeAlias, TypedDict

from graphrt.store.embedding import AEmbeddingsFunc, Embeddings, EmbeddingsFunc
from graphrt.store.items import Item, SearchItem

__all__ = [
    "NOT_PROVIDED",
    "GetOp",
    "IndexConfig",
    "ListNamespacesOp",
    "MatchCondition",
    "NamespaceMatchType",
    "NamespacePath",
    "NotProvided",
    "Op",
    "PutOp",
    "Result",
    "SearchOp",
    "TTLConfig",
]

NamespacePath: TypeAlias = tuple[str, ...]
"""Labels of namespaces, in which "*" stands for any one label."""

NamespaceMatchType: TypeAlias = Literal["prefix", "suffix"]
"""Which end of a namespace a condition looks at."""


class NotProvided(Enum):
    """The type of `NOT_PROVIDED`."""

    NOT_PROVIDED = "not provided"

    def __bool__(self) -> bool:
        return False


NOT_PROVIDED: Final = NotProvided.NOT_PROVIDED
"""Stands for an argument that was left out, where None says something else."""


class MatchCondition(NamedTuple):
    """What a namespace must begin with, or end with."""

    match_type: NamespaceMatchType
    path: NamespacePath


class GetOp(NamedTuple):
    """Asks for one item. The result is an `Item`, or None."""

    namespace: tuple[str, ...]
    key: str
    refresh_ttl: bool = True


class SearchOp(NamedTuple):
    """Asks for the items below a namespace that a filter lets through. The result is a list of `SearchItem`."""

    namespace_prefix: tuple[str, ...]
    filter: dict[str, Any] | None = None
    limit: int = 10
    offset: int = 0
    query: str | None = None
    refresh_ttl: bool = True


class PutOp(NamedTuple):
    """Stores a value, or deletes it if it is None. `ttl` counts minutes, None for ever. The result is None."""

    namespace: tuple[str, ...]
    key: str
    value: Mapping[str, Any] | None
    index: Literal[False] | list[str] | None = None  # type: ignore[assignment] # pyright: ignore[reportIncompatibleMethodOverride]
    ttl: float | None = None


class ListNamespacesOp(NamedTuple):
    """Asks which namespaces hold items. The result is a list of tuples, sorted."""

    match_conditions: tuple[MatchCondition, ...] | None = None
    max_depth: int | None = None
    limit: int = 100
    offset: int = 0


Op: TypeAlias = GetOp | SearchOp | PutOp | ListNamespacesOp
"""One thing that a store can be asked for."""

Result: TypeAlias = Item | list[Item] | list[SearchItem] | list[tuple[str, ...]] | None
"""What comes of an op."""


class TTLConfig(TypedDict, total=False):
    """How long items live.

    Keys:
        refresh_on_read: whether `get` and `search` begin an item's time anew unless they say otherwise. Default True.
        omit_expired: accepted, and always the case: an item whose time is over is never returned.
        default_ttl: minutes that an item lives whose `put` does not say. Default None: for ever.
        sweep_interval_minutes: how often a sweeper deletes what is over. Default: every five minutes.
    """

    refresh_on_read: bool
    omit_expired: bool
    default_ttl: float | None
    sweep_interval_minutes: float | None


class IndexConfig(TypedDict, total=False):
    """How items are found by meaning.

    Keys:
        dims: how many numbers an embedding has.
        embed: makes embeddings of texts: a function of a list of texts, sync or async, or an object that has
            `embed_documents` and `embed_query` or their async forms.
        fields: paths to the texts of a value that are embedded. Default `["$"]`: the whole value as JSON.
    """

    dims: int
    embed: Embeddings | EmbeddingsFunc | AEmbeddingsFunc | str
    fields: Sequence[str] | None
