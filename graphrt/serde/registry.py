"""Which tag stands for which type: the closed world that bytes are read in.

Nothing in the data can make a class known. Three ways in: the built-ins (always), `register` (explicit), and
`register_schema` (what a graph declares). A declared class stands for its subclasses too, as far as the program has
loaded them: `list[Shape]` may hold a `Circle`. That holds for the user's own classes only; an annotation such as
`BaseModel` or `object` opens nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping

from graphrt.serde.codec import Codec, Decode, Encode, type_name
from graphrt.serde.derive import derive
from graphrt.serde.failures import failure_codecs
from graphrt.serde.foreign import foreign_codec, foreign_codecs
from graphrt.serde.schema import is_typeddict, reachable_classes
from graphrt.serde.standard import standard_codecs
from graphrt.serde.wire import ATOMS
from graphrt.serde.words import word_codecs

__all__ = ["TypeRegistry"]

_TYPES = {codec.typ: codec for codec in (*standard_codecs(), *failure_codecs(), *word_codecs())}
_TAGS = {codec.tag: codec for codec in (*_TYPES.values(), *foreign_codecs())}
_PLAIN = ATOMS | {list, dict}
_LIBRARIES = frozenset({*sys.stdlib_module_names, "attr", "attrs", "graphrt", "msgspec", "numpy", "pydantic"})
"""Packages whose classes do not stand for their subclasses: that would be everybody's."""


class TypeRegistry:
    """Tags and types of one graph; the built-ins are always there."""

    def __init__(self) -> None:
        self._types = _TYPES.copy()
        self._tags = _TAGS.copy()
        self._declared: set[type] = set()

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
        """Write values of exactly `typ` under `tag`. The tag goes into stored bytes: it has to stay.

        Without `encode` and `decode` the class has to describe itself: a dataclass, Struct, NamedTuple, enum, attrs
        class, pydantic model, exception, or a bare subclass of a built-in type. `encode` returns anything serialisable,
        `decode` gets that back. When the body changes, raise `version` and give `upgrade`: `upgrade[n]` turns a body of
        version n into one of version n + 1.

        Raises:
            ValueError: the tag or the type is taken, `tag` is empty or starts with '!', one of `encode` and `decode` is
                missing, or there are versions without an upgrade.
            TypeError: the class does not describe itself.

        Example:
            >>> registry.register(
            ...     "money", Money, encode=lambda m: [m.cents, m.currency], decode=lambda b: Money(*b)
            ... )
        """
        if not tag or tag.startswith("!"):
            raise ValueError(f"register({tag!r}): a tag is a text that does not start with '!'")
        if (encode is None) != (decode is None):
            raise ValueError(f"register({tag!r}): give both encode and decode, or neither")
        steps = dict(upgrade or {})
        if steps and set(steps) != set(range(min(steps), version)):
            raise ValueError(f"register({tag!r}): upgrade needs a function for each version before {version}")
        if tag in self._tags:
            raise _taken(self._tags[tag])
        if typ in self._types or typ in _PLAIN:
            raise ValueError(f"{type_name(typ)} is registered already")
        codec = Codec(tag, typ, encode, decode) if encode and decode else derive(typ, tag)
        if codec is None:
            raise TypeError(
                f"register({tag!r}): {type_name(typ)} does not say what it is made of; give encode= and decode="
            )
        self._add(
            Codec(
                tag, typ, codec.encode, codec.decode, version, codec.record, codec.steps, steps, codec.native
            )
        )

    def register_schema(self, schema: object) -> None:
        """Register the classes that the annotations of `schema` reach, under 'module:qualname'.

        Classes that are registered already keep their tag; classes that do not describe themselves are left out.

        Raises:
            ValueError: two classes have the same name.
        """
        for typ in reachable_classes(schema):
            if typ.__module__.partition(".")[0] not in _LIBRARIES:
                self._declared.add(typ)
            if typ.__module__ != "builtins" and typ not in self._types and not is_typeddict(typ):
                self._adopt(typ)

    def _adopt(self, typ: type) -> None:
        codec = derive(typ)
        if codec is not None:
            taken = self._tags.get(codec.tag)
            if taken is not None and taken.typ is not typ:
                raise _taken(taken)
            self._add(codec)

    def _add(self, codec: Codec) -> None:
        self._tags[codec.tag] = codec
        self._types[codec.typ] = codec

    def tags(self) -> frozenset[str]:
        """Every tag that can be read."""
        return frozenset(self._tags)

    def by_type(self, typ: type) -> Codec | None:
        """The codec for values of exactly this type."""
        codec = self._types.get(typ) or foreign_codec(typ)
        if codec is None and not self._declared.isdisjoint(typ.__mro__):
            self.register_schema(typ)
            codec = self._types.get(typ)
        return codec

    def by_tag(self, tag: str) -> Codec | None:
        """The codec that a stored tag stands for."""
        codec = self._tags.get(tag)
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


def _taken(codec: Codec) -> ValueError:
    return ValueError(
        f"The tag {codec.tag!r} already stands for {type_name(codec.typ)}. "
        "Register the other class under a tag of its own"
    )
