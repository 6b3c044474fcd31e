"""What a list of messages becomes by new ones: same ids replace, new ones come behind, removals remove (LangGraph W1).

The work is that of the new messages: where an id stands is looked up, not searched. Only a removal goes through the
list, as everything behind it moves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from graphrt.errors import UnknownMessageError
from graphrt.messages.kinds import REMOVE_ALL_MESSAGES

__all__ = ["Places", "after_reset", "merge"]


class Places:
    """Where each id stands in a list of messages.

    A copy shares what is known when it is made: positions do not change, and an index whose list has lost messages is
    thrown away. Places from `limit` on came later, so they say nothing about the copy's list.
    """

    __slots__ = ("limit", "own", "shared")

    def __init__(self, messages: Sequence[Any]) -> None:
        self.own: dict[str, int] = {message.id: place for place, message in enumerate(messages)}
        self.shared: Mapping[str, int] = {}
        self.limit = 0

    def get(self, identity: str) -> int | None:
        """The place of a message, None if there is none."""
        place = self.own.get(identity)
        if place is not None:
            return place
        place = self.shared.get(identity)
        return place if place is not None and place < self.limit else None

    def copy(self, size: int) -> Places | None:
        """For another list of the same `size` messages; None if that has to be found out anew."""
        if self.shared:
            return None
        other = Places(())
        other.shared = self.own
        other.limit = size
        return other


def after_reset(news: list[Any]) -> tuple[list[Any], bool]:
    """The new messages behind the last one that removes all, and whether there is such a one."""
    for place in range(len(news) - 1, -1, -1):
        message = news[place]
        if message.id == REMOVE_ALL_MESSAGES and getattr(message, "type", None) == "remove":
            return news[place + 1 :], True
    return news, False


def merge(
    messages: list[Any], places: Places, news: Sequence[Any]
) -> tuple[dict[str, int], set[int], set[str]]:
    """Put `news` into `messages`, in place, and leave `places` alone.

    Returns the places of added ones, the places whose message was replaced, and ids that are to be removed.

    Raises:
        UnknownMessageError: a removal names no message. `messages` has changed nevertheless.
    """
    added: dict[str, int] = {}
    replaced: set[int] = set()
    removed: set[str] = set()
    for message in news:
        identity = message.id
        place = places.get(identity)
        if place is None:
            place = added.get(identity)
        if getattr(message, "type", None) == "remove":
            if place is None:
                raise UnknownMessageError(identity)
            removed.add(identity)
        elif place is None:
            added[identity] = len(messages)
            messages.append(message)
        else:
            removed.discard(identity)
            if messages[place] is not message:
                messages[place] = message
                replaced.add(place)
    return added, replaced, removed
