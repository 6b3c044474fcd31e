"""State schemas: which channels their keys are, and how a node's input is built from them (LangGraph B1-B6)."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    ClassVar,
    Final,
    NotRequired,
    Required,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

import msgspec

from graphrt.channels import BaseChannel, BinaryOperatorAggregate, LastValue
from graphrt.core.plan import Channel
from graphrt.errors import GraphValidationError

if TYPE_CHECKING:
    from graphrt.managed.base import ManagedKeys, ManagedValue

__all__ = [
    "ROOT",
    "annotated_keys",
    "channels_of",
    "managed_of",
    "mapper_of",
    "reader_of",
    "schema_hints",
    "type_of",
]

ROOT: Final = "__root__"
"""The key of a state that is one value instead of several."""


def channels_of(schema: Any) -> dict[str, Channel]:
    """One channel per key of a schema, in its order; a schema without keys is one channel named `__root__`.

    Managed keys have none: see `managed_of`.

    Raises:
        GraphValidationError: a reducer that does not take two values.
    """
    hints = schema_hints(schema)
    if not hints:
        return {ROOT: _channel(ROOT, schema)}
    return {key: _channel(key, hint) for key, hint in hints.items() if managed_in(hint) is None}


def managed_of(schema: Any) -> ManagedKeys:
    """The keys of a schema that are computed whenever they are read (LangGraph U4)."""
    return tuple(
        [
            (key, managed)
            for key, hint in schema_hints(schema).items()
            if (managed := managed_in(hint)) is not None
        ]
    )


def schema_hints(schema: Any) -> dict[str, Any]:
    """A schema's keys with their annotations, `{}` for a type that has none.

    Raises:
        GraphValidationError: an annotation names something that cannot be found.
    """
    if not isinstance(schema, type):
        return {}
    try:
        hints = get_type_hints(schema, include_extras=True)
    except NameError as error:
        raise GraphValidationError(
            f"Cannot resolve the annotations of {schema.__name__}: {error}. Define the types it names at module level, "
            "or define the schema without `from __future__ import annotations`."
        ) from error
    fields_of = getattr(schema, "model_fields", None)
    if isinstance(fields_of, dict):
        return {key: hint for key, hint in hints.items() if key in fields_of}
    return {
        key: hint for key, hint in hints.items() if get_origin(hint) is not ClassVar and hint is not ClassVar
    }


def _channel(key: str, hint: Any) -> Channel:
    """The channel of one key: one given in Annotated, else a reducer given last, else LastValue (LangGraph B2)."""
    while get_origin(hint) in (Required, NotRequired):
        (hint,) = get_args(hint)
    channel: Channel | None = None
    if get_origin(hint) is Annotated:
        typ, *extras = get_args(hint)
        while get_origin(typ) in (Required, NotRequired):
            (typ,) = get_args(typ)
        channel = _given(typ, extras) or _reduced(key, typ, extras[-1])
        hint = typ
    channel = channel if channel is not None else LastValue(hint)
    channel.key = key
    return channel


def _given(typ: Any, extras: list[Any]) -> Channel | None:
    for extra in extras:
        if isinstance(extra, BaseChannel):
            return extra.declared(typ)  # pyright: ignore[reportUnknownVariableType]
        if isinstance(extra, type) and issubclass(extra, BaseChannel):
            return extra(typ)  # pyright: ignore[reportUnknownVariableType]
    return None


def _reduced(key: str, typ: Any, reducer: Any) -> Channel | None:
    if not callable(reducer) or isinstance(reducer, type):
        return None
    if (channel := getattr(reducer, "__channel__", None)) is not None:
        return cast("Channel", channel(typ))  # a reducer that works better in a channel of its own
    try:
        parameters = inspect.signature(reducer).parameters.values()
    except ValueError:
        return BinaryOperatorAggregate(typ, reducer)
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if len(positional) != 2:
        raise GraphValidationError(
            f"Invalid reducer signature for key {key!r}. Expected (a, b) -> c. Got {inspect.signature(reducer)}."
        )
    return BinaryOperatorAggregate(typ, reducer)


def type_of(schema: Any) -> str:
    """A schema's name for messages."""
    return getattr(schema, "__name__", str(schema))


def managed_in(hint: Any) -> type[ManagedValue[Any]] | None:
    """What computes a key, if it is annotated with a class of managed values; None for keys that are channels."""
    while get_origin(hint) in (Required, NotRequired):
        (hint,) = get_args(hint)
    if get_origin(hint) is not Annotated or not isinstance(last := get_args(hint)[-1], type):
        return None
    from graphrt.managed.base import is_managed_value  # only for those who may have some

    return last if is_managed_value(last) else None


def mapper_of(schema: Any) -> Callable[[dict[str, Any]], Any] | None:
    """What turns the dict of available keys into an object of the schema; None for dicts and root values."""
    if not isinstance(schema, type) or issubclass(schema, dict) or not schema_hints(schema):
        return None

    def build(values: dict[str, Any]) -> Any:
        return schema(**values)

    return build


def reader_of(schema: Any) -> Callable[[dict[str, Any]], Any] | None:
    """`mapper_of`, or what changes nothing for a dict with managed keys: those are put in before it (LangGraph U4)."""
    return mapper_of(schema) or (_as_it_is if managed_of(schema) else None)


def _as_it_is(values: dict[str, Any]) -> dict[str, Any]:
    return values


def annotated_keys(value: object) -> tuple[str, ...] | None:
    """The keys that an object can update, if its class declares any."""
    cls = type(value)
    if hasattr(cls, "__dataclass_fields__"):
        from dataclasses import fields  # 3 ms to import, for graphs that have dataclasses anyway

        return tuple(field.name for field in fields(cast("type[Any]", cls)))
    model_fields = getattr(cls, "model_fields", None)
    if isinstance(model_fields, dict):
        return tuple(cast("dict[str, Any]", model_fields))
    if isinstance(value, msgspec.Struct):
        return value.__struct_fields__
    keys = inspect.get_annotations(cls)
    return tuple(keys) or None
