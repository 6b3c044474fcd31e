"""Values of managed keys, put beside those of channels when a node or router reads (LangGraph U4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    from graphrt.managed.base import ManagedKeys, Scratchpad

__all__ = ["with_managed"]


class Reading(Struct, frozen=True):
    """A moment of a run: users' managed values get this, and not the run."""

    step: int
    stop: int


def with_managed(values: Any, keys: ManagedKeys, scratchpad: Scratchpad) -> dict[str, Any]:
    """The values that a schema's channels have, and those of its managed keys."""
    now = Reading(scratchpad.step, scratchpad.stop)
    return {**values, **{key: managed.get(now) for key, managed in keys}}
