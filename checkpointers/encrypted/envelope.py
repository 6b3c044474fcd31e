"""Bytes to envelopes and back: what an encrypted value looks like, and what it is tied to.

    0xC1 | 1 | length of the key's id | the key's id | nonce, 12 bytes | ciphertext | tag, 16 bytes

No plain value starts with 0xC1 (`graphrt.serde`, rule 11). The cipher is AES-GCM; what is authenticated along with the
value is everything before the nonce, and the *place* the value belongs to, which is not stored: whoever reads has to
name the same one.

Nonces are random. With one key of 96-bit random nonces no more than 2^32 values should be encrypted (NIST SP 800-38D,
8.3), which a busy database reaches. So every thread has a key of its own, derived from the given one with HKDF, and the
limit holds for each thread alone. It also means that a value of another thread is not even under the right key.
"""

from __future__ import annotations

from os import urandom
from threading import Lock
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from checkpointers.encrypted.keys import Keys
from graphrt.errors import DecryptionError

__all__ = ["MARK", "TAG_SIZE", "Vault", "checked", "is_envelope"]

MARK: Final = b"\xc1"
TAG_SIZE: Final = 16
_FORMAT: Final = b"\x01"
_NONCE_SIZE: Final = 12
_CIPHERS: Final = 1024
"""Threads whose derived keys are kept; deriving one takes some 10 us."""


class Vault:
    """Encrypts and decrypts for one set of keys. May be shared between threads."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._header = MARK + _FORMAT + bytes((len(keys.current),)) + keys.current.encode()
        self._ciphers: dict[tuple[str, bytes], AESGCM] = {}
        self._lock = Lock()

    def seal(self, thread: bytes, place: bytes, value: bytes) -> bytes:
        """The value in an envelope that opens in this thread and place alone."""
        nonce = urandom(_NONCE_SIZE)
        cipher = self._cipher(self._keys.current, thread)
        return self._header + nonce + cipher.encrypt(nonce, value, self._header + place)

    def open(self, thread: bytes, place: bytes, envelope: bytes, what: str) -> bytes:
        """The value in an envelope.

        Args:
            what: names the value in messages.

        Raises:
            DecryptionError: it is no envelope, damaged, of another place, or under a key that is not there.
        """
        start = self._body(envelope, what)
        header, nonce, rest = envelope[:start], envelope[start : start + _NONCE_SIZE], start + _NONCE_SIZE
        try:
            key_id = header[3:].decode("ascii")
        except UnicodeDecodeError:
            raise _damaged(what) from None
        try:
            return self._cipher(key_id, thread).decrypt(nonce, envelope[rest:], header + place)
        except InvalidTag:
            raise DecryptionError(
                f"{what} is not what was encrypted for this place: it was changed, or moved here from another "
                f"thread, checkpoint or channel, or the key {key_id!r} is another one than at the time."
            ) from None

    def _body(self, envelope: bytes, what: str) -> int:
        """Where what follows the key's id begins."""
        if not is_envelope(checked(envelope, what)):
            raise DecryptionError(
                f"{what} is stored as plaintext, which is refused because nothing vouches for it. If it was stored "
                "before encryption was turned on, read it with accept_plaintext=True."
            )
        if len(envelope) < 3 or envelope[1:2] != _FORMAT:
            raise _damaged(what)
        start = 3 + envelope[2]
        if len(envelope) < start + _NONCE_SIZE + TAG_SIZE:
            raise _damaged(what)
        return start

    def _cipher(self, key_id: str, thread: bytes) -> AESGCM:
        known = self._ciphers.get((key_id, thread))
        if known is not None:
            return known
        cipher = AESGCM(self._keys.subkey(key_id, b"graphrt thread 1\0" + thread))
        with self._lock:
            if len(self._ciphers) >= _CIPHERS:
                del self._ciphers[next(iter(self._ciphers))]
            self._ciphers[key_id, thread] = cipher
        return cipher


def is_envelope(data: object) -> bool:
    """Does it begin as envelopes do? Also for what should be bytes and is not."""
    return isinstance(data, bytes) and data[:1] == MARK


def checked(data: object, what: str) -> bytes:
    """What was stored, if it is bytes: a column of SQLite takes anything.

    Raises:
        DecryptionError: it is not.
    """
    if isinstance(data, bytes):
        return data
    raise DecryptionError(f"{what} is damaged: a {type(data).__name__} is stored instead of bytes.")


def _damaged(what: str) -> DecryptionError:
    return DecryptionError(f"{what} is damaged, or was encrypted by a newer version of graphrt.")
