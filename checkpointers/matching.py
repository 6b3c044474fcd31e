"""Which checkpoints a filter of metadata means, on every backend alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphrt.checkpoint import Checkpoint

__all__ = ["matches"]


def matches(checkpoint: Checkpoint, wanted: Mapping[str, Any]) -> bool:
    """Has the checkpoint these metadata? Its `source` and `step` count as such; values compare as Python does."""
    if not wanted:
        return True
    found = {**checkpoint.metadata, "source": checkpoint.source, "step": checkpoint.step}
    return all(key in found and found[key] == value for key, value in wanted.items())
