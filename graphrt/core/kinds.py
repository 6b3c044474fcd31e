"""What a value of any type is: `type(x) is dict` says it to Python, these say it to type checkers as well."""

from __future__ import annotations

from typing import Any

__all__ = ["plain_dict"]


def plain_dict(value: object) -> dict[Any, Any] | None:
    """The value, if it is a dict and of no class of its own."""
    return value if type(value) is dict else None  # pyright: ignore[reportUnknownVariableType]
