"""From any serialisable value to one that MessagePack keeps exactly: the walk that `dumps` takes before encoding.

- What needs no tag is returned as it is, the same object; a container is copied only if something in it changed.
- Types are compared by identity. msgspec would write a tuple, a dataclass or a list subclass as an array or a map
  without a word; here every type that is not an exact atom, list or dict goes through its codec or is refused.
- The walk trusts ints to fit and strings to be valid Unicode, because msgspec refuses those that are not; then the
  caller starts again with `careful=True`, which looks at each.
- The way down carries no path: a refusal collects it on the way up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from msgspec.msgpack import Encoder, Ext

from graphrt.serde.codec import Codec
from graphrt.serde.failures import RemoteError, remote
from graphrt.serde.layouts import Layouts
from graphrt.serde.plain import are_plain_dicts, is_plain
from graphrt.serde.refused import Refused, shown, too_deep, unregistered
from graphrt.serde.registry import TypeRegistry
from graphrt.serde.together import MANY_TAGGED, batch, laid_dict, tagging
from graphrt.serde.wire import ATOMS, EXT_CODE, MAX_DEPTH, UnknownValue, type_of

__all__ = ["Lowerer"]

_LONGEST_SPARE = 1 << 20

Lowering: TypeAlias = "Callable[[Lowerer, Any, int], Any]"


class Lowerer:
    """One way of walking: `plain` types pass, every other type has a function in `table`."""

    def __init__(self, registry: TypeRegistry, layouts: Layouts, *, careful: bool) -> None:
        self.careful = careful
        self.plain = ATOMS - {int, str} if careful else ATOMS
        encoder = Encoder(uuid_format="bytes")
        self.encode = encoder.encode
        self._encode_into = encoder.encode_into
        self._spare: list[bytearray] = []
        self.layouts = layouts
        self.table = _Table(registry, careful=careful)

    def lower(self, value: Any, depth: int = 0) -> Any:
        """`value` itself, or a copy in which everything that is not plain is tagged."""
        typ = type_of(value)
        return value if typ in self.plain else self.table[typ](self, value, depth)

    def tagged(self, tag: str, version: int, body: Any) -> Ext:
        """A lowered body under its tag."""
        return Ext(EXT_CODE, self.encode([tag, version, body]))

    def tagged_at_length(self, tag: str, version: int, body: Any) -> Ext:
        """The same for a body that may be long: in a buffer that `take_back` may find again.

        A second fresh buffer of 100 KB, beside that of the result, costs as much as encoding does: the allocator gives
        the memory back to the system each time, and gets it again page by page.
        """
        try:
            buffer = self._spare.pop()
        except IndexError:
            buffer = bytearray()
        self._encode_into([tag, version, body], buffer)
        return Ext(EXT_CODE, buffer)

    def take_back(self, written: object) -> None:
        """Keep the buffer of a value that has been encoded, for the next one."""
        if type(written) is not Ext or self._spare:
            return
        buffer: object = written.data
        if type(buffer) is bytearray and len(buffer) < _LONGEST_SPARE:
            self._spare.append(buffer)


class _Table(dict[type, Lowering]):
    """What to do with a value of a type; filled from the registry when the type is first met."""

    def __init__(self, registry: TypeRegistry, *, careful: bool) -> None:
        super().__init__({list: _list, dict: _dict, UnknownValue: _unknown})
        if careful:
            self.update({int: _int, str: _str, dict: _careful_dict})
        self._codecs: dict[type, Codec] = {}
        self._registry = registry

    def __missing__(self, typ: type) -> Lowering:
        codec = self._registry.by_type(typ)
        if codec is None:
            return (
                _remote if issubclass(typ, BaseException) else _refuse
            )  # not kept: it may yet be registered
        lowering: Lowering
        if issubclass(typ, BaseException) and codec.tag.startswith("!") and typ is not RemoteError:
            lowering = _exception(codec)
        elif typ in (set, frozenset):
            lowering = _set(codec.tag)
        else:
            lowering = tagging(codec)
            self._codecs[typ] = codec
        self[typ] = lowering
        return lowering

    def tagging(self, typ: type) -> Codec | None:
        """The codec of a type whose values get its tag and nothing else, so that many of them can share it."""
        if typ not in self:
            self[typ]  # fills both
        return self._codecs.get(typ)


def _list(walk: Lowerer, value: list[Any], depth: int) -> Any:
    """The list as it is, if nothing in it needs a tag; all of one type together; else item by item."""
    if depth >= MAX_DEPTH:
        raise too_deep(value)
    if not value:
        return value
    first = type_of(value[0])
    if first in walk.plain:
        if walk.plain.issuperset(map(type, value)):  # stops at the first that is not
            return value
    elif first is dict:
        if not walk.careful and are_plain_dicts(value, depth + 1):
            return value
    elif first is not list and len(value) > 1:
        together = batch(walk, value, depth)
        if together is not None:
            return together
    return _items(walk, value, depth)


def _items(walk: Lowerer, value: list[Any], depth: int) -> Any:
    plain, table = walk.plain, walk.table
    changed: list[Any] | None = None
    index = -1
    for item in value:
        index += 1
        typ = type_of(item)
        if typ in plain:
            continue
        try:
            lowered = table[typ](walk, item, depth + 1)
        except Refused as refused:
            refused.inside(f"[{index}]", value)
            raise
        if lowered is not item:
            if changed is None:
                changed = value.copy()
            changed[index] = lowered
    return value if changed is None else changed


def _dict(walk: Lowerer, value: dict[Any, Any], depth: int) -> Any:
    if depth >= MAX_DEPTH:
        raise too_deep(value)
    if not walk.careful and is_plain(value, depth):
        return value
    plain, table = walk.plain, walk.table
    changed: dict[Any, Any] | None = None
    for key, item in value.items():
        if type(key) is not str:
            return _pairs(walk, value, depth)
        typ = type_of(item)
        if typ in plain:
            continue
        if len(value) >= MANY_TAGGED and changed is None and typ is not list and typ is not dict:
            together = laid_dict(walk, value, typ, depth)
            if together is not None:
                return together
        try:
            lowered = table[typ](walk, item, depth + 1)
        except Refused as refused:
            refused.inside(f"[{shown(key)}]", value)
            raise
        if lowered is not item:
            if changed is None:
                changed = value.copy()
            changed[key] = lowered
    return value if changed is None else changed


def _careful_dict(walk: Lowerer, value: dict[Any, Any], depth: int) -> Any:
    if all(type(key) is not str or _is_unicode(key) for key in value):
        return _dict(walk, value, depth)
    return _pairs(walk, value, depth)


def _pairs(walk: Lowerer, value: dict[Any, Any], depth: int) -> Ext:
    """A dict whose keys are not all plain strings: a list of keys and a list of values."""
    if depth >= MAX_DEPTH:
        raise too_deep(value)
    keys: list[Any] = []
    items: list[Any] = []
    for key, item in value.items():
        step = "<key {}>"
        try:
            keys.append(walk.lower(key, depth + 1))
            step = "[{}]"
            items.append(walk.lower(item, depth + 1))
        except Refused as refused:
            refused.inside(step.format(shown(key)), value)
            raise
    return walk.tagged("!dict", 1, [keys, items])


def _set(tag: str) -> Lowering:
    """Items in the order of their bytes, so that equal sets have equal bytes in every process."""

    def lowering(walk: Lowerer, value: set[Any] | frozenset[Any], depth: int) -> Ext:
        if depth >= MAX_DEPTH:
            raise too_deep(value)
        items: list[Any] = []
        for item in value:
            try:
                items.append(walk.lower(item, depth + 1))
            except Refused as refused:
                refused.inside("{...}", value)
                raise
        return walk.tagged(tag, 1, sorted(items, key=walk.encode))

    return lowering


def _exception(codec: Codec) -> Lowering:
    """A built-in exception, or a stand-in if what it carries cannot be written."""
    lower = tagging(codec)

    def lowering(walk: Lowerer, value: BaseException, depth: int) -> Any:
        try:
            return lower(walk, value, depth)
        except Refused:
            return _remote(walk, value, depth)

    return lowering


def _remote(walk: Lowerer, value: BaseException, depth: int) -> Any:
    return walk.table[RemoteError](walk, remote(value), depth)


def _int(walk: Lowerer, value: int, depth: int) -> Any:
    return value if -(1 << 63) <= value < 1 << 64 else walk.tagged("!int", 1, hex(value))


def _str(walk: Lowerer, value: str, depth: int) -> Any:
    return value if _is_unicode(value) else walk.tagged("!str", 1, value.encode("utf-8", "surrogatepass"))


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _unknown(walk: Lowerer, value: UnknownValue, depth: int) -> Any:
    raise Refused(
        f"no class is registered for the tag {value.tag!r}, and what loads_raw() shows cannot be stored again",
        value,
    )


def _refuse(walk: Lowerer, value: object, depth: int) -> Any:
    raise unregistered(value)
