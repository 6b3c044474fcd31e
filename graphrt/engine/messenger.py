"""What nodes put on the `messages` and `tools` streams (LangGraph J5, J9)."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from graphrt.messages.coercion import coerced, is_message
from graphrt.messages.kinds import AIMessageChunk

if TYPE_CHECKING:
    from graphrt.engine.stream import Hub, Targets

__all__ = ["MessageWriter", "Shown", "ToolWriter", "messages_in"]

_CHUNK: Final = "Chunk"


class MessageWriter:
    """Shows a message of one task, piece by piece or as a whole; made by `graphrt.graph.message.message_writer`.

    Attributes:
        id: that of the message; pieces without one get it.
    """

    __slots__ = ("_metadata", "id", "targets")

    def __init__(self, targets: Targets, metadata: dict[str, Any], identity: str) -> None:
        self.targets = targets
        self._metadata = metadata
        self.id = identity

    def __call__(self, chunk: Any, /) -> None:
        """Show a piece: a text, an `AIMessageChunk` or another library's, or a whole message that was not shown yet.

        Raises:
            StreamOverflowError: an async node wrote tens of thousands of pieces that nobody read.
        """
        for hub, ns in self.targets:
            if (piece := self._piece(chunk, hub)) is not None:
                hub.write("messages", (piece, self._metadata), ns)

    async def asend(self, chunk: Any, /) -> None:
        """The same as soon as the stream's buffer has room: a slow consumer slows this node down."""
        for hub, ns in self.targets:
            if (piece := self._piece(chunk, hub)) is not None:
                await hub.asend("messages", (piece, self._metadata), ns)

    def _piece(self, chunk: Any, hub: Hub) -> Any:
        if type(chunk) is str:
            hub.seen.add(self.id)
            return AIMessageChunk(chunk, id=self.id)
        message = chunk if is_message(chunk) else coerced(chunk)
        if message.id is None:
            message.id = self.id
        if not str(getattr(message, "type", "")).endswith(_CHUNK) and message.id in hub.seen:
            return None
        hub.seen.add(message.id)
        return message


class ToolWriter:
    """Shows what a tool does."""

    __slots__ = ("_targets",)

    def __init__(self, targets: Targets) -> None:
        self._targets = targets

    def __call__(self, event: dict[str, Any], /) -> None:
        for hub, ns in self._targets:
            hub.write("tools", event, ns)

    async def asend(self, event: dict[str, Any], /) -> None:
        for hub, ns in self._targets:
            await hub.asend("tools", event, ns)


class Shown:
    """What showing a piece at once returns: await it to let the consumer keep up."""

    __slots__ = ("_targets",)

    def __init__(self, targets: Targets) -> None:
        self._targets = targets

    def __await__(self) -> Generator[Any, Any, None]:
        for hub, _ in self._targets:
            yield from hub.has_room().__await__()


def messages_in(values: Iterable[Any]) -> Iterator[Any]:
    """The messages among what a task has written: alone, or in lists."""
    for value in values:
        if is_message(value):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from filter(is_message, value)  # pyright: ignore[reportUnknownArgumentType]
