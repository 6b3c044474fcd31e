"""Exceptions in stored values.

Built-in exceptions, graphrt's own and registered classes come back as their class, with args, attributes and notes,
without traceback, cause and context, and without `__init__` of a user's class being called. Every other exception, and
one whose args cannot be stored, becomes a `RemoteError`: that something failed must be storable, whatever it was.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator
from typing import Any

from graphrt import errors
from graphrt.serde.codec import Codec, checked, type_name

__all__ = ["RemoteError", "exception_codec", "failure_codecs", "remote"]

_TEXT_LIMIT = 10_000


class RemoteError(Exception):
    """Stands for a stored exception whose class is not registered.

    Attributes:
        type_name: the class as `module:qualname`.
        text: what `str()` of it said.
        arguments: the `repr()` of each of its args.
    """

    args: tuple[str, str, tuple[str, ...]]

    def __init__(self, type_name: str, text: str = "", arguments: tuple[str, ...] = ()) -> None:
        super().__init__(type_name, text, arguments)

    @property
    def type_name(self) -> str:
        return self.args[0]

    @property
    def text(self) -> str:
        return self.args[1]

    @property
    def arguments(self) -> tuple[str, ...]:
        return self.args[2]

    def __str__(self) -> str:
        return f"{self.type_name}: {self.text}" if self.text else self.type_name


def exception_codec(tag: str, typ: Any) -> Codec:
    """Exactly this class. Body: `[args to make it from, args if they differ, attributes]`."""
    base: Any = next(cls for cls in typ.__mro__ if cls.__module__ == "builtins")

    def encode(value: BaseException) -> list[Any]:
        made_from = base.__reduce__(value)[1]  # OSError keeps its filename here and not in args
        args = None if made_from == value.args else list(value.args)
        return [list(made_from), args, dict(value.__dict__)]

    def decode(body: Any) -> BaseException:
        made_from, args, attributes = checked(body, list)
        value: BaseException = base.__new__(typ, *made_from)
        base.__init__(value, *made_from)
        value.args = tuple(made_from if args is None else args)
        value.__dict__.update({checked(name, str): item for name, item in attributes.items()})
        return value

    return Codec(tag, typ, encode, decode, record=True, steps=(".args", ".args", ""))


def _remote_to(value: RemoteError) -> list[Any]:
    return [value.type_name, value.text, list(value.arguments), list(getattr(value, "__notes__", ()))]


def _remote_from(body: Any) -> RemoteError:
    name, text, arguments, notes = checked(body, list)
    made = RemoteError(
        checked(name, str), checked(text, str), tuple(checked(item, str) for item in arguments)
    )
    for note in notes:
        made.add_note(checked(note, str))
    return made


def remote(value: BaseException) -> RemoteError:
    """What is stored for an exception that cannot come back as itself."""
    if type(value) is RemoteError:
        return value
    name, text = type_name(type(value)), _said(str, value)
    made = RemoteError(name, text, tuple(_said(repr, arg) for arg in value.args))
    for note in getattr(value, "__notes__", ()):
        made.add_note(_said(str, note))
    return made


def _said(describe: Callable[[object], str], value: object) -> str:
    try:
        text = describe(value)[:_TEXT_LIMIT]
    except Exception as error:
        text = f"<{type(error).__name__} in {describe.__name__}()>"
    return text.encode("utf-8", "backslashreplace").decode()


def failure_codecs() -> Iterator[Codec]:
    """Built-in exceptions, graphrt's own, and RemoteError."""
    for name, typ in vars(builtins).items():
        if isinstance(typ, type) and issubclass(typ, BaseException) and typ.__name__ == name:
            yield exception_codec(f"!{name}", typ)
    for name, typ in vars(errors).items():
        if isinstance(typ, type) and issubclass(typ, BaseException) and typ.__module__ == errors.__name__:
            yield exception_codec(f"!graphrt.{name}", typ)
    yield Codec("!error", RemoteError, _remote_to, _remote_from)
