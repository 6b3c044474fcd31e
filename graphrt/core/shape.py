"""How a user's callable wants to be called: found out once, when the graph is compiled (LangGraph G1, G3, G4)."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any, Final, get_type_hints

from msgspec import Struct

from graphrt.core.plan import Injection
from graphrt.errors import GraphValidationError

__all__ = [
    "Shape",
    "asks_for_injection",
    "callable_name",
    "first_parameter",
    "hints_of",
    "injected_as",
    "is_async_callable",
    "shape_of",
]

_INJECTED: Final = {
    "config": "RunnableConfig", "writer": "StreamWriter", "store": "BaseStore", "runtime": None, "previous": None,
}  # fmt: skip
"""Parameter name -> the name of the type it must be annotated with, if it is annotated; None for any type."""


class Shape(Struct, frozen=True):
    """A callable, whether it is async, and what it wants besides its input; `action` is what the user gave."""

    call: Callable[..., Any]
    is_async: bool
    inject: Injection = ()
    action: Any = None

    @property
    def graph(self) -> Any:
        """The compiled graph that this is, if it is one."""
        return self.action if hasattr(self.action, "plan") else None


def shape_of(action: Any) -> Shape:
    """The shape of a function, a callable object, or anything with `ainvoke` or `invoke`.

    Raises:
        GraphValidationError: it cannot be called.
    """
    if not inspect.isroutine(action) and not isinstance(action, type):
        if hasattr(action, "ainvoke"):
            return Shape(
                action.ainvoke, True, _injection(action.ainvoke, own_graph=hasattr(action, "plan")), action
            )
        if hasattr(action, "invoke"):
            return Shape(action.invoke, False, _injection(action.invoke, own_graph=False))
    if not callable(action):
        raise ActionTypeError(
            f"Expected a function or another callable, got {action!r} of type {type(action).__name__}."
        )
    return Shape(action, is_async_callable(action), _injection(action, own_graph=False), action)


class ActionTypeError(GraphValidationError, TypeError):
    """Something was given as a node or router that cannot be called."""


def is_async_callable(action: Any) -> bool:
    """Whether calling it gives a coroutine: seen through partials and objects with `__call__`."""
    action = without_partials(action)
    if inspect.iscoroutinefunction(action):
        return True
    return not inspect.isroutine(action) and inspect.iscoroutinefunction(getattr(action, "__call__", None))  # noqa: B004


def without_partials(action: Any) -> Any:
    """The callable that `functools.partial` was applied to, however often."""
    while isinstance(action, partial):
        action = action.func
    return action


def _injection(action: Any, *, own_graph: bool) -> Injection:
    if own_graph:  # a graph finds its surroundings by itself
        return ()
    try:
        parameters = list(inspect.signature(action).parameters.values())
    except (TypeError, ValueError):  # builtins without a signature take the input only
        return ()
    return tuple(
        [
            (parameter.name, injected_as(parameter))
            for position, parameter in enumerate(parameters)
            if (position > 0 or parameter.kind is parameter.KEYWORD_ONLY) and asks_for_injection(parameter)
        ]
    )


def asks_for_injection(parameter: inspect.Parameter) -> bool:
    """Whether a parameter gets the config, the writer, ...: by its name, unless its annotation objects."""
    if parameter.name not in _INJECTED:
        return False
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
        return False
    return _means(parameter.annotation, _INJECTED[parameter.name])


def injected_as(parameter: inspect.Parameter) -> str:
    """The attribute of the running task that a parameter gets. A store must be there, unless None will do."""
    if parameter.name != "store" or parameter.default is not parameter.empty:
        return parameter.name
    hint = parameter.annotation
    text = hint if isinstance(hint, str) else f"{hint!r}"
    return "store" if "None" in text or "Optional" in text else "needed_store"


def _means(annotation: Any, type_name: str | None) -> bool:
    if type_name is None or annotation is inspect.Parameter.empty:
        return True
    return type_name in (annotation if isinstance(annotation, str) else f"{annotation!r}")


def callable_name(action: Any) -> str | None:
    """The name under which a callable becomes a node or branch."""
    action = without_partials(action)
    name = getattr(action, "__name__", None) or getattr(action, "name", None)
    if isinstance(name, str):
        return name
    return None if isinstance(action, str) else type(action).__name__


def hints_of(action: object) -> dict[str, Any]:
    """The resolved annotations of a callable, `{}` if they cannot be resolved."""
    action = without_partials(action)
    if not inspect.isroutine(action) and not isinstance(action, type):
        action = getattr(type(action), "__call__", action)  # noqa: B004
    try:
        return get_type_hints(action)
    except Exception:  # annotations may name anything, existing or not
        return {}


def first_parameter(action: Any) -> str | None:
    """The name of the parameter that takes the input."""
    try:
        return next(iter(inspect.signature(action).parameters), None)
    except (TypeError, ValueError):
        return None
