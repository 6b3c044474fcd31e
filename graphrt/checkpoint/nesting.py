"""Graphs in graphs, as a checkpointer sees them: which checkpoints of a thread's namespaces need each other.

Two channels beside those of the graph itself say so. Each holds a dict of checkpoint ids by namespace, written by
`graphrt.serde` and always whole; whoever encrypts values leaves these readable. A namespace has more parts than those
around it, so that a checkpointer that goes from few parts to many meets every `CHILDREN` before what it names, and
every parent before its `PARENTS`.
"""

from __future__ import annotations

from typing import Final

__all__ = ["CHILDREN", "PARENTS", "is_call", "parts_of"]

CHILDREN: Final = "__children__"
"""Where graphs inside stand that keep their state: whoever keeps the checkpoint that says so keeps those too."""
PARENTS: Final = "__parents__"
"""At which checkpoints of the graphs around it a run of this graph began: only from there can it be gone on with."""


def is_call(namespace: str) -> bool:
    """Whether a namespace has the place of a task in it: it is of no use without the step that the task belongs to."""
    return ":" in namespace


def parts_of(namespace: str) -> int:
    """How many parts a namespace has: none for the graph itself."""
    return namespace.count("|") + 1 if namespace else 0
