"""Records to what the columns of a database hold, and back: what all of them have in common.

Texts go through `plain`, for no database keeps every string that Python has: Postgres has no NUL in a text, and
UTF-8 no lone surrogate. What comes back is checked, for whoever can write to the database can put anything there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from math import isfinite
from typing import Any, Final

import msgspec
from msgspec import Struct

from graphrt.checkpoint import ChannelData, Checkpoint, Source, TaskResult
from graphrt.errors import DeserializationError, SerializationError

__all__ = ["SOURCES", "checkpoint_of", "matches", "merged", "pack_id", "pack_metadata", "pack_names",
           "pack_results", "plain", "restored", "source_of", "unpack_id", "unpack_metadata", "unpack_names",
           "unpack_results"]  # fmt: skip

_to_json: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

# ---- text

_ODD: Final = re.compile("[\x00\x1a\ud800-\udfff]")
_MARKED: Final = re.compile("\x1a([0-9a-f]{4})")


def plain(text: str) -> str:
    """The same with every character that cannot be stored written as a code."""
    if text.isprintable():  # a tenth of what the search costs, and nearly always so
        return text
    return _ODD.sub(lambda found: f"\x1a{ord(found[0]):04x}", text)


def restored(text: str) -> str:
    """The text that `plain` was given."""
    return text if "\x1a" not in text else _MARKED.sub(lambda found: chr(int(found[1], 16)), text)


@lru_cache(1024)
def pack_names(names: tuple[str, ...]) -> str | None:
    """Names of nodes as JSON; None for none."""
    return _to_json([plain(name) for name in names]) if names else None


@lru_cache(1024)
def unpack_names(text: str | None) -> tuple[str, ...]:
    """The names that were packed.

    Raises:
        DeserializationError: the text is damaged.
    """
    if text is None:
        return ()
    try:
        return tuple([restored(name) for name in msgspec.json.decode(text, type=list[str])])
    except (ValueError, TypeError) as error:
        raise DeserializationError(f"Stored names of nodes are damaged: {error}") from None


# ---- ids

_UUID: Final = 16  # bytes; an id that is no UUID never packs into so many


@lru_cache(4096)
def pack_id(identity: str) -> bytes:
    """The 16 bytes of a UUID in its usual form; any other text as it is, behind a NUL."""
    try:
        packed = bytes.fromhex(identity.replace("-", ""))
    except ValueError:
        packed = b""
    if len(packed) == _UUID and unpack_id(packed) == identity:
        return packed
    packed = b"\0" + plain(identity).encode()
    return packed if len(packed) != _UUID else b"\0" + packed


def unpack_id(packed: bytes) -> str:
    """The id that was packed. UUIDs sort as their bytes do.

    Raises:
        DeserializationError: the bytes are damaged.
    """
    try:
        if len(packed) != _UUID:
            return restored(packed.lstrip(b"\0").decode())
        text = packed.hex()
    except (UnicodeDecodeError, TypeError, AttributeError):
        raise DeserializationError("A stored checkpoint's id is damaged.") from None
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


# ---- metadata

_type: Callable[[object], type] = type
"""`type`, for which pyright has a precise but unusable result where the argument is Any."""

_FLOAT: Final = "\x1afloat"  # no packed key begins so
_INT: Final = "\x1aint"
_DIGITS: Final = 4096  # bits; Python does not read numbers of any length from decimal text


def pack_metadata(metadata: Mapping[str, Any]) -> str | None:
    """Scalars as a JSON object; None for none.

    Raises:
        SerializationError: a value has no JSON.
    """
    if not metadata:
        return None
    return _to_json({plain(key): _packed(value, key) for key, value in metadata.items()})


def unpack_metadata(text: str | None) -> dict[str, Any]:
    """The scalars that were packed, with their types.

    Raises:
        DeserializationError: the text is damaged.
    """
    if text is None:
        return {}
    try:
        found = _unpacked(json.loads(text))
        if _type(found) is not dict:
            raise TypeError("it is no object")
    except (ValueError, TypeError, RecursionError) as error:
        raise DeserializationError(f"A stored checkpoint's metadata are damaged: {error}") from None
    entries: dict[str, Any] = found
    return entries


def _packed(value: Any, path: str) -> Any:
    if isinstance(value, str):
        return plain(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if value.bit_length() < _DIGITS else {_INT: hex(value)}
    if isinstance(value, float):
        return value if isfinite(value) else {_FLOAT: str(value)}  # JSON has no word for it
    if _type(value) is list:
        return [_packed(item, f"{path}[{at}]") for at, item in enumerate(value)]
    if _type(value) is dict and {str}.issuperset(map(type, value)):
        return {plain(key): _packed(item, f"{path}.{key}") for key, item in value.items()}
    raise SerializationError(
        f"A checkpoint's metadata hold strings, numbers, booleans and None; {path!r} is {_type(value).__name__}.",
        path=path,
        type_name=_type(value).__name__,
    )


def _unpacked(value: Any) -> Any:
    if isinstance(value, str):
        return restored(value)
    if _type(value) is list:
        return [_unpacked(item) for item in value]
    if _type(value) is not dict:
        return value
    if len(value) == 1 and isinstance(text := value.get(_FLOAT), str):
        return float(text)
    if len(value) == 1 and isinstance(text := value.get(_INT), str):
        return int(text, 16)
    return {restored(key): _unpacked(item) for key, item in value.items()}


def matches(checkpoint: Checkpoint, wanted: Mapping[str, Any]) -> bool:
    """Has a checkpoint all these metadata, by Python's equality? Its source and step are among them."""
    if not wanted:
        return True
    found = {**checkpoint.metadata, "source": checkpoint.source, "step": checkpoint.step}
    return all(key in found and found[key] == value for key, value in wanted.items())


# ---- checkpoints

SOURCES: Final[Mapping[str, Source]] = {"i": "input", "l": "loop", "u": "update", "f": "fork"}
"""By their first letters, which is what is stored."""


def source_of(letter: str) -> Source:
    """The word behind a letter.

    Raises:
        DeserializationError: there is none.
    """
    try:
        return SOURCES[letter]
    except (KeyError, TypeError):
        raise DeserializationError(f"A stored checkpoint has the unknown source {letter!r}.") from None


def checkpoint_of(
    identity: bytes,
    parent: bytes | None,
    version: int,
    step: int,
    letter: str,
    following: str | None,
    ran: str | None,
    metadata: str | None,
) -> Checkpoint:
    """A checkpoint from its packed columns.

    Raises:
        DeserializationError: they are damaged.
    """
    if type(version) is not int or type(step) is not int:
        raise DeserializationError(f"A stored checkpoint has version {version!r} and step {step!r}.")
    return Checkpoint(
        unpack_id(identity),
        unpack_id(parent) if parent is not None else None,
        version,
        step,
        source_of(letter),
        unpack_names(following),
        unpack_names(ran),
        unpack_metadata(metadata),
    )


# ---- results

_PULL: Final = "~__pregel_pull, "  # how nearly every path begins; the node's name follows


class _Result(Struct, array_like=True, gc=False):
    """A result as it is stored. `path` is None for a usual one; `writes` are names and data by turns."""

    path: str | None
    node: str
    writes: list[Any]
    error: str | None = None


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(list[_Result]).decode


def pack_results(results: Sequence[TaskResult]) -> bytes | None:
    """Results as MessagePack, without `child`; None for none."""
    return _encode([_listed(result) for result in results]) if results else None


def _listed(result: TaskResult) -> list[Any]:
    listed: list[Any] = [
        None if result.path == _PULL + result.node else plain(result.path),
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
        return [_result(packed, child) for packed in _decode(data)]
    except (ValueError, TypeError) as error:
        raise DeserializationError(f"Stored results of tasks are damaged: {error}") from None


def _result(packed: _Result, child: str | None) -> TaskResult:
    node = restored(packed.node)
    return TaskResult(
        _PULL + node if packed.path is None else restored(packed.path),
        node,
        tuple([_write(*pair) for pair in zip(packed.writes[::2], packed.writes[1::2], strict=True)]),
        restored(packed.error) if packed.error is not None else None,
        child,
    )


def _write(name: Any, data: Any) -> ChannelData:
    if not isinstance(name, str) or not (data is None or isinstance(data, bytes)):
        raise TypeError("a write is no name with bytes")
    return ChannelData(restored(name), data)


def merged(results: Iterable[TaskResult]) -> tuple[TaskResult, ...]:
    """One result per task, in task order: the first that is there, unless it is an error and a newer one is too.

    Args:
        results: those appended to a checkpoint, and then those of the commits made from it, each in their order.
    """
    known: dict[str, TaskResult] = {}
    for result in results:
        before = known.get(result.path)
        if before is None or before.error is not None:
            known[result.path] = result
    return tuple([known[path] for path in sorted(known)])
