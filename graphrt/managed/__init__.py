"""State keys that nothing writes and nothing stores: their values are found out whenever somebody reads them."""

from graphrt.managed.base import ManagedKeys, ManagedValue, Scratchpad, is_managed_value
from graphrt.managed.is_last_step import (
    IsLastStep,
    IsLastStepManager,
    RemainingSteps,
    RemainingStepsManager,
)

__all__ = [
    "IsLastStep",
    "IsLastStepManager",
    "ManagedKeys",
    "ManagedValue",
    "RemainingSteps",
    "RemainingStepsManager",
    "Scratchpad",
    "is_managed_value",
]
