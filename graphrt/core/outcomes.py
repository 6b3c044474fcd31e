"""What results say of tasks: what they wrote, what they asked (LangGraph N1, N3)."""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Any

from graphrt.checkpoint import Stored, TaskResult
from graphrt.core.interrupts import INTERRUPT, questions_of
from graphrt.core.sight import Sight
from graphrt.core.snapshot import Decode, bytes_of
from graphrt.types import Interrupt

__all__ = ["ElsewhereError", "Outcomes"]


class ElsewhereError(Exception):
    """The bytes of some results are with another checkpoint (`ChannelData`): try again when that is `fetched`."""

    def __init__(self, checkpoint: str) -> None:
        super().__init__(checkpoint)
        self.checkpoint = checkpoint


class Outcomes:
    """Reads results.

    Args:
        loads: turns stored bytes into a value, `decode` bytes and the parts behind them.

    Attributes:
        near: a checkpoint at hand: of a history the one before, which mostly has what the next one's results leave out.
        fetched: checkpoints that were asked for, None for those that are gone.
    """

    __slots__ = ("_bare", "_decode", "_keys", "_loads", "fetched", "near")

    def __init__(self, sight: Sight, loads: Callable[[bytes], Any], decode: Decode) -> None:
        self._keys = sight.keys
        self._bare = sight.selection.bare
        self._loads = loads
        self._decode = decode
        self.near: Stored | None = None
        self.fetched: dict[str, Stored | None] = {}

    def recorded(self, result: TaskResult) -> tuple[Any, bool]:
        """What `report.recorded_of` says of the task, and whether it has asked anything.

        Raises:
            ElsewhereError: a checkpoint is needed that is neither `near` nor `fetched`.
            DeserializationError: its bytes are damaged.
        """
        keys, loads = self._keys, self._loads
        written: dict[str, Any] = {}
        several: dict[str, list[Any]] = {}
        asked = False
        for write in result.writes:
            key = keys.get(write.channel)
            if key is None:
                asked = asked or write.channel == INTERRUPT
                continue
            if write.data:
                value = loads(write.data)
            elif (found := bytes_of(write, self.child(result))) is not None:
                value = self._decode(*found)
            else:
                continue
            if key not in written:
                written[key] = value
            else:
                several.setdefault(key, [written[key]]).append(value)
        if several:
            written.update((key, {"$writes": values}) for key, values in several.items())
        return (next(iter(written.values()), None) if self._bare else written), asked

    def asked(self, result: TaskResult, answered: Container[str]) -> tuple[Interrupt[Any], ...]:
        """The questions of a task that are not `answered`."""
        questions = questions_of(result, self._decode) or ()
        return tuple([q.shown(self._decode) for q in questions if q.id not in answered])

    def child(self, result: TaskResult) -> Stored | None:
        """The checkpoint that has bytes which a result does without, if it does without any.

        Raises:
            ElsewhereError: it is neither `near` nor `fetched`.
        """
        name = result.child
        if name is None or all(write.data for write in result.writes):
            return None
        if self.near is not None and self.near.checkpoint.id == name:
            return self.near
        if name not in self.fetched:
            raise ElsewhereError(name)
        return self.fetched[name]
