"""Which keys values are encrypted with, and how they are given without ever being shown.

New values get the current key; the others stay so that what they encrypted can be read. A key is rotated by putting a
new one in front.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Mapping
from os import environ
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from graphrt.errors import DecryptionError, GraphValidationError

__all__ = ["Keys"]

_SIZES: Final = (16, 24, 32)
_ID: Final = re.compile(r"[!-+\--9;-~]{1,64}")  # printable ASCII without `,` and `:`
_EXAMPLE: Final = "python -c 'import base64, os; print(base64.b64encode(os.urandom(32)).decode())'"


class Keys:
    """AES keys by id: 32 random bytes each, or 16 or 24.

    Ids are stored in the clear in front of every value, so short ones save space.

    Args:
        keys: the keys by id.
        current: the id of the one that encrypts; the first of `keys` by default.

    Raises:
        GraphValidationError: there is no key, one is not 16, 24 or 32 bytes long, or an id is not 1 to 64 printable
            ASCII characters without a space, a comma and a colon.

    Example:
        >>> Keys({"2025-11": new, "2024-02": old})
        Keys(current='2025-11', older=['2024-02'])
    """

    __slots__ = ("_keys", "current")

    def __init__(self, keys: Mapping[str, bytes], *, current: str | None = None) -> None:
        if not keys:
            raise GraphValidationError(f"Encryption needs a key. Make one: {_EXAMPLE}")
        for name, key in keys.items():
            if not _ID.fullmatch(name):
                raise GraphValidationError(
                    "A key's id is 1 to 64 printable ASCII characters without a space, a comma and a colon."
                )
            if len(key) not in _SIZES:
                raise GraphValidationError(
                    f"The key {name!r} is {len(key)} bytes long; AES needs 16, 24 or 32. Make one: {_EXAMPLE}"
                )
        if current is not None and current not in keys:
            raise GraphValidationError(f"The current key {current!r} is not among the keys {list(keys)}.")
        self._keys = {name: bytes(key) for name, key in keys.items()}
        self.current = next(iter(keys)) if current is None else current

    @classmethod
    def from_env(cls, name: str = "GRAPHRT_AES_KEY") -> Keys:
        """Keys from an environment variable, written as `from_text` says.

        Raises:
            GraphValidationError: the variable is not set, or does not hold keys.
        """
        text = environ.get(name, "")
        if not text.strip():
            raise GraphValidationError(
                f"Encryption needs a key in the environment variable {name}. Make one: {_EXAMPLE}"
            )
        return cls._read(text, name)

    @classmethod
    def from_text(cls, text: str) -> Keys:
        """Keys in base64, the current one first: `id:key`, or `key` alone, with commas or white space between.

        A key without an id gets one that follows from the key, so that adding a key in front is all there is to a
        rotation.

        Raises:
            GraphValidationError: the text does not hold keys. The message does not show it.
        """
        return cls._read(text, "the text")

    @classmethod
    def _read(cls, text: str, place: str) -> Keys:
        keys: dict[str, bytes] = {}
        for position, word in enumerate(re.split(r"[\s,]+", text.strip(" \t\r\n,")), 1):
            name, _, encoded = word.rpartition(":")
            try:
                key = b64decode(encoded.replace("-", "+").replace("_", "/"), validate=True)
            except ValueError:
                raise GraphValidationError(
                    f"Key number {position} in {place} is not base64. Make one: {_EXAMPLE}"
                ) from None
            if len(key) not in _SIZES:
                raise GraphValidationError(
                    f"Key number {position} in {place} is {len(key)} bytes long; AES needs 16, 24 or 32. "
                    f"Make one: {_EXAMPLE}"
                )
            if keys.setdefault(name or _fingerprint(key), key) != key:
                raise GraphValidationError(f"Two keys in {place} have the same id.")
        return cls(keys)

    def subkey(self, key_id: str, purpose: bytes) -> bytes:
        """A key of the same length for one purpose, from which nobody can tell the key itself.

        Raises:
            DecryptionError: there is no key with this id.
        """
        key = self._keys.get(key_id)
        if key is None:
            raise DecryptionError(
                f"A stored value was encrypted with the key {key_id!r}, which is not among the keys given "
                f"{list(self._keys)}. Give that key too; values are written with the current one."
            )
        return _derived(key, purpose, len(key))

    def __contains__(self, key_id: object) -> bool:
        return key_id in self._keys

    def __repr__(self) -> str:
        return (
            f"Keys(current={self.current!r}, older={[name for name in self._keys if name != self.current]})"
        )

    def __reduce__(self) -> str:
        raise TypeError("Keys are not pickled or copied: a key belongs in as few places as possible.")


def _fingerprint(key: bytes) -> str:
    return _derived(key, b"graphrt key id", 4).hex()


def _derived(key: bytes, purpose: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt=None, info=purpose).derive(key)
