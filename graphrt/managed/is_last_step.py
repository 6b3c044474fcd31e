"""How far a run is from its step limit, so that a loop can end by itself instead of being ended (LangGraph O8)."""

from __future__ import annotations

from typing import Annotated

from graphrt.managed.base import ManagedValue, Scratchpad

__all__ = ["IsLastStep", "IsLastStepManager", "RemainingSteps", "RemainingStepsManager"]


class IsLastStepManager(ManagedValue[bool]):
    """Computes `IsLastStep`."""

    @staticmethod
    def get(scratchpad: Scratchpad) -> bool:
        """Whether a step after this one would be the limit."""
        return scratchpad.step == scratchpad.stop - 1


IsLastStep = Annotated[bool, IsLastStepManager]
"""True in the last superstep after which the run can still come to its end."""


class RemainingStepsManager(ManagedValue[int]):
    """Computes `RemainingSteps`."""

    @staticmethod
    def get(scratchpad: Scratchpad) -> int:
        """How many supersteps are left."""
        return scratchpad.stop - scratchpad.step


RemainingSteps = Annotated[int, RemainingStepsManager]
"""Supersteps left: 1 in the last one after which the run can still come to its end."""
