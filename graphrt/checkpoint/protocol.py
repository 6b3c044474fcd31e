"""What a checkpointer must do. It sees records and bytes, never the engine's config or live objects.

Every checkpointer keeps these promises:
- `commit` is atomic: the checkpoint, its channels, its results and the move of the thread's head happen together or
  not at all, and only if the head is where the writer thinks it is.
- When `commit` or `append_results` has returned, what it stored survives whatever the checkpointer claims to survive.
- Readers see whole commits only.
- Methods may be called from several tasks at once.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from graphrt.checkpoint.records import Commit, Stored, TaskResult

__all__ = ["Checkpointer"]


@runtime_checkable
class Checkpointer(Protocol):
    """Keeps threads. Implement this to store them somewhere else; `graphrt.testing` will check your version."""

    @property
    def immediate(self) -> bool:
        """True if `commit` and `append_results` never wait for anything; the engine then calls them in place.

        A plain class attribute will do: `immediate = False`.
        """
        ...

    async def commit(self, commit: Commit) -> None:
        """Store one superstep and move the thread's head to it.

        Raises:
            ThreadConflict: the thread's head is not `commit.head`. Nothing was stored.
        """
        ...

    async def append_results(
        self, thread_id: str, namespace: str, checkpoint_id: str, results: Sequence[TaskResult]
    ) -> None:
        """Keep results of tasks of the step that starts from the thread's head, before that step is committed.

        A result replaces an error of the same task; a result that is there already stays.

        Raises:
            ThreadConflict: `checkpoint_id` is not the thread's head. Nothing was stored.
        """
        ...

    async def load(
        self, thread_id: str, namespace: str = "", checkpoint_id: str | None = None
    ) -> Stored | None:
        """A checkpoint, the newest one by default; None if there is none."""
        ...

    def history(
        self,
        thread_id: str,
        namespace: str = "",
        *,
        filter: Mapping[str, Any] | None = None,
        before: str | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[Stored]:
        """A thread's checkpoints, newest first, each whole.

        Args:
            filter: metadata (with `source` and `step`) that a checkpoint must have.
            before: only checkpoints older than this id.
            limit: at most so many.
        """
        ...

    async def adelete_thread(self, thread_id: str) -> None:
        """Forget everything about a thread, in all namespaces; an unknown thread is no error."""
        ...
