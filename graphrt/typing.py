"""Type variables of the public generics, each with the default that applies when a schema is left out."""

from __future__ import annotations

import sys
from typing import Any

if sys.version_info >= (3, 13):
    from typing import TypeVar
else:
    from typing_extensions import TypeVar

__all__ = [
    "ChunkT",
    "ContextT",
    "InputT",
    "NodeInputT",
    "NodeName",
    "OutputT",
    "ResponseT",
    "StateT",
    "ValueT",
]

StateT = TypeVar("StateT", default=Any)
"""The state that nodes share."""
ContextT = TypeVar("ContextT", default=None)
"""What a run is given besides its input and cannot change."""
InputT = TypeVar("InputT", default=StateT)
"""What a run starts from."""
OutputT = TypeVar("OutputT", default=StateT)
"""What a run returns."""
NodeInputT = TypeVar("NodeInputT", contravariant=True)
"""What one node reads."""
NodeName = TypeVar("NodeName", bound=str, covariant=True, default=str)
"""Where a Command may go."""
ChunkT = TypeVar("ChunkT", default=Any)
"""What a `values` stream shows."""
ResponseT = TypeVar("ResponseT", default=Any)
"""What an interrupt is answered with."""
ValueT = TypeVar("ValueT")
"""What a `GraphOutput` holds."""
