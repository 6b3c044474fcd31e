"""The channel behind `Annotated[list, add_messages]`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import is_not
from typing import Any, Self

from graphrt.channels.base import MISSING, of_same_class
from graphrt.channels.binop import is_overwrite, sole_overwrite
from graphrt.channels.cell import Cell
from graphrt.edits import Weave
from graphrt.messages.coercion import messages_of
from graphrt.messages.merging import Places, after_reset, merge
from graphrt.types import Overwrite

__all__ = ["MessagesValue"]


class MessagesValue(Cell[list[Any]]):  # noqa: PLW1641 - mutable
    """A list of messages that new ones are merged into by id, at the cost of the new ones (LangGraph W1).

    Beside the list it keeps where each id stands, and what the last update changed, so that nobody has to go through
    a long conversation to find that out. Only references are copied: every step has a list of its own, as it may be
    held by whoever has read it.

    Args:
        identify: where ids of messages without one come from.
        form: what is done to each new message.
    """

    __slots__ = ("_count", "_form", "_identify", "_part", "_places", "_since")

    reacts_to_idle = False

    def __init__(
        self, typ: Any, identify: Callable[[], str], form: Callable[[Any], Any] | None = None, key: str = ""
    ) -> None:
        super().__init__(typ, key)
        self.value = []
        self._identify = identify
        self._form = form
        self._places: Places | None = None
        self._count = 0
        self._part: Any = None
        self._since: object = None

    def __eq__(self, other: object) -> bool:
        return of_same_class(other, self) and other._form is self._form

    def _empty_like(self) -> Self:
        return type(self)(self.typ, self._identify, self._form, self.key)

    def copy(self) -> Self:
        """Shares what is known of the list; each goes on by itself."""
        new = super().copy()
        if self._places is not None and type(self.value) is list and self._count == len(self.value):
            new._places = self._places.copy(self._count)
            new._count = self._count
        return new

    def prepare(self, value: Any) -> Any:
        """A write as it is to be stored: messages with their ids, so that a run that goes on knows them again.

        Raises:
            MessageError: there is something among them that is no message.
        """
        if is_overwrite(value):
            return Overwrite(self._formed(sole_overwrite(self.key, (value,)) or []))
        messages = self._formed(value)
        return messages if isinstance(value, list) else messages[0] if len(messages) == 1 else messages

    def _formed(self, given: Any) -> list[Any]:
        messages = messages_of(given, self._identify)
        return messages if self._form is None else [self._form(message) for message in messages]

    def update(self, values: Sequence[Any], /) -> bool:
        """Merge the writes in.

        Raises:
            MessageError: a write has something that is no message.
            UnknownMessageError: a removal names no message.
            InvalidUpdateError: several Overwrites.
        """
        if not values:
            return False
        news: list[Any] = []
        start: Any = None
        for write in values:
            if is_overwrite(write):
                start = self._formed(sole_overwrite(self.key, values) or [])
                news = []
                break
            news += self._formed(write)
        news, reset = after_reset(news)
        if reset or start is not None:
            self._rewrite(start or [], news)
        else:
            self._merge(news)
        return True

    def _rewrite(self, messages: list[Any], news: list[Any]) -> None:
        """The list is another one from here on."""
        places = Places(messages)
        _, _, removed = merge(messages, places, news)
        self.value = [m for m in messages if m.id not in removed] if removed else messages
        self._places = self._since = self._part = None

    def _merge(self, news: list[Any]) -> None:
        held = self._list()
        places = self._places
        messages = held.copy()
        if places is None or self._count != len(held):
            messages = messages_of(messages, self._identify)
            if any(map(is_not, messages, held)):
                # Nobody has seen this one, so that all of it will be compared with what is stored.
                held = messages.copy()
            places = Places(messages)
        added, replaced, removed = merge(messages, places, news)
        if removed:
            self.value = [message for message in messages if message.id not in removed]
            self._places = self._since = self._part = None
            return
        places.own.update(added)
        self._places = places
        self._count = len(messages)
        self._since = held
        self._part = _part(messages, len(held), replaced)
        self.value = messages

    def _list(self) -> list[Any]:
        """The value, also if another kind of channel has left something else under this key."""
        held: Any = self.value
        if isinstance(held, list):
            return held  # pyright: ignore[reportUnknownVariableType]
        return [] if held is MISSING else messages_of(held, self._identify)

    def part_since(self, content: object) -> Any:
        """What turns `content` into the value, if the last update did that; `MISSING` if nothing, None if not known."""
        if content is self.value:
            return MISSING
        return self._part if content is self._since else None


def _part(messages: list[Any], old: int, replaced: set[int]) -> Any:
    """The change of a list of `old` messages as storage has it (`graphrt.edits`)."""
    if not replaced:
        return messages[old:] or MISSING
    runs: list[list[int]] = []
    start = 0
    for place in sorted(place for place in replaced if place < old):
        runs.append([start, place - start, 1])
        start = place + 1
    behind = len(messages) - old
    runs.append([start, old - start, behind])
    items = [messages[start + length] for start, length, new in runs[:-1] if new] + messages[old:]
    return Weave(runs, items) if len(runs) + len(items) <= old else None
