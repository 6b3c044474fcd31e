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

from graphrt.serde.codec import Codec, type_name
from graphrt.serde.failures import RemoteError, remote
from graphrt.serde.refused import Refused
from graphrt.serde.registry import TypeRegistry
from graphrt.serde.wire import ATOMS, EXT_CODE, MANY, MAX_DEPTH, UnknownValue, type_of

__all__ = ["Lowerer"]

Lowering: TypeAlias = "Callable[[Lowerer, Any, int], Any]"


class Lowerer:
    """One way of walking: `plain` types pass, every other type has a function in `table`."""

    def __init__(self, registry: TypeRegistry, *, careful: bool) -> None:
        self.careful = careful
        self.plain = ATOMS - {int, str} if careful else ATOMS
        self.encode = Encoder().encode
        self.table = _Table(registry, careful=careful)

    def lower(self, value: Any, depth: int = 0) -> Any:
        """`value` itself, or a copy in which everything that is not plain is tagged."""
        typ = type_of(value)
        return value if typ in self.plain else self.table[typ](self, value, depth)


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
            lowering = _tagging(codec)
            self._codecs[typ] = codec
        self[typ] = lowering
        return lowering

    def tagging(self, typ: type) -> Codec | None:
        """The codec of a type whose values get its tag and nothing else, so that a list of them can share it."""
        if typ not in self:
            self[typ]  # fills both
        return self._codecs.get(typ)


def _list(walk: Lowerer, value: list[Any], depth: int) -> Any:
    if depth >= MAX_DEPTH:
        raise _too_deep(value)
    if not value:
        return value
    plain, table = walk.plain, walk.table
    first = type_of(value[0])
    if first in plain:
        if plain.issuperset(map(type, value)):  # stops at the first that is not
            return value
    elif first is not dict and first is not list and len(value) > 1:
        codec = table.tagging(first)
        if codec is not None and len(set(map(type, value))) == 1:
            return _many(walk, codec, value, depth)
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
        raise _too_deep(value)
    plain, table = walk.plain, walk.table
    changed: dict[Any, Any] | None = None
    for key, item in value.items():
        if type(key) is not str:
            return _pairs(walk, value, depth)
        typ = type_of(item)
        if typ in plain:
            continue
        try:
            lowered = table[typ](walk, item, depth + 1)
        except Refused as refused:
            refused.inside(f"[{key!r}]", value)
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
        raise _too_deep(value)
    keys: list[Any] = []
    items: list[Any] = []
    for key, item in value.items():
        step = "<key {}>"
        try:
            keys.append(walk.lower(key, depth + 1))
            step = "[{}]"
            items.append(walk.lower(item, depth + 1))
        except Refused as refused:
            refused.inside(step.format(repr(key)), value)
            raise
    return _tagged(walk, "!dict", 1, [keys, items])


def _set(tag: str) -> Lowering:
    """Items in the order of their bytes, so that equal sets have equal bytes in every process."""

    def lowering(walk: Lowerer, value: set[Any] | frozenset[Any], depth: int) -> Ext:
        if depth >= MAX_DEPTH:
            raise _too_deep(value)
        items: list[Any] = []
        for item in value:
            try:
                items.append(walk.lower(item, depth + 1))
            except Refused as refused:
                refused.inside("{...}", value)
                raise
        return _tagged(walk, tag, 1, sorted(items, key=walk.encode))

    return lowering


def _tagged(walk: Lowerer, tag: str, version: int, body: Any) -> Ext:
    return Ext(EXT_CODE, walk.encode([tag, version, body]))


def _tagging(codec: Codec) -> Lowering:
    """For most types: encode, lower what came out, put the tag on."""
    tag, version, native = codec.tag, codec.version, codec.native

    def lowering(walk: Lowerer, value: Any, depth: int) -> Ext:
        if depth >= MAX_DEPTH:
            raise _too_deep(value)
        as_it_is = native is not None and _may_be_native(walk, depth) and native.fits(value)
        body = value if as_it_is else _body(walk, codec, value, depth)
        return Ext(EXT_CODE, walk.encode([tag, version, body]))

    return lowering


def _many(walk: Lowerer, codec: Codec, values: list[Any], depth: int) -> Ext:
    """A list of values of one type: the tag is written once."""
    if depth + 1 >= MAX_DEPTH:
        raise _too_deep(values)
    if codec.native is not None and _may_be_native(walk, depth + 1) and codec.native.fits_all(values):
        return _tagged(walk, MANY, 1, [codec.tag, codec.version, values])
    bodies: list[Any] = []
    for index, value in enumerate(values):
        try:
            bodies.append(_body(walk, codec, value, depth + 1))
        except Refused as refused:
            refused.inside(f"[{index}]", values)
            raise
    return _tagged(walk, MANY, 1, [codec.tag, codec.version, bodies])


def _may_be_native(walk: Lowerer, depth: int) -> bool:
    """Nothing is to be looked at in detail, and a list inside the record is not too deep."""
    return not walk.careful and depth + 1 < MAX_DEPTH


def _body(walk: Lowerer, codec: Codec, value: Any, depth: int) -> Any:
    try:
        body = codec.encode(value)
    except Exception as error:
        raise Refused(f"{type_name(codec.typ)} cannot be written: {error}", value) from error
    typ = type_of(body)
    if typ not in walk.plain:
        try:
            body = walk.table[typ](walk, body, depth)
        except Refused as refused:
            refused.rename(codec)
            refused.inside("", value)
            raise
    if codec.native is not None:
        body = _with_tagged_ints(walk, body, codec.native.floats)
    return body


def _with_tagged_ints(walk: Lowerer, body: dict[str, Any], floats: tuple[str, ...]) -> dict[str, Any]:
    """Fields declared float hold floats on the wire, or something that is refused when read as a float."""
    for name in floats:
        item = body.get(name)
        if type(item) is int:
            body = {**body, name: _tagged(walk, "!int", 1, hex(item))}
    return body


def _exception(codec: Codec) -> Lowering:
    """A built-in exception, or a stand-in if what it carries cannot be written."""
    tagging = _tagging(codec)

    def lowering(walk: Lowerer, value: BaseException, depth: int) -> Any:
        try:
            return tagging(walk, value, depth)
        except Refused:
            return _remote(walk, value, depth)

    return lowering


def _remote(walk: Lowerer, value: BaseException, depth: int) -> Any:
    return walk.table[RemoteError](walk, remote(value), depth)


def _int(walk: Lowerer, value: int, depth: int) -> Any:
    return value if -(1 << 63) <= value < 1 << 64 else _tagged(walk, "!int", 1, hex(value))


def _str(walk: Lowerer, value: str, depth: int) -> Any:
    return value if _is_unicode(value) else _tagged(walk, "!str", 1, value.encode("utf-8", "surrogatepass"))


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
    typ = type_of(value)
    raise Refused(
        f"{type_name(typ)} is not a registered type. Name the class in the annotations of the graph's state, or call "
        f"register(tag, {typ.__name__}, ...). What cannot be stored (connections, locks, functions) belongs into the "
        "run's context",
        value,
    )


def _too_deep(value: object) -> Refused:
    return Refused(f"it is nested deeper than {MAX_DEPTH} levels", value)
