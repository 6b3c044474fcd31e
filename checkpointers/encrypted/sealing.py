"""What is encrypted of a record, and what vouches for what is not. Decides, and calls nobody.

- Every value of a channel is an envelope. A part that was appended is tied to the envelope before it, so what a channel
  holds is known from the tag of its last envelope.
- A checkpoint has a *seal*: an envelope in its metadata, tied to the whole record and to the last tag of every channel.
  So a checkpoint opens exactly as it was committed, or not at all. Inside is a hash of its parent's id.
- A task's result is one envelope with its error and all the bytes it wrote, as one more write. What stays visible is
  which channels it wrote to, and that is tied to the envelope.

Plaintext, where it is accepted, is stood for by its hash, so that the seal of a later checkpoint covers it too. So are
the notes about graphs in graphs (`graphrt.checkpoint.nesting`), which are never encrypted: the other checkpointer must
know what to keep, and sees all ids anyway.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from checkpointers.encrypted.envelope import MARK, TAG_SIZE, Vault, checked, is_envelope
from checkpointers.encrypted.places import State, Thread, text
from graphrt.checkpoint import CHILDREN, PARENTS, ChannelData, Checkpoint, Commit, Stored, TaskResult
from graphrt.errors import DecryptionError

__all__ = ["SEAL", "Channel", "Opened", "Opener", "sealed_commit", "sealed_result"]

SEAL: Final = "__sealed"
"""The key of the seal in a checkpoint's metadata, and the channel of a result's envelope."""

_HIDDEN: Final = "(encrypted)"
_READABLE: Final = frozenset({CHILDREN, PARENTS})
_results: Final = msgspec.msgpack.Decoder(tuple[bytes | None, list[bytes]])


class Channel(Struct, frozen=True, gc=False):
    """What one channel holds: as stored, opened, and the tag of the last envelope."""

    stored: bytes
    stored_parts: tuple[bytes, ...]
    data: bytes
    parts: tuple[bytes, ...]
    tags: tuple[bytes, ...]


class Opened(Struct, frozen=True):
    """A checkpoint in the clear, and what is needed to commit the next one or to open the one before it."""

    stored: Stored
    channels: dict[str, Channel]

    @property
    def state(self) -> dict[str, bytes]:
        return {name: channel.tags[-1] for name, channel in self.channels.items()}


# ---- writing


def sealed_commit(vault: Vault, commit: Commit, before: State) -> tuple[Commit, State]:
    """The commit as it is stored, and what is known of its channels afterwards.

    Args:
        before: what is known of the channels at the checkpoint's parent.
    """
    thread = Thread(commit.thread_id, commit.namespace)
    state = dict(before)
    channels: list[ChannelData] = []
    for item in commit.channels:
        if item.data is None:
            state.pop(item.channel, None)
            channels.append(item)
        elif item.channel in _READABLE:
            state[item.channel] = _stand_in(b"", item.data)
            channels.append(item)
        else:
            envelope = vault.seal(thread.key, thread.whole(item.channel), item.data)
            state[item.channel] = envelope[-TAG_SIZE:]
            channels.append(ChannelData(item.channel, envelope))
    appends: list[ChannelData] = []
    for item in commit.appends:
        place = thread.part(item.channel, state.get(item.channel, b""))
        envelope = vault.seal(thread.key, place, item.data or b"")
        state[item.channel] = envelope[-TAG_SIZE:]
        appends.append(ChannelData(item.channel, envelope))
    record = commit.checkpoint
    results = [
        sealed_result(vault, thread, record.parent_id or "", r, child=record.id) for r in commit.results
    ]
    seal = vault.seal(thread.key, thread.checkpoint(record, state), _digest(record.parent_id))
    return replace(
        commit,
        checkpoint=replace(record, metadata={**record.metadata, SEAL: b64encode(seal).decode()}),
        channels=tuple(channels),
        appends=tuple(appends),
        results=tuple(results),
    ), state


def sealed_result(
    vault: Vault, thread: Thread, checkpoint: str, result: TaskResult, *, child: str | None = None
) -> TaskResult:
    """A task's result as it is stored.

    Args:
        checkpoint: the one that the task's step starts from.
        child: the one whose commit brings the result.
    """
    error = None if result.error is None else text(result.error)
    body = msgspec.msgpack.encode((error, [write.data for write in result.writes if write.data]))
    envelope = vault.seal(thread.key, thread.result(checkpoint, child, result), body)
    writes = [ChannelData(write.channel, MARK) if write.data else write for write in result.writes]
    return TaskResult(
        result.path,
        result.node,
        (*writes, ChannelData(SEAL, envelope)),
        None if error is None else _HIDDEN,
    )


# ---- reading


class Opener:
    """Opens the checkpoints of one namespace of a thread.

    Args:
        plaintext: accept what was stored before encryption was turned on.
    """

    def __init__(self, vault: Vault, thread_id: str, namespace: str, *, plaintext: bool) -> None:
        self._vault = vault
        self._thread = Thread(thread_id, namespace)
        self._plaintext = plaintext
        self._name = f"thread {thread_id!r}"

    def open(self, stored: Stored, near: Opened | None = None) -> Opened:
        """A stored checkpoint in the clear.

        Args:
            near: one that was opened just now. What both hold is not decrypted twice.

        Raises:
            DecryptionError: something in it is not what was committed as this checkpoint.
        """
        known = near.channels if near is not None else {}
        channels = {
            name: self._channel(name, data, stored.appends.get(name, ()), known.get(name))
            for name, data in stored.channels.items()
        }
        if any(name not in channels for name in stored.appends):
            raise DecryptionError(
                f"A channel of {self._name} has lost the value that parts were appended to."
            )
        record = self._record(stored.checkpoint, channels)
        return Opened(
            replace(
                stored,
                checkpoint=record,
                channels={name: channel.data for name, channel in channels.items()},
                appends={name: channel.parts for name, channel in channels.items() if channel.parts},
                results=tuple([self._result(record.id, result) for result in stored.results]),
            ),
            channels,
        )

    def _channel(self, name: str, data: bytes, parts: Sequence[bytes], known: Channel | None) -> Channel:
        what = f"The channel {name!r} of {self._name}"
        thread, same = self._thread, 0
        readable = self._plaintext or name in _READABLE
        if known is not None and known.stored == data:
            same = _common(known.stored_parts, parts)
            values, tags = list(known.parts[:same]), list(known.tags[: same + 1])
            value = known.data
        else:
            value, tag = self._value(thread.whole(name), data, b"", what, readable=readable)
            values, tags = [], [tag]
        for part in parts[same:]:
            content, tag = self._value(
                thread.part(name, tags[-1]), part, tags[-1], what, readable=self._plaintext
            )
            values.append(content)
            tags.append(tag)
        return Channel(data, tuple(parts), value, tuple(values), tuple(tags))

    def _value(
        self, place: bytes, data: bytes, before: bytes, what: str, *, readable: bool
    ) -> tuple[bytes, bytes]:
        """A value, and what stands for it and all before it."""
        if readable and not is_envelope(data):
            return checked(data, what), _stand_in(before, data)
        return self._vault.open(self._thread.key, place, data, what), data[-TAG_SIZE:]

    def _record(self, record: Checkpoint, channels: dict[str, Channel]) -> Checkpoint:
        what = f"Checkpoint {record.id} of {self._name}"
        seal: object = record.metadata.get(SEAL)
        if seal is None:
            if self._plaintext and not any(_encrypted(channel) for channel in channels.values()):
                return record
            seal = ""
        plain = replace(record, metadata={key: item for key, item in record.metadata.items() if key != SEAL})
        state = {name: channel.tags[-1] for name, channel in channels.items()}
        parent = self._vault.open(
            self._thread.key, self._thread.checkpoint(plain, state), _unpacked(seal, what), what
        )
        if record.parent_id is not None and _digest(record.parent_id) != parent:
            raise DecryptionError(f"{what} was given another parent than it was committed with.")
        return plain

    def _result(self, checkpoint: str, result: TaskResult) -> TaskResult:
        what = f"The result of {result.path!r} at checkpoint {checkpoint} of {self._name}"
        sealed = bool(result.writes) and result.writes[-1].channel == SEAL
        if not sealed:
            if self._plaintext and not any(write.data == MARK for write in result.writes):
                return result
            raise DecryptionError(
                f"{what} is stored as plaintext, which is refused because nothing vouches for it. If it was stored "
                "before encryption was turned on, read it with accept_plaintext=True."
            )
        *writes, last = result.writes
        plain = replace(result, writes=tuple(writes))
        place = self._thread.result(checkpoint, result.child, plain)
        error, values = _results.decode(self._vault.open(self._thread.key, place, last.data or b"", what))
        left = iter(values)
        return replace(
            plain,
            writes=tuple([ChannelData(w.channel, next(left)) if w.data else w for w in writes]),
            error=None if error is None else error.decode("utf-8", "surrogatepass"),
        )


def _stand_in(before: bytes, data: bytes) -> bytes:
    """What stands for a value that is not encrypted, and for all before it."""
    return sha256(before + sha256(data).digest()).digest()


def _digest(parent_id: str | None) -> bytes:
    """What a seal holds of a parent: an id is as long as somebody made it."""
    return b"" if parent_id is None else sha256(text(parent_id)).digest()[:16]


def _common(left: Sequence[bytes], right: Sequence[bytes]) -> int:
    """How many items both begin with."""
    shared = min(len(left), len(right))
    if left[:shared] == right[:shared]:
        return shared
    return next(index for index in range(shared) if left[index] != right[index])


def _encrypted(channel: Channel) -> bool:
    return any(is_envelope(data) for data in (channel.stored, *channel.stored_parts))


def _unpacked(seal: Any, what: str) -> bytes:
    try:
        return b64decode(seal, validate=True)
    except (ValueError, TypeError):
        raise DecryptionError(f"{what} has a damaged seal.") from None
