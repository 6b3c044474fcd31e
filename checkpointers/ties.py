"""What the namespaces of a thread need of each other (`graphrt.checkpoint.nesting`): decided from notes alone.

`Ties` is told what stays, from the outermost graph inwards. So it can say of each namespace, when its turn comes, which
of its checkpoints others still name, and whether anybody can go on with it at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Final

from msgspec import DecodeError
from msgspec.msgpack import Decoder

from graphrt.checkpoint.nesting import is_call
from graphrt.errors import DeserializationError

__all__ = ["Ties"]

_NOTE: Final = Decoder(dict[str, str])
"""Reads ids by namespace, which are plain MessagePack (`graphrt.serde`, rule 6), and nothing else."""


class Ties:
    """What is known of one thread so far.

    Args:
        thread_id: for messages.
    """

    __slots__ = ("_first", "_named", "_thread")

    def __init__(self, thread_id: str) -> None:
        self._thread = thread_id
        self._named: dict[str, set[str]] = {}
        self._first: dict[str, str | None] = {}

    def named(self, namespace: str) -> Set[str]:
        """Checkpoints of a namespace that must stay, as others that stay name them as their children."""
        return self._named.get(namespace, frozenset())

    def stays(self, namespace: str, first: str) -> None:
        """Of this namespace stays what is named, and everything from checkpoint `first` on."""
        self._first[namespace] = first

    def goes(self, namespace: str) -> None:
        """Nothing of this namespace stays."""
        self._first[namespace] = None

    def note(self, children: Iterable[bytes]) -> None:
        """What checkpoints that stay have noted as their children.

        Raises:
            DeserializationError: a note is damaged; nothing more of the thread can be forgotten.
        """
        for data in children:
            for namespace, identity in self._read(data).items():
                self._named.setdefault(namespace, set()).add(identity)

    def useless(self, namespace: str, parents: Iterable[bytes]) -> bool:
        """Can nobody go on with a call any more? It has noted these parents, each time when a run of it began.

        Raises:
            DeserializationError: a note is damaged; nothing more of the thread can be forgotten.
        """
        notes = [self._read(data) for data in parents] if is_call(namespace) else []
        return bool(notes) and all(any(map(self._forgotten, note, note.values())) for note in notes)

    def _forgotten(self, namespace: str, identity: str) -> bool:
        """Did a checkpoint go? One that is newer than all that stay is about to be committed."""
        if namespace not in self._first:
            return False
        first = self._first[namespace]
        return first is None or (identity < first and identity not in self.named(namespace))

    def _read(self, data: bytes) -> Mapping[str, str]:
        try:
            return _NOTE.decode(data)
        except (DecodeError, UnicodeDecodeError) as error:
            raise DeserializationError(
                f"What thread {self._thread!r} has noted about graphs inside it is damaged: it is not known what they "
                "need, so nothing more of it can be forgotten. Delete the thread to be rid of it."
            ) from error
