"""What all checkpointers refuse, in the same words."""

from __future__ import annotations

from graphrt.errors import ThreadConflict

__all__ = ["parent_forgotten", "target_exists"]


def parent_forgotten(thread_id: str, parent: str, head: str | None) -> ThreadConflict:
    """A commit descends from a checkpoint that is not there any more: its values would be lost."""
    return ThreadConflict(
        thread_id,
        expected=parent,
        current=head,
        why=f"Thread {thread_id!r}: checkpoint {parent}, which this run started from, was forgotten meanwhile. "
        f"Nothing of this step was stored. Run again from another one; the newest is {head}.",
    )


def target_exists(source: str, target: str, head: str | None) -> ThreadConflict:
    """A copy would mix two histories."""
    return ThreadConflict(
        target,
        expected=None,
        current=head,
        why=f"Thread {source!r} cannot be copied to {target!r}, which exists. "
        "Choose another name, or delete that thread first.",
    )
