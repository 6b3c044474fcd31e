"""Ids that are the same every time: of tasks, messages and checkpoints, for tests that compare whole outcomes.

with same_ids(), FakeClock().installed():
    await graph.ainvoke(...)            # a checkpoint's id tells its time, so it takes both
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from hashlib import blake2b
from importlib import import_module
from typing import Any, Final
from unittest.mock import patch

from graphrt.config import current_task

__all__ = ["same_ids"]

_SEAMS: Final = ("graphrt.engine.journal", "graphrt.engine.random_ids", "graphrt.engine.surroundings")
"""What draws ids."""


@contextmanager
def same_ids(seed: int = 0) -> Generator[None, None, None]:
    """Inside, ids that nothing else determines follow from the seed.

    Those that a task draws follow from where it stands in the run as well, and not from who else draws meanwhile.
    """
    drawn: Counter[str] = Counter()

    def draw(size: int) -> bytes:
        place = _place()
        drawn[place] += 1
        return blake2b(f"{seed} {place} {drawn[place]}".encode(), digest_size=size).digest()

    with ExitStack() as stack:
        for name in _SEAMS:
            stack.enter_context(patch.object(import_module(name), "urandom", draw))
        yield


def _place() -> str:
    """Where the task that runs here stands; "" outside of any."""
    parts: list[str] = []
    task: Any = current_task.get(None)
    while task is not None:
        run = task.owner
        parts.append(f"{run.step} {task.path} {run.number}")
        task = run.around
    return " < ".join(parts)
