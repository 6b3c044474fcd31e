"""Classes that a schema reaches: what a graph may keep in its state is what its annotations name."""

from __future__ import annotations

import enum
import inspect
import sys
import typing
from collections.abc import Iterator
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

from graphrt.serde.models import model_hints
from graphrt.serde.wire import ATOMS

__all__ = ["field_hints", "is_typeddict", "parts_of", "reachable_classes"]


def is_typeddict(typ: type) -> bool:
    """Whether `typ` describes plain dicts (of `typing` or `typing_extensions`): there are no instances of it."""
    return dict in typ.__mro__ and hasattr(typ, "__total__") and hasattr(typ, "__required_keys__")


def reachable_classes(schema: object) -> Iterator[type]:
    """Every class in the annotations of `schema`, of its fields, and so on; each once.

    Unresolvable names (imports under TYPE_CHECKING) are passed over: a value of such a class is refused when it is
    first written, with a message that says to register it.
    """
    seen: set[int] = set()
    keep: list[object] = []  # ids stay valid while the objects live
    todo = [schema]
    while todo:
        item = todo.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        keep.append(item)
        if isinstance(item, type) and typing.get_origin(item) is None:  # list[int] passes for a type
            yield item
            todo.extend(hint for _, hint in field_hints(item))
        else:
            todo.extend(parts_of(item))


def parts_of(annotation: Any) -> Iterator[object]:
    """What an annotation that is not a class is made of."""
    if isinstance(annotation, enum.Enum):  # inside Literal
        yield type(annotation)
        return
    if isinstance(annotation, typing.TypeVar):
        yield from (annotation.__bound__, *annotation.__constraints__)
        return
    for name in ("__supertype__", "__value__", "__origin__"):  # NewType, type aliases, generics
        with suppress(AttributeError, NameError):  # a lazy alias may name what does not exist yet
            yield getattr(annotation, name)
    if typing.get_origin(annotation) is typing.Annotated:
        return  # what comes after the type is data
    yield from (arg for arg in typing.get_args(annotation) if type(arg) not in ATOMS)


def field_hints(cls: Any) -> Iterator[tuple[str, object]]:
    """Names and annotations of a class's fields, with forward references resolved where they can be."""
    if cls.__module__ == "builtins":
        return
    for base in cls.__mro__:
        for name, hint in _annotations(base).items():
            yield name, _resolved(base, name, hint)
    yield from model_hints(cls)  # pydantic has resolved names that nobody else can see


def _annotations(cls: type) -> dict[str, Any]:
    try:
        return inspect.get_annotations(cls)
    except NameError:  # annotations are evaluated on demand (Python 3.14), and one cannot be
        return {}


def _resolved(cls: type, name: str, hint: Any) -> object:
    """One annotation by itself: a name that does not resolve must not hide the others."""
    holder = SimpleNamespace(__annotations__={name: hint})
    module = sys.modules.get(cls.__module__)
    names = {cls.__name__: cls, **vars(cls)}
    try:
        return typing.get_type_hints(holder, vars(module) if module else {}, names, include_extras=True)[name]
    except Exception:  # whatever evaluating a stranger's annotation may raise
        return None
