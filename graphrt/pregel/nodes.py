"""Nodes on the level of channels: what they subscribe to, read, call and write."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from msgspec import Struct

from graphrt.core.retrying import retries_of
from graphrt.core.shape import Shape, shape_of
from graphrt.errors import GraphValidationError
from graphrt.types import CachePolicy, RetryPolicy, Timeout, TimeoutPolicy

if TYPE_CHECKING:
    from graphrt.pregel.signatures import NodeAction

__all__ = ["PASSTHROUGH", "ChannelWriteEntry", "NodeBuilder", "PregelNode"]


class _Passthrough(Enum):
    PASSTHROUGH = "PASSTHROUGH"

    def __repr__(self) -> str:
        return "PASSTHROUGH"


PASSTHROUGH: Final = _Passthrough.PASSTHROUGH
"""Write what the node returned."""


class ChannelWriteEntry(NamedTuple):
    """One write of a node: `value`, or what the node returned, put through `mapper` if there is one."""

    channel: str
    value: Any = PASSTHROUGH
    skip_none: bool = False
    mapper: Callable[[Any], Any] | None = None


class PregelNode(Struct, frozen=True):
    """A node of a `Pregel` program; `NodeBuilder` makes them.

    Attributes:
        channels: read together as a dict, or, given as one string, read bare.
        triggers: channels that start the node when they change.
        actions: called one after the other, each with what the one before returned.
    """

    channels: str | tuple[str, ...]
    triggers: tuple[str, ...]
    actions: tuple[Shape, ...] = ()
    writes: tuple[ChannelWriteEntry, ...] = ()
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = {}
    retry_policy: tuple[RetryPolicy, ...] = ()
    timeout: TimeoutPolicy | None = None
    cache_policy: CachePolicy | None = None


class NodeBuilder:
    """Builds one node of a `Pregel` program, step by step.

    Example:
        >>> node = NodeBuilder().subscribe_only("a").do(lambda a: a + a).write_to("b")
    """

    __slots__ = (
        "_actions", "_cache_policy", "_channels", "_metadata", "_retry_policies", "_tags", "_timeout", "_triggers",
        "_writes",
    )  # fmt: skip

    def __init__(self) -> None:
        self._channels: str | list[str] = []
        self._triggers: list[str] = []
        self._actions: list[Shape] = []
        self._writes: list[ChannelWriteEntry] = []
        self._tags: list[str] = []
        self._metadata: dict[str, Any] = {}
        self._retry_policies: list[RetryPolicy] = []
        self._timeout: TimeoutPolicy | None = None
        self._cache_policy: CachePolicy | None = None

    def subscribe_only(self, channel: str) -> Self:
        """Start when `channel` changes, and read its bare value.

        Raises:
            GraphValidationError: the node subscribes to something already.
        """
        if self._channels:
            raise GraphValidationError(
                "Cannot subscribe to single channels when other channels are already subscribed to"
            )
        self._channels = channel
        self._triggers.append(channel)
        return self

    def subscribe_to(self, *channels: str, read: bool = True) -> Self:
        """Start when one of `channels` changes; read them as a dict unless `read` is false.

        Raises:
            GraphValidationError: the node subscribes to a single channel already.
        """
        if isinstance(self._channels, str):
            raise GraphValidationError("Cannot subscribe to channels when subscribed to a single channel")
        if read:
            self._channels.extend(channels)
        self._triggers.extend(channels)
        return self

    def read_from(self, *channels: str) -> Self:
        """Read more channels, without being started by them.

        Raises:
            GraphValidationError: the node reads a single channel bare.
        """
        if isinstance(self._channels, str):
            raise GraphValidationError("Cannot read additional channels when subscribed to single channels")
        self._channels.extend(channels)
        return self

    def do(self, node: NodeAction[Any, Any, Any]) -> Self:
        """Call `node`, sync or async, with the input; a further one is called with what this one returns."""
        self._actions.append(shape_of(node))
        return self

    def write_to(self, *channels: str | ChannelWriteEntry, **values: Any) -> Self:
        """Write what the node returns to `channels`; by keyword, a value or a function of what it returns."""
        self._writes.extend(ChannelWriteEntry(c) if isinstance(c, str) else c for c in channels)
        self._writes.extend(
            ChannelWriteEntry(c, mapper=v) if callable(v) else ChannelWriteEntry(c, v)
            for c, v in values.items()
        )
        return self

    def meta(self, *tags: str, **metadata: Any) -> Self:
        """Add tags and metadata to the config of the node's runs."""
        self._tags.extend(tags)
        self._metadata.update(metadata)
        return self

    def add_retry_policies(self, *policies: RetryPolicy) -> Self:
        """Try again when the node fails; of several policies the first that fits the error counts.

        Raises:
            GraphValidationError: something is no policy.
        """
        self._retry_policies.extend(retries_of(policies))
        return self

    def add_cache_policy(self, policy: CachePolicy) -> Self:
        """Keep the node's results for inputs that come again, if the program has a cache."""
        self._cache_policy = policy
        return self

    def set_timeout(self, timeout: Timeout) -> Self:
        """How long an attempt at the node may take: seconds, a timedelta or a `TimeoutPolicy`.

        Raises:
            GraphValidationError: a time is not positive.
        """
        self._timeout = TimeoutPolicy.coerce(timeout)
        return self

    def build(self) -> PregelNode:
        """The finished node."""
        return PregelNode(
            channels=self._channels if isinstance(self._channels, str) else tuple(self._channels),
            triggers=tuple(self._triggers),
            actions=tuple(self._actions),
            writes=tuple(self._writes),
            tags=tuple(self._tags),
            metadata=dict(self._metadata),
            retry_policy=tuple(self._retry_policies),
            timeout=self._timeout,
            cache_policy=self._cache_policy,
        )
