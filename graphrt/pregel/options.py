"""What a call to a graph may ask for, checked once at the door."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, get_args

from graphrt.checkpoint import Checkpointer, is_checkpointer
from graphrt.config import RunnableConfig
from graphrt.core.kinds import plain_dict
from graphrt.errors import GraphValidationError, did_you_mean
from graphrt.types import Durability, MultitaskStrategy, StreamMode

__all__ = [
    "DURABILITIES",
    "STRATEGIES",
    "check_choice",
    "chunk_shape",
    "metadata_scalars",
    "modes_of",
    "resolve_checkpointer",
    "thread_of",
]

MODES: Final = get_args(StreamMode)
DURABILITIES: Final = get_args(Durability)
STRATEGIES: Final = get_args(MultitaskStrategy)
_NOT_METADATA: Final = frozenset({"thread_id", "checkpoint_id", "checkpoint_ns", "checkpoint_map"})


def check_choice(name: str, value: Any, choices: Sequence[str]) -> None:
    """An option with a few possible values has one of them, or None.

    Raises:
        GraphValidationError: it has not.
    """
    if value is not None and value not in choices:
        raise GraphValidationError(f"{name}={value!r} does not exist.{did_you_mean(value, choices)}")


def modes_of(modes: str | Sequence[str], option: str = "stream_mode") -> tuple[str, ...]:
    """Stream modes as a tuple.

    Raises:
        GraphValidationError: a mode that does not exist.
    """
    names = (modes,) if isinstance(modes, str) else tuple(modes)
    for mode in names:
        check_choice(option, mode, MODES)
    return names


def chunk_shape(
    single: bool, version: str, coerce: Callable[[str, Any], Any] | None, *, subgraphs: bool
) -> Callable[[tuple[str, ...], str, Any], Any]:
    """How a chunk looks to the consumer (LangGraph J1): what was asked for of it, a StreamPart in v2."""
    check_choice("version", version, ("v1", "v2"))
    if version == "v1":
        if subgraphs:
            return (
                (lambda ns, mode, payload: (ns, payload))
                if single
                else (lambda ns, mode, payload: (ns, mode, payload))
            )
        return (lambda ns, mode, payload: payload) if single else (lambda ns, mode, payload: (mode, payload))

    def part(ns: tuple[str, ...], mode: str, payload: Any) -> dict[str, Any]:
        interrupts: Any = ()
        values = plain_dict(payload) if mode == "values" else None
        if values is not None and "__interrupt__" in values:
            payload = {key: value for key, value in values.items() if key != "__interrupt__"}
            interrupts = values["__interrupt__"]
        data = payload if coerce is None or ns else coerce(mode, payload)
        shaped: dict[str, Any] = {"type": mode, "ns": ns, "data": data}
        if mode == "values":
            shaped["interrupts"] = interrupts
        return shaped

    return part


def resolve_checkpointer(given: Any) -> Checkpointer | bool | None:
    """A checkpointer, from one, from its URL, or none.

    Raises:
        InvalidCheckpointerError: it is none of these (a TypeError).
    """
    if isinstance(given, str):
        from graphrt.checkpoint.urls import saver_from_url

        saver: Checkpointer = saver_from_url(given)
        return saver
    if given is None or isinstance(given, bool) or is_checkpointer(given):
        return given
    raise InvalidCheckpointerError(
        f"Invalid checkpointer provided. Expected a Checkpointer, a URL such as 'memory://', True, False or None, got "
        f"{type(given).__name__}."
    )


class InvalidCheckpointerError(GraphValidationError, TypeError):
    """What was given as a checkpointer does not do what graphrt.checkpoint.Checkpointer asks for."""


def thread_of(config: RunnableConfig) -> str:
    """The thread that a config names.

    Raises:
        GraphValidationError: it names none.
    """
    thread = config.get("configurable", {}).get("thread_id")
    if thread is None:
        raise GraphValidationError(
            "Checkpointer requires one or more of the following 'configurable' keys: thread_id, checkpoint_ns, "
            'checkpoint_id. Pass config={"configurable": {"thread_id": "..."}}.'
        )
    return str(thread)


def metadata_scalars(config: RunnableConfig) -> dict[str, Any]:
    """The scalars of a config that are stored with each checkpoint (LangGraph L4)."""
    sources: tuple[Mapping[str, Any], ...] = (config.get("metadata", {}), config.get("configurable", {}))
    kept: dict[str, Any] = {}
    for source in sources:
        for key, value in source.items():
            if key in _NOT_METADATA or key.startswith(("__", "langgraph_")):
                continue
            if isinstance(value, str):
                kept[key] = value.replace("\0", "")
            elif isinstance(value, (int, float, bool)):
                kept[key] = value
    return kept
