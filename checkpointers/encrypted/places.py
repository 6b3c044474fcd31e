"""Where a value belongs, as bytes: two places have the same bytes only if they are the same place.

A place is a list written as MessagePack, which says of each item where it ends. Strings go in as bytes, since
MessagePack refuses lone surrogates and names may have them. Numbers in metadata go in as their digits: a database may
give back 2.0 as 2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

import msgspec

from graphrt.checkpoint import ChannelData, Checkpoint, TaskResult

__all__ = ["State", "Thread", "text"]

State = Mapping[str, bytes]
"""By channel that has content, the tag of the last envelope in it; that tag stands for all envelopes before it too."""

_encode: Final = msgspec.msgpack.encode
_WHOLE, _PART, _RESULT, _CHECKPOINT = range(4)


class Thread:
    """The places of one namespace of a thread.

    Attributes:
        key: what the thread's own key is derived from.
    """

    __slots__ = ("_namespace", "key")

    def __init__(self, thread_id: str, namespace: str) -> None:
        self.key = text(thread_id)
        self._namespace = text(namespace)

    def whole(self, channel: str) -> bytes:
        """What a channel holds, stored as a whole."""
        return _encode([_WHOLE, self.key, self._namespace, text(channel)])

    def part(self, channel: str, before: bytes) -> bytes:
        """What was appended to a channel behind the envelope with the tag `before`."""
        return _encode([_PART, self.key, self._namespace, text(channel), before])

    def result(self, checkpoint: str, child: str | None, result: TaskResult) -> bytes:
        """What came of a task, with the form of what it wrote.

        A write without bytes stands for what its channel holds after the commit that brought it, so then it matters
        which commit that was.
        """
        shape = [[text(write.channel), _kind(write)] for write in result.writes]
        refers = any(not write.data for write in result.writes)
        return _encode(
            [
                _RESULT, self.key, self._namespace, text(checkpoint), text(result.path), text(result.node), shape,
                result.error is not None, text(child) if refers and child is not None else None,
            ]
        )  # fmt: skip

    def checkpoint(self, record: Checkpoint, state: State) -> bytes:
        """A checkpoint: all that its record says, and what every channel holds there.

        Not its parent, which a database may forget before the checkpoint itself.
        """
        return _encode(
            [
                _CHECKPOINT, self.key, self._namespace, text(record.id), str(record.version), str(record.step),
                record.source, [text(name) for name in record.next], [text(name) for name in record.ran],
                _scalar(record.metadata), [[text(name), state[name]] for name in sorted(state)],
            ]
        )  # fmt: skip


def text(value: str) -> bytes:
    """A string as bytes, whatever is in it."""
    return value.encode("utf-8", "surrogatepass")


def _kind(write: ChannelData) -> int:
    """Bytes, the whole value of the channel, or the part that was appended to it."""
    return 0 if write.data else 1 if write.data is None else 2


def _scalar(value: Any) -> Any:
    match value:
        case None | bool():
            return value
        case str():
            return text(value)
        case int() | float():
            return str(int(value) if value == value // 1 else value)
        case Mapping():
            return _pairs(value)  # pyright: ignore[reportUnknownArgumentType]
        case list() | tuple():
            return [_scalar(item) for item in cast("Sequence[Any]", value)]
        case _:
            return [str(value)]


def _pairs(value: Mapping[Any, Any]) -> dict[str, list[Any]]:
    """Whatever the order in which a database gives back keys."""
    named = {str(key): item for key, item in value.items()}
    return {"": [[text(key), _scalar(named[key])] for key in sorted(named)]}
