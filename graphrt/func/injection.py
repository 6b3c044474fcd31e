"""What functions are given besides what their callers pass: by name, if they ask for it (LangGraph G3)."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from sys import maxsize
from typing import Any

from graphrt.config import running_task
from graphrt.core.shape import asks_for_injection, injected_as, is_async_callable

__all__ = ["with_injection"]


def with_injection(function: Callable[..., Any], *, skip: int = 0) -> Callable[..., Any]:
    """The same function if it asks for nothing, else one that adds what it asks for, unless the caller passes it.

    Args:
        skip: so many parameters at the beginning are the caller's, whatever their names are.
    """
    asked = _asked(function, skip)
    if not asked:
        return function

    def completed(args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        task = running_task(getattr(function, "__name__", "task"))
        more = dict(kwargs)
        for name, kind, position in asked:
            if name not in more and len(args) <= position:
                more[name] = getattr(task, kind)
        return more

    if is_async_callable(function):

        @functools.wraps(function)
        async def call_async(*args: Any, **kwargs: Any) -> Any:
            return await function(*args, **completed(args, kwargs))

        return call_async

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **completed(args, kwargs))

    return call


def _asked(function: Callable[..., Any], skip: int) -> list[tuple[str, str, int]]:
    """The parameters to fill in, with what, and with the number of positional arguments that fill them."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # builtins without a signature ask for nothing
        return []
    return [
        (
            parameter.name,
            injected_as(parameter),
            position if parameter.kind is parameter.POSITIONAL_OR_KEYWORD else maxsize,
        )
        for position, parameter in enumerate(parameters)
        if position >= skip and asks_for_injection(parameter)
    ]
