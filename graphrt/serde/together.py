"""Tagged values, one by one or many together, so that what they share is written once.

Many values of one type share its tag (`!list`). Records whose fields hold more than plain values share their layout,
and msgspec writes all of them at once (`!layout`). Lists of several types are written type by type, with the order
beside them (`!mixed`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec.msgpack import Ext

from graphrt.serde.codec import Codec, type_name
from graphrt.serde.column import Look
from graphrt.serde.layouts import Root
from graphrt.serde.plain import is_plain
from graphrt.serde.refused import Refused, too_deep
from graphrt.serde.wire import ATOMS, LAYOUT, MANY, MAX_DEPTH, MIXED, type_of

if TYPE_CHECKING:
    from graphrt.serde.lower import Lowerer

__all__ = ["MANY_TAGGED", "batch", "laid_dict", "tagging"]

Tagged: TypeAlias = tuple[str, int, Any]
"""Tag, version and a body that is lowered and not yet encoded."""

_SAVED = 16
"""Bytes that a layout saves, at least, for each value that would need a tag."""

MANY_TAGGED = 8
"""Values with a tag in one place from which a layout may be smaller than their tags."""

_MIXED_FROM = 4
"""Values of each type, on average, from which writing them type by type is smaller and faster."""


def tagging(codec: Codec) -> Callable[[Lowerer, Any, int], Ext]:
    """For most types: encode, lower what came out, put the tag on."""
    tag, version, native, typ = codec.tag, codec.version, codec.native, codec.typ

    def lowering(walk: Lowerer, value: Any, depth: int) -> Ext:
        if depth >= MAX_DEPTH:
            raise too_deep(value)
        if native is not None and not walk.careful:
            if native.is_flat(value, depth):
                return walk.tagged(tag, version, value)
            laid = _laid_one(walk, typ, value, depth)
            if laid is not None:
                return walk.tagged_at_length(*laid)
        return walk.tagged(tag, version, _body(walk, codec, value, depth))

    return lowering


def _laid_one(walk: Lowerer, typ: type, value: Any, depth: int) -> Tagged | None:
    """A record by itself: looked at as a layout only if a field holds enough to make up for it."""
    laid = walk.layouts.of(typ)
    if laid is None:
        return None
    try:
        if not any(len(held(value)) >= MANY_TAGGED for held in laid.holders):
            return None
    except (AttributeError, TypeError):  # not set, or no container
        return None
    return _laid(walk, typ, "one", value, (value,), depth)


def batch(walk: Lowerer, values: list[Any], depth: int) -> Ext | None:
    """A list of two or more values that all get a tag and nothing else; None for any other list."""
    types = [*map(type, values)]
    kinds = set(types)
    if not ATOMS.isdisjoint(kinds):
        return None
    codecs = [codec for kind in kinds if (codec := walk.table.tagging(kind)) is not None]
    if len(codecs) < len(kinds):
        return None
    if len(kinds) == 1:
        return walk.tagged_at_length(*_many(walk, codecs[0], values, depth))
    return _mixed(walk, types, values, depth) if len(kinds) * _MIXED_FROM <= len(values) else None


def laid_dict(walk: Lowerer, value: dict[str, Any], typ: type, depth: int) -> Ext | None:
    """A dict of `MANY_TAGGED` or more records of one class, by their layout; None for any other dict."""
    if (
        walk.careful
        or {typ}.symmetric_difference(map(type, value.values()))
        or {str} != set(map(type, value))
    ):
        return None
    codec = walk.table.tagging(typ)
    if codec is None or codec.native is None:
        return None
    laid = _laid(walk, typ, "dict", value, [*value.values()], depth + 1)
    return None if laid is None else walk.tagged_at_length(*laid)


def _laid(
    walk: Lowerer, typ: type, root: Root, value: Any, records: Sequence[Any], depth: int
) -> Tagged | None:
    """A value made of these records as msgspec writes it, if they fit their layout and it makes up for its size."""
    laid = walk.layouts.of(typ)
    if laid is None:
        return None
    look, header = Look(), laid.headers[root]
    if not laid.columns.fit(records, look, depth) or look.tagged * _SAVED < len(header):
        return None
    return LAYOUT, 1, [header, value]


def _many(walk: Lowerer, codec: Codec, values: list[Any], depth: int) -> Tagged:
    """A list of values of one type: the tag is written once."""
    if depth + 1 >= MAX_DEPTH:
        raise too_deep(values)
    if codec.native is not None and not walk.careful:
        if len(values) >= MANY_TAGGED and not codec.native.declared:
            laid = _laid(walk, codec.typ, "list", values, values, depth + 1)
            if laid is not None:
                return laid
        flat = codec.native.flat(values, depth + 1)
        if flat is not None:
            return MANY, 1, [codec.tag, codec.version, flat]
    bodies: list[Any] = []
    for index, value in enumerate(values):
        try:
            bodies.append(_body(walk, codec, value, depth + 1))
        except Refused as refused:
            refused.inside(f"[{index}]", values)
            raise
    return MANY, 1, [codec.tag, codec.version, bodies]


def _mixed(walk: Lowerer, types: Sequence[type], values: list[Any], depth: int) -> Ext | None:
    places = {kind: place for place, kind in enumerate(dict.fromkeys(types))}
    if len(places) > 256:  # a place is written as a byte
        return None
    groups: list[Tagged] = []
    for kind in places:
        codec = walk.table.tagging(kind)
        assert codec is not None
        try:
            groups.append(_many(walk, codec, [value for value in values if type(value) is kind], depth))
        except Refused:  # the path to what is refused is found item by item
            return None
    return walk.tagged_at_length(MIXED, 1, [bytes([places[kind] for kind in types]), groups])


def _body(walk: Lowerer, codec: Codec, value: Any, depth: int) -> Any:
    try:
        body = codec.encode(value)
    except Exception as error:
        raise Refused(f"{type_name(codec.typ)} cannot be written: {error}", value) from error
    typ = type_of(body)
    if typ not in walk.plain and (walk.careful or not is_plain(body, depth)):
        try:
            body = walk.table[typ](walk, body, depth)
        except Refused as refused:
            refused.rename(codec)
            refused.inside("", value)
            raise
    if codec.native is not None:
        body = _with_tagged_ints(walk, body, codec.native.floats)
    return body


def _with_tagged_ints(walk: Lowerer, body: dict[str, Any], floats: frozenset[str]) -> dict[str, Any]:
    """Fields declared float hold floats on the wire, or something that is refused when read as a float."""
    for name in floats:
        item = body.get(name)
        if type(item) is int:
            body = {**body, name: walk.tagged("!int", 1, hex(item))}
    return body
