"""Which tag stands for which type: the closed world that bytes are read in.

Nothing in the data can make a class known. Four ways in: the built-ins (always), `graphrt.serde.register` (for the
whole process), `TypeRegistry.register` (for one graph), and `register_schema` (what a graph declares). A declared class
stands for its subclasses too, as far as the program has loaded them: `list[Shape]` may hold a `Circle`. That holds for
the user's own classes only; an annotation such as `BaseModel` or `object` opens nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping

from graphrt.serde.builtin import BUILT_IN_TAGS, BUILT_IN_TYPES, UNTAGGED
from graphrt.serde.codec import Codec, Decode, Encode, type_name
from graphrt.serde.derive import derive
from graphrt.serde.foreign import foreign_codec
from graphrt.serde.never import never_stored
from graphrt.serde.registration import add, registered, taken
from graphrt.serde.schema import is_typeddict, reachable_classes
from graphrt.serde.shared import SHARED

__all__ = ["TypeRegistry"]

_LIBRARIES = frozenset({*sys.stdlib_module_names, "attr", "attrs", "graphrt", "msgspec", "numpy", "pydantic"})
"""Packages whose classes do not stand for their subclasses: that would be everybody's."""


class TypeRegistry:
    """Tags and types of one graph; the built-ins and what the whole process shares are always there."""

    def __init__(self) -> None:
        self._types = BUILT_IN_TYPES.copy()
        self._tags = BUILT_IN_TAGS.copy()
        self._declared: set[type] = set()
        self._changes = 0

    @property
    def changes(self) -> int:
        """How often something was registered: what was found out about types holds while this stays the same."""
        return self._changes + SHARED.changes

    def register(
        self,
        tag: str,
        typ: type,
        *,
        encode: Encode | None = None,
        decode: Decode | None = None,
        version: int = 1,
        upgrade: Mapping[int, Decode] | None = None,
    ) -> None:
        """Write values of exactly `typ` under `tag` in this graph: `graphrt.serde.register` says what may be given.

        Raises:
            ValueError: the tag or the type is taken, `tag` is empty or starts with '!', one of `encode` and `decode` is
                missing, or there are versions without an upgrade.
            TypeError: the class does not describe itself.

        Example:
            >>> graph.serializer.registry.register(
            ...     "money", Money, encode=vars, decode=lambda body: Money(**body)
            ... )
        """
        codec, former = registered(tag, typ, encode, decode, version, upgrade)
        other = self._tags.get(tag) or SHARED.tags.get(tag)
        if other is not None:
            raise taken(tag, other.typ)
        if typ in self._types or typ in UNTAGGED or typ in SHARED.types:
            raise ValueError(f"{type_name(typ)} is registered already")
        self._add(codec, former)

    def register_schema(self, schema: object) -> None:
        """Register the classes that the annotations of `schema` reach, under 'module:qualname'.

        Classes that are registered already keep their tag; classes that do not describe themselves are left out.

        Raises:
            ValueError: two classes have the same name.
        """
        for typ in reachable_classes(schema):
            if typ.__module__.partition(".")[0] not in _LIBRARIES:
                self._declared.add(typ)
            if typ.__module__ != "builtins" and not self._known(typ) and not is_typeddict(typ):
                self._adopt(typ)

    def unserializable(self, schema: object) -> list[tuple[str, object]]:
        """What the annotations of `schema` name that no registration would make storable: locks, callables, streams.

        Asks annotations only, and changes nothing: for a check before anything runs. Each item is the path of a field,
        such as `jobs[].done`, and the annotation found there. Classes that are merely not registered are not told.

        Example:
            >>> registry.unserializable(State)
            [('on_done', typing.Callable[[int], str])]
        """
        return [
            *never_stored(schema, lambda typ: self._types.get(typ) or SHARED.types.get(typ) or derive(typ))
        ]

    def _known(self, typ: type) -> bool:
        return typ in self._types or typ in SHARED.types

    def _adopt(self, typ: type) -> None:
        codec = derive(typ)
        if codec is not None:
            other = self._tags.get(codec.tag)
            if other is not None and other.typ is not typ:
                raise taken(codec.tag, other.typ)
            self._add(codec, None)

    def _add(self, codec: Codec, former: Codec | None) -> None:
        add(self._types, self._tags, codec, former)
        self._changes += 1

    def tags(self) -> frozenset[str]:
        """Every tag that can be read."""
        return frozenset(self._tags.keys() | SHARED.tags.keys())

    def by_type(self, typ: type) -> Codec | None:
        """The codec for values of exactly this type.

        Raises:
            ValueError: it is shared under a tag that stands for another type in this graph.
        """
        codec = self._types.get(typ) or self._shared(typ) or foreign_codec(typ)
        if codec is None and not self._declared.isdisjoint(typ.__mro__):
            self.register_schema(typ)
            codec = self._types.get(typ)
        return codec

    def _shared(self, typ: type) -> Codec | None:
        codec = SHARED.types.get(typ)
        if codec is not None:
            own = self._tags.get(codec.tag)
            if own is not None and own.typ is not typ:  # what is written now would be read as the other type
                raise taken(codec.tag, own.typ)
        return codec

    def by_tag(self, tag: str) -> Codec | None:
        """The codec that a stored tag stands for."""
        codec = self._tags.get(tag) or SHARED.tags.get(tag)
        if codec is None:
            for typ in self._subclasses():
                if type_name(typ) == tag:
                    self.register_schema(typ)
            codec = self._tags.get(tag)
        return codec

    def _subclasses(self) -> Iterator[type]:
        todo = list(self._declared)
        seen: set[type] = set()
        while todo:
            subclasses: list[type] = type.__subclasses__(todo.pop())
            for typ in subclasses:
                if typ not in seen:
                    seen.add(typ)
                    todo.append(typ)
                    yield typ
