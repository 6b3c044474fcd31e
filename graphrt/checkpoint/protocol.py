"""What a checkpointer must do. It sees records and bytes, never the engine's config or live objects.

Every checkpointer keeps these promises:
- `commit` is atomic: the checkpoint, its channels, its results and the move of the thread's head happen together or
  not at all, and only if the head is where the writer thinks it is.
- When `commit` or `append_results` has returned, what it stored survives whatever the checkpointer claims to survive.
- Readers see whole commits only.
- Methods may be called from several tasks at once.

What a checkpointer may offer besides, each by itself, stands below it: `isinstance(saver, Prunes)` asks.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Protocol, TypeGuard, runtime_checkable

from graphrt.checkpoint.keeping import Pruned, PruneStrategy, StorageStats, ThreadInfo
from graphrt.checkpoint.records import Commit, Stored, TaskResult

__all__ = [
    "Checkpointer",
    "CopiesThreads",
    "ForgetsRuns",
    "Launches",
    "ListsThreads",
    "Measures",
    "Migrates",
    "Prunes",
    "Reclaims",
    "is_checkpointer",
]


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
            ThreadConflict: the thread's head is not `commit.head`, or the checkpoint's parent was forgotten. Nothing
                was stored.
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


_ASKED: Final = tuple(name for name in vars(Checkpointer) if not name.startswith("_"))


def is_checkpointer(given: object) -> TypeGuard[Checkpointer]:
    """Whether it has all that a Checkpointer has, be it by `__getattr__`, which `isinstance` sees up to Python 3.11."""
    return not isinstance(given, type) and all(hasattr(given, name) for name in _ASKED)


@runtime_checkable
class Launches(Protocol):
    """A checkpointer that can begin a commit without being waited for: "async" durability without a task of its own."""

    def launch(self, commit: Commit) -> Awaitable[None] | None:
        """Begin `Checkpointer.commit` now, in the running event loop.

        Returns an `asyncio.Future` that comes to what `commit` would; None if nothing was begun, so that `commit` must
        be called. The caller never cancels it.
        """
        ...


# ---- keeping and forgetting: all of it is safe while runs and other processes use the same threads


@runtime_checkable
class CopiesThreads(Protocol):
    """A checkpointer that can copy a thread."""

    async def acopy_thread(self, source: str, target: str) -> int:
        """Make a thread that is what another one is now, in all namespaces, under the same checkpoint ids.

        Returns how many checkpoints were copied: 0 if there is no thread `source`, which is no error.

        Raises:
            ThreadConflict: there is a thread `target`. Nothing was copied.
        """
        ...


@runtime_checkable
class ForgetsRuns(Protocol):
    """A checkpointer that can forget what certain runs did."""

    async def adelete_for_runs(self, run_ids: Sequence[str]) -> int:
        """Forget the checkpoints whose metadata `run_id` is one of these, in all threads and namespaces.

        What else there is stays as it is, except that a checkpoint whose parent was forgotten has none, and one
        whose child was forgotten loses the results that came with the child. A namespace whose head was forgotten
        goes on from its newest remaining checkpoint; a run that is under way there fails with `ThreadConflict`.

        A checkpoint that one which stays has noted as a child (`graphrt.checkpoint.nesting`) stays too.

        Returns how many checkpoints were forgotten. Runs that nobody knows are no error.
        """
        ...


@runtime_checkable
class Prunes(Protocol):
    """A checkpointer that can forget older checkpoints, or threads."""

    async def aprune(
        self,
        thread_ids: Sequence[str] | None = None,
        *,
        strategy: PruneStrategy = "keep_latest",
        keep_last: int | None = None,
        older_than: datetime | timedelta | None = None,
    ) -> Pruned:
        """Forget checkpoints that are neither among the newest nor young.

        Every retained checkpoint loads as before: its values, its results, the interrupts that wait at it; only its
        parent is None if that was forgotten. The newest checkpoint of every namespace always stays, but for calls that
        are over.

        Of graphs in graphs (`graphrt.checkpoint.nesting`) whatever stays must find what it needs, and what nobody can
        find goes, decided from the outermost graph inwards:

        - A checkpoint that one which stays has noted among its `CHILDREN` stays too, whatever its age. (It loses
          results that came with a commit which went.)
        - A namespace for which `is_call` is true goes altogether if each run in it began at a checkpoint that has
          gone, as its `PARENTS` say. One of them is enough; one that is newer than its namespace's newest has not
          gone, but is about to be committed.

        Args:
            thread_ids: in these threads, all by default; unknown ones are no error.
            strategy: "delete" forgets whole threads instead: those named, or, with `older_than`, those of them whose
                newest checkpoint is older.
            keep_last: so many checkpoints of each namespace stay, 1 by default.
            older_than: checkpoints made at or after this moment stay; a duration counts back from now.

        Raises:
            GraphValidationError: the arguments make no sense, or would delete all threads there are.
        """
        ...


@runtime_checkable
class ListsThreads(Protocol):
    """A checkpointer that knows which threads it has."""

    def athreads(
        self, *, prefix: str = "", after: str | None = None, limit: int | None = None
    ) -> AsyncIterator[ThreadInfo]:
        """Threads by name, in the order of their characters' code points.

        Args:
            prefix: only those whose names begin so.
            after: only those that sort after this name: the last one of the page before.
            limit: at most so many.
        """
        ...


@runtime_checkable
class Measures(Protocol):
    """A checkpointer that knows how much it holds."""

    async def astats(self) -> StorageStats:
        """Count what is stored."""
        ...


@runtime_checkable
class Reclaims(Protocol):
    """A checkpointer whose storage does not shrink by itself when something is forgotten."""

    async def areclaim(self) -> int:
        """Give space that nothing uses back to the system, as far as that is possible while others work.

        Returns by how many bytes storage has become smaller.
        """
        ...


@runtime_checkable
class Migrates(Protocol):
    """A checkpointer with tables that have versions."""

    async def setup(self) -> None:
        """Bring the tables to this program's version; nothing happens if they are. Safe in many processes at once."""
        ...

    def migrations(self) -> str:
        """What `setup` would run on an empty database, as a script for the database's own client."""
        ...
