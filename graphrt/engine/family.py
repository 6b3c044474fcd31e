"""What a run shares with the runs inside it: the answers that it was given, and who may ask it to stop."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from graphrt.runtime import RunControl

__all__ = ["Family", "Spare"]


class Spare(NamedTuple):
    """An answer for a question that is not known: none was open, or `question` may be asked anew in `place`."""

    answer: Any
    question: str | None = None
    place: str = ""


class Family:
    """One per outermost run.

    Attributes:
        answers: what questions are answered with, by id; `numbers` which of their answers it is.
        spare: an answer that the next question takes which has none, if it comes in step `spare_step` of the outermost
            run (LangGraph I3).
        starts: checkpoints at which graphs inside begin, by namespace, instead of anew.
        taken: encoded answers that questions took from `spare`, by id, until they are stored.
        refused: questions whose answers did not fit, until that is stored.
        control: how others may ask the run to stop.
    """

    __slots__ = ("answers", "control", "numbers", "refused", "spare", "spare_step", "starts", "taken")

    def __init__(self, control: RunControl | None = None) -> None:
        self.answers: dict[str, Any] = {}
        self.numbers: dict[str, int] = {}
        self.spare: list[Spare] = []
        self.spare_step = 0
        self.starts: dict[str, str] = {}
        self.taken: list[str] = []
        self.refused: list[str] = []
        self.control = control

    def under(self, control: RunControl) -> Family:
        """The same family, as a run sees it that was given a control of its own."""
        other = copy(self)
        other.control = control
        return other
