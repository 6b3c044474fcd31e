"""Pieces of a user interface in a state: components by name, shown on the `custom` stream as they are made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal, TypeAlias, TypedDict, cast

from graphrt.config import running_task
from graphrt.engine.random_ids import random_id
from graphrt.errors import UnknownMessageError

__all__ = [
    "AnyUIMessage",
    "RemoveUIMessage",
    "UIMessage",
    "delete_ui_message",
    "push_ui_message",
    "ui_message_reducer",
]


class UIMessage(TypedDict):
    """A component to show: `name` says which, `props` what with, `metadata` where it comes from."""

    type: Literal["ui"]
    id: str
    name: str
    props: dict[str, Any]
    metadata: dict[str, Any]


class RemoveUIMessage(TypedDict):
    """The component with this id is to go."""

    type: Literal["remove-ui"]
    id: str


AnyUIMessage: TypeAlias = UIMessage | RemoveUIMessage
"""What `push_ui_message` and `delete_ui_message` write."""

_REMOVE: Final = "remove-ui"


def push_ui_message(
    name: str,
    props: dict[str, Any],
    *,
    id: str | None = None,
    metadata: dict[str, Any] | None = None,
    message: Any = None,
    state_key: str | None = "ui",
    merge: bool = False,
) -> UIMessage:
    """Show a component on the `custom` stream at once, and write it to the state before what the node returns.

    Args:
        id: of the component, to replace one; a new one by default.
        message: the message that it belongs to: `metadata["message_id"]` says so.
        merge: keep the properties of the component with this id, and set these.
        state_key: the key to write to; None for none.

    Raises:
        OutsideRunError: no node is running here.
        UnknownKeyError: the state has no such key.
    """
    config = running_task("push_ui_message").config
    about: dict[str, Any] = {
        "merge": merge,
        "run_id": config.get("run_id"),
        "tags": config.get("tags") or None,
        "name": config.get("run_name"),
        **(metadata or {}),
    }
    about.update({} if message is None else {"message_id": message.id})
    shown: UIMessage = {
        "type": "ui", "id": id or random_id(), "name": name, "props": props, "metadata": about
    }  # fmt: skip
    _show(shown, state_key)
    return shown


def delete_ui_message(id: str, *, state_key: str = "ui") -> RemoveUIMessage:
    """Take a component away again, on the `custom` stream and in the state.

    Raises:
        OutsideRunError: no node is running here.
        UnknownKeyError: the state has no such key.
    """
    removal: RemoveUIMessage = {"type": _REMOVE, "id": id}
    _show(removal, state_key)
    return removal


def _show(item: AnyUIMessage, state_key: str | None) -> None:
    task = running_task("push_ui_message")
    if state_key is not None:
        task.push(state_key, item)
    task.writer(item)


def ui_message_reducer(
    left: Sequence[AnyUIMessage] | AnyUIMessage, right: Sequence[AnyUIMessage] | AnyUIMessage
) -> list[AnyUIMessage]:
    """The reducer of a list of components: new ones come behind, known ids replace or merge, removals remove.

    Raises:
        UnknownMessageError: a removal names no component (a ValueError).
    """
    items = _several(left)
    places = {item["id"]: place for place, item in enumerate(items)}
    removed: set[str] = set()
    for item in _several(right):
        identity = item["id"]
        place = places.get(identity)
        if item["type"] == _REMOVE:
            if place is None:
                raise UnknownMessageError(identity, kind="component")
            removed.add(identity)
        elif place is None:
            places[identity] = len(items)
            items.append(item)
        else:
            removed.discard(identity)
            items[place] = _merged(cast(UIMessage, items[place]), item)
    return [item for item in items if item["id"] not in removed]


def _several(given: Sequence[AnyUIMessage] | AnyUIMessage) -> list[AnyUIMessage]:
    return [given] if isinstance(given, dict) else list(given)


def _merged(old: UIMessage, new: UIMessage) -> UIMessage:
    if not new.get("metadata", {}).get("merge"):
        return new
    return {**new, "props": {**old["props"], **new["props"]}}
