"""Values out of what lies in a layout: by the annotations of today's classes, or by what stands in front of the data.

Today's annotations are fast, because msgspec makes the objects; they are used if they say what the layout says. If a
class has changed, or is unknown, the data is decoded as plain MessagePack and every value made as its layout says: what
it was, and not what the class calls for today.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias
from uuid import UUID

import msgspec

from graphrt.errors import DeserializationError
from graphrt.serde.codec import checked
from graphrt.serde.layout import PLAIN_WORDS, WORDS, LaidClass, Layout
from graphrt.serde.layouts import Layouts
from graphrt.serde.registry import TypeRegistry
from graphrt.serde.wire import type_of

__all__ = ["Header", "current_type", "rebuilding"]

Header: TypeAlias = "tuple[list[LaidClass], Layout]"
Make: TypeAlias = Callable[[Any], Any]
"""A value from what was decoded for it."""
MakerOf: TypeAlias = Callable[[str, int], Make]
"""How to make values from bodies of this tag and version."""


def current_type(header: Header, registry: TypeRegistry, layouts: Layouts) -> Any:
    """The type by which msgspec decodes exactly what the layout says, None if there is none."""
    classes, root = header
    types: list[Any] = [_current(laid, classes, registry, layouts) for laid in classes]
    if None in types:
        return None
    many: Any = {"list": list, "dict": dict}
    match root:
        case int():
            return types[root]
        case [word, int(place)] if word in many:
            return many[word][types[place] if word == "list" else (str, types[place])]
        case _:
            return None


def _current(
    laid: LaidClass, classes: Sequence[LaidClass], registry: TypeRegistry, layouts: Layouts
) -> type | None:
    """The class, if it is today what it was when its records were written, as far as both have the same fields."""
    kind, tag, version, content = laid
    codec = registry.by_tag(tag)
    if codec is None or codec.version != version:
        return None
    if kind == "enum":
        return codec.typ if codec.members == content else None
    today = layouts.of(codec.typ)
    if today is None:
        return None
    fields = today.described.classes[0][3]
    same = all(
        _named(content[name], classes) == _named(fields[name], today.described.classes)
        for name in content.keys() & fields.keys()
    )
    return codec.typ if same else None


def _named(layout: Layout, classes: Sequence[LaidClass]) -> Any:
    """The layout with the tags of classes for their places, which depend on what else is there."""
    match layout:
        case int():
            return (classes[layout][1],)
        case ["or", *inner]:
            return ["or", *sorted([_named(one, classes) for one in inner], key=repr)]
        case [word, *inner]:
            return [word, *[_named(one, classes) for one in inner]]
        case _:
            return layout


def rebuilding(header: Header, maker_of: MakerOf) -> Make:
    """How to make the value out of plain MessagePack, as the layout says."""
    classes, root = header
    building = _Building(maker_of)
    building.classes = [building.of_class(laid) for laid in classes]
    return building.make(root) or _itself


class _Building:
    def __init__(self, maker_of: MakerOf) -> None:
        self._maker_of = maker_of
        self.classes: list[Make] = []

    def of_class(self, laid: LaidClass) -> Make:
        kind, tag, version, content = laid
        finish = self._maker_of(tag, version)
        match kind:
            case "enum":
                return _naming(tag, _members(content, finish))
            case "record":
                return _naming(tag, self._record(content, finish))
            case _:
                raise ValueError("neither a record nor an enum")

    def _record(self, fields: dict[str, Any], finish: Make) -> Make:
        steps: dict[str, Make] | None = None

        def make(body: Any) -> Any:
            nonlocal steps
            if steps is None:  # only now all classes are there
                steps = {name: step for name, layout in fields.items() if (step := self.make(layout))}
            for name in steps.keys() & checked(body, dict).keys():
                body[name] = steps[name](body[name])
            return finish(body)

        return make

    def make(self, layout: Layout) -> Make | None:
        """How to make what lies so, None where it is there already."""
        match layout:
            case int() if layout >= 0:
                return self.classes[layout]
            case "uuid":
                return lambda body: UUID(bytes=body)
            case str() if layout in WORDS:
                return partial(msgspec.convert, type=WORDS[layout])
            case str() if layout in PLAIN_WORDS or layout == "any":
                return None
            case [("list" | "tuple" | "dict") as word, item]:
                return _each(word, self.make(item))
            case ["fixed", *items]:
                return _fixed([self.make(item) for item in items])
            case ["or", *members]:
                return self._either(members)
            case _:
                raise ValueError("no layout")

    def _either(self, members: Sequence[Layout]) -> Make | None:
        """By how it lies in MessagePack: dicts, arrays, and whatever else is no plain value."""
        by_type: dict[type, Make | None] = {}
        otherwise: Make | None = None
        for member in members:
            match member:
                case ["list" | "tuple" | "fixed", *_]:
                    by_type[list] = self.make(member)
                case ["dict", *_]:
                    by_type[dict] = self.make(member)
                case str() if member in PLAIN_WORDS:
                    by_type[PLAIN_WORDS[member]] = None
                case _:
                    otherwise = self.make(member)
        if otherwise is None and not any(by_type.values()):
            return None

        def make(value: Any) -> Any:
            step = by_type.get(type_of(value), otherwise)
            return value if step is None else step(value)

        return make


def _members(values: dict[str, Any], finish: Make) -> Make:
    names = {value: name for name, value in reversed(values.items())}
    return lambda value: finish(names[value])


def _naming(tag: str, make: Make) -> Make:
    """The same, with errors that say what could not be made."""

    def named(body: Any) -> Any:
        try:
            return make(body)
        except DeserializationError:
            raise
        except Exception as error:  # whatever damaged bytes make a codec raise
            raise DeserializationError(f"Cannot read a stored {tag!r}: {error}", tag=tag) from error

    return named


def _itself(value: Any) -> Any:
    return value


def _each(word: str, item: Make | None) -> Make | None:
    if word == "dict":
        return item and (lambda body: {key: item(value) for key, value in checked(body, dict).items()})
    if word == "tuple":
        return lambda body: tuple(map(item, checked(body, list)) if item else checked(body, list))
    return item and (lambda body: [*map(item, checked(body, list))])


def _fixed(items: Sequence[Make | None]) -> Make:
    def make(body: Any) -> tuple[Any, ...]:
        parts = zip(items, checked(body, list), strict=True)
        return tuple([value if item is None else item(value) for item, value in parts])

    return make
