"""What a node's function can reach from outside of its own scope, so that graphs inside it are found (LangGraph M5).

Nothing is run: names are looked up where the function would look, attributes as they are stored. What a function gets
at in other ways (out of lists, as arguments) is not found; runs find their subgraphs without any of this.
"""

from __future__ import annotations

import dis
import inspect
from collections.abc import Callable, Iterator, Mapping
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any, Final, cast

from graphrt.core.shape import Shape, without_partials

__all__ = ["reachable"]

_MISSING: Final[Any] = object()
_DEPTH: Final = 4
"""Functions that are held by functions are looked into so deep: decorators and adapters hold what they call."""

_type: Callable[[object], type] = type
"""`type`, for which pyright has a precise but unusable result where the argument is Any."""


def reachable(action: Any, depth: int = _DEPTH) -> Iterator[Any]:
    """Values that `action` may use: what it is bound to and encloses, globals it names, attributes it reads of them.

    The same value may come several times, and one may come that the function never gets to.
    """
    action = without_partials(action)
    bound: Any = _MISSING
    if isinstance(action, MethodType):
        bound = action.__self__
        action = action.__func__
    elif not isinstance(action, FunctionType):
        bound = action
        action = getattr(_type(action), "__call__", action)  # noqa: B004
    if bound is not _MISSING:
        yield bound
    function = inspect.unwrap(action)
    if not isinstance(function, FunctionType):
        return
    enclosed = _enclosed(function)
    yield from enclosed.values()
    yield from _named(function, enclosed, bound)
    if depth:
        for value in enclosed.values():
            for inner in _functions(value):
                yield from reachable(inner, depth - 1)


def _functions(value: Any) -> Iterator[Callable[..., Any]]:
    """The functions that a closure's value holds: itself, a compiled step, or several of them."""
    if isinstance(value, Shape):
        yield value.call
    elif isinstance(value, (FunctionType, MethodType)):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in cast("list[Any]", value):
            if isinstance(item, Shape):
                yield item.call


def _enclosed(function: FunctionType) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:  # not assigned yet
            continue
    return found


def _named(function: FunctionType, enclosed: Mapping[str, Any], bound: Any) -> Iterator[Any]:
    """The globals that the function and the functions inside it name, and what they read of all that."""
    outside = function.__globals__
    this = (
        function.__code__.co_varnames[0] if bound is not _MISSING and function.__code__.co_varnames else None
    )
    codes = [function.__code__]
    for code in codes:
        codes += [constant for constant in code.co_consts if isinstance(constant, CodeType)]
        value: Any = _MISSING
        for instruction in dis.get_instructions(code):
            name = instruction.argval
            match instruction.opname:
                case "LOAD_GLOBAL":
                    value = outside.get(name, _MISSING)
                case "LOAD_DEREF":
                    value = enclosed.get(name, _MISSING)
                case "LOAD_ATTR" | "LOAD_METHOD":
                    value = _attribute(value, name)
                case loads if loads.startswith("LOAD_FAST"):  # one local variable, or two at once
                    value = bound if this == (name[-1] if isinstance(name, tuple) else name) else _MISSING
                case _:
                    value = _MISSING
                    continue
            if value is not _MISSING:
                yield value


def _attribute(value: Any, name: str) -> Any:
    """An attribute as it is stored: no property is run, and no module is loaded because somebody looks."""
    if value is _MISSING or isinstance(value, (str, int, float, bytes, type(None))):
        return _MISSING
    if isinstance(value, ModuleType):
        return vars(value).get(name, _MISSING)
    found = inspect.getattr_static(value, name, _MISSING)
    if inspect.ismemberdescriptor(found):  # a slot
        return getattr(value, name, _MISSING)
    return found
