"""The checkpointer that encrypts what another one stores."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from threading import Lock
from types import TracebackType
from typing import Any, Final, Self

from checkpointers.encrypted.copying import copy_thread
from checkpointers.encrypted.envelope import Vault
from checkpointers.encrypted.keys import Keys
from checkpointers.encrypted.places import State, Thread
from checkpointers.encrypted.sealing import Opened, Opener, sealed_commit, sealed_result
from graphrt.checkpoint import (
    Checkpointer,
    Commit,
    ForgetsRuns,
    ListsThreads,
    Measures,
    Migrates,
    Prunes,
    Reclaims,
    Stored,
    TaskResult,
    is_checkpointer,
)
from graphrt.errors import DecryptionError, GraphValidationError

__all__ = ["EncryptedSaver"]

_KNOWN: Final = 1024
"""Checkpoints whose channels are remembered by their tags, so that a commit need not read its parent."""


class EncryptedSaver:
    """Encrypts values before another checkpointer stores them, and refuses what is not as it was committed.

    Thread ids, namespaces, names of nodes and channels, metadata and sizes stay readable: databases sort and filter by
    them. docs/security.md says what is detected and what is not.

    What the other checkpointer can do besides (`graphrt.checkpoint.Prunes` and so on) this one can do too; copying a
    thread decrypts it and encrypts it again, as every value is tied to its thread.

    Args:
        saver: any checkpointer. `async with` opens and closes it if it is a context manager.
        keys: the AES keys; new values get the current one.
        accept_plaintext: also read what was stored before encryption was turned on. While that is so, whoever can
            write to the database can put plaintext there, which nothing vouches for.

    Example:
        >>> saver = EncryptedSaver(SqliteSaver.from_conn_string("chat.db"), Keys.from_env())
        >>> async with saver:
        ...     graph = builder.compile(checkpointer=saver)
    """

    def __init__(self, saver: Checkpointer, keys: Keys, *, accept_plaintext: bool = False) -> None:
        if not is_checkpointer(saver):
            raise GraphValidationError(
                f"EncryptedSaver wraps a checkpointer, got {type(saver).__name__}. Pass the saver itself, or "
                "graphrt.checkpoint.urls.saver_from_url(url)."
            )
        if not isinstance(keys, Keys):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise GraphValidationError(
                "EncryptedSaver takes its keys as Keys({'id': key}) or Keys.from_env()."  # never shows what it got
            )
        self._saver = saver
        self._keys = keys
        self._vault = Vault(keys)
        self._plaintext = accept_plaintext
        self._known: dict[tuple[str, str, str], State] = {}
        self._lock = Lock()
        self.immediate: bool = saver.immediate
        self._pass_on(saver)

    def _pass_on(self, saver: Checkpointer) -> None:
        """Offer what the other checkpointer offers, and nothing else: `isinstance` must tell the truth."""
        if isinstance(saver, ForgetsRuns):
            self.adelete_for_runs = saver.adelete_for_runs
        if isinstance(saver, Prunes):
            self.aprune = saver.aprune
        if isinstance(saver, ListsThreads):
            self.athreads = saver.athreads
            self.acopy_thread = self._copy_thread
        if isinstance(saver, Measures):
            self.astats = saver.astats
        if isinstance(saver, Reclaims):
            self.areclaim = saver.areclaim
        if isinstance(saver, Migrates):
            self.setup = saver.setup
            self.migrations = saver.migrations

    def __repr__(self) -> str:
        return f"EncryptedSaver({type(self._saver).__name__}, {self._keys!r})"

    async def __aenter__(self) -> Self:
        """Open the other checkpointer."""
        enter = getattr(self._saver, "__aenter__", None)
        if enter is not None:
            await enter()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        leave = getattr(self._saver, "__aexit__", None)
        if leave is not None:
            await leave(kind, error, trace)

    # ---- the contract

    async def commit(self, commit: Commit) -> None:
        """As every checkpointer's.

        Raises:
            ThreadConflict: the thread's head is not `commit.head`.
            DecryptionError: the checkpoint's parent had to be read, and is not what was committed.
        """
        place = (commit.thread_id, commit.namespace)
        parent = commit.checkpoint.parent_id
        before: State = await self._state(*place, parent) if parent is not None else {}
        sealed, after = sealed_commit(self._vault, commit, before)
        await self._saver.commit(sealed)
        self._remember((*place, commit.checkpoint.id), after, instead_of=parent)

    async def append_results(
        self, thread_id: str, namespace: str, checkpoint_id: str, results: Sequence[TaskResult]
    ) -> None:
        """As every checkpointer's.

        Raises:
            ThreadConflict: `checkpoint_id` is not the thread's head.
        """
        thread = Thread(thread_id, namespace)
        sealed = [sealed_result(self._vault, thread, checkpoint_id, result) for result in results]
        await self._saver.append_results(thread_id, namespace, checkpoint_id, sealed)

    async def load(
        self, thread_id: str, namespace: str = "", checkpoint_id: str | None = None
    ) -> Stored | None:
        """As every checkpointer's.

        Raises:
            DecryptionError: the checkpoint is not what was committed, or under a key that is not there.
        """
        opened = await self._load(thread_id, namespace, checkpoint_id)
        return opened.stored if opened is not None else None

    async def history(
        self,
        thread_id: str,
        namespace: str = "",
        *,
        filter: Mapping[str, Any] | None = None,
        before: str | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[Stored]:
        """As every checkpointer's.

        Raises:
            DecryptionError: a checkpoint is not what was committed, or under a key that is not there.
        """
        opener = self._opener(thread_id, namespace)
        near: Opened | None = None
        async for stored in self._saver.history(
            thread_id, namespace, filter=filter, before=before, limit=limit
        ):
            near = opener.open(stored, near)
            yield near.stored

    async def adelete_thread(self, thread_id: str) -> None:
        """As every checkpointer's."""
        await self._saver.adelete_thread(thread_id)
        with self._lock:
            self._known = {place: state for place, state in self._known.items() if place[0] != thread_id}

    async def _copy_thread(self, source: str, target: str) -> int:
        return await copy_thread(self, self, source, target)

    # ---- what is known of checkpoints

    def _opener(self, thread_id: str, namespace: str) -> Opener:
        return Opener(self._vault, thread_id, namespace, plaintext=self._plaintext)

    async def _load(self, thread_id: str, namespace: str, checkpoint_id: str | None) -> Opened | None:
        stored = await self._saver.load(thread_id, namespace, checkpoint_id)
        if stored is None:
            return None
        opened = self._opener(thread_id, namespace).open(stored)
        found = stored.checkpoint.id
        if checkpoint_id is not None and found != checkpoint_id:
            raise DecryptionError(
                f"Checkpoint {checkpoint_id} of thread {thread_id!r} was asked for, but {found} was stored there."
            )
        self._remember((thread_id, namespace, found), opened.state)
        return opened

    async def _state(self, thread_id: str, namespace: str, checkpoint_id: str) -> State:
        """Tags of a checkpoint's channels. A checkpoint never changes, so what is known of it stays true."""
        known = self._known.get((thread_id, namespace, checkpoint_id))
        if known is not None:
            return known
        opened = await self._load(thread_id, namespace, checkpoint_id)
        return opened.state if opened is not None else {}

    def _remember(self, place: tuple[str, str, str], state: State, *, instead_of: str | None = None) -> None:
        with self._lock:
            if instead_of is not None:
                self._known.pop((place[0], place[1], instead_of), None)
            self._known.pop(place, None)
            self._known[place] = state
            if len(self._known) > _KNOWN:
                del self._known[next(iter(self._known))]
