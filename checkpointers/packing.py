"""Records to what columns hold, and back.

Texts go through `plain`, for Postgres has no NUL in a text and UTF-8 no lone surrogate.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from math import isfinite
from typing import Any, Final

import msgspec

from graphrt.checkpoint import ChannelData, Source, TaskResult
from graphrt.errors import DeserializationError

__all__ = ["UUID_SIZE", "digest", "merged", "pack_id", "pack_metadata", "pack_names", "pack_results", "plain",
           "restored", "source_of", "unpack_id", "unpack_metadata", "unpack_names", "unpack_results"]  # fmt: skip

# ---- text

_ODD: Final = re.compile("[\x00\x1a\ud800-\udfff]")
_MARKED: Final = re.compile("\x1a([0-9a-f]{4})")


def plain(text: str) -> str:
    """The same with every character that cannot be stored written as a code."""
    return text if _ODD.search(text) is None else _ODD.sub(lambda found: f"\x1a{ord(found[0]):04x}", text)


def restored(text: str) -> str:
    """The text that `plain` was given."""
    return text if "\x1a" not in text else _MARKED.sub(lambda found: chr(int(found[1], 16)), text)


@lru_cache(1024)
def pack_names(names: tuple[str, ...]) -> str | None:
    """Names of nodes as JSON; None for none."""
    return json.dumps([plain(name) for name in names], ensure_ascii=False, separators=(",", ":")) if names else None


@lru_cache(1024)
def unpack_names(text: str | None) -> tuple[str, ...]:
    """The names that were packed."""
    return tuple([restored(name) for name in json.loads(text)]) if text is not None else ()


# ---- ids

UUID_SIZE: Final = 16
"""Bytes; an id that is no UUID never packs into so many."""


@lru_cache(1024)
def pack_id(identity: str) -> bytes:
    """The 16 bytes of a UUID in its usual form; any other text as it is, behind a NUL."""
    try:
        packed = bytes.fromhex(identity.replace("-", ""))
    except ValueError:
        packed = b""
    if len(packed) == UUID_SIZE and unpack_id(packed) == identity:
        return packed
    packed = b"\0" + plain(identity).encode()
    return packed if len(packed) != UUID_SIZE else b"\0" + packed


def unpack_id(packed: bytes) -> str:
    """The id that was packed. UUIDs sort as their bytes do."""
    if len(packed) != UUID_SIZE:
        return restored(packed.lstrip(b"\0").decode())
    text = packed.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


# ---- metadata

_FLOAT: Final = "\x1afloat"  # no packed key begins so


def pack_metadata(metadata: Mapping[str, Any]) -> str | None:
    """Scalars as a JSON object; None for none."""
    if not metadata:
        return None
    return json.dumps({plain(key): _scalar(value) for key, value in metadata.items()}, ensure_ascii=False)


def unpack_metadata(text: str | None) -> dict[str, Any]:
    """The scalars that were packed, with their types."""
    if text is None:
        return {}
    found: dict[str, Any] = json.loads(text)
    return {restored(key): _restored_scalar(value) for key, value in found.items()}


def _scalar(value: Any) -> Any:
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, float) and not isfinite(value):
        return {_FLOAT: str(value)}  # JSON has no word for it
    return value


def _restored_scalar(value: Any) -> Any:
    match value:
        case str():
            return restored(value)
        case {"\x1afloat": str(text)}:
            return float(text)
        case _:
            return value


# ---- results

SOURCES: Final[Mapping[str, Source]] = {"i": "input", "l": "loop", "u": "update", "f": "fork"}
_PULL: Final = "~__pregel_pull, "  # how nearly every path begins; the node's name follows
_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(list[list[Any]]).decode


def digest(path: str) -> bytes:
    """What a task is called in an index: paths of nested tasks have no length limit."""
    return blake2b(path.encode(errors="surrogatepass"), digest_size=16).digest()


def pack_results(results: Sequence[TaskResult]) -> bytes | None:
    """Results as MessagePack; None for none. A usual path is not written out, an error only if there is one."""
    return _encode([_listed(result) for result in results]) if results else None


def _listed(result: TaskResult) -> list[Any]:
    path = result.path if result.path != _PULL + result.node else None
    listed: list[Any] = [
        path if path is None else plain(path),
        plain(result.node),
        [item for write in result.writes for item in (plain(write.channel), write.data)],
    ]
    if result.error is not None:
        listed.append(plain(result.error))
    return listed


def unpack_results(data: bytes | None, child: str | None = None) -> list[TaskResult]:
    """The results that were packed, which came with the commit of `child`.

    Raises:
        DeserializationError: the bytes are damaged.
    """
    if data is None:
        return []
    try:
        return [_result(listed, child) for listed in _decode(data)]
    except (msgspec.DecodeError, ValueError, TypeError, AttributeError, UnicodeDecodeError) as error:
        raise DeserializationError(f"Stored results of tasks are damaged: {error}") from None


def _result(listed: list[Any], child: str | None) -> TaskResult:
    path, node, items, *error = listed
    node = restored(node)
    writes = tuple(
        [ChannelData(restored(name), _bytes(data)) for name, data in zip(items[::2], items[1::2], strict=True)]
    )
    return TaskResult(
        restored(path) if path is not None else _PULL + node, node, writes, restored(*error) if error else None, child
    )


def _bytes(data: Any) -> bytes | None:
    if data is not None and not isinstance(data, bytes):
        raise TypeError("a value is not bytes")
    return data


def merged(results: Iterable[TaskResult]) -> tuple[TaskResult, ...]:
    """One result per task, in task order: the first that is there, unless it is an error and a newer one is too."""
    known: dict[str, TaskResult] = {}
    for result in results:
        before = known.get(result.path)
        if before is None or before.error is not None:
            known[result.path] = result
    return tuple([known[path] for path in sorted(known)])


def source_of(letter: str) -> Source:
    """The word behind a letter.

    Raises:
        DeserializationError: there is none.
    """
    try:
        return SOURCES[letter]
    except KeyError:
        raise DeserializationError(f"A stored checkpoint has the unknown source {letter!r}.") from None


