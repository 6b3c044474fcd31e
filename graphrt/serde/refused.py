"""How a value that cannot be written is found: the path to it, in the user's words."""

from __future__ import annotations

from graphrt.errors import SerializationError
from graphrt.serde.codec import Codec, type_name
from graphrt.serde.wire import MAX_DEPTH

__all__ = ["Refused", "shown", "too_deep", "unregistered"]

_SHOWN = 200  # characters of a path in a message


class Refused(Exception):
    """Internal: a value cannot be written. Grows its path while the walk unwinds."""

    def __init__(self, why: str, value: object) -> None:
        super().__init__(why)
        self.why = why
        self.type_name = type_name(type(value))
        self.steps: list[str] = []
        self.containers: list[int] = []

    def inside(self, step: str, container: object) -> None:
        """Add the step that led from `container` to the refused value."""
        self.steps.append(step)
        self.containers.append(id(container))

    def rename(self, codec: Codec) -> None:
        """Turn the last step, which led into the body that `codec` made, into what the user sees."""
        if not self.steps:
            return
        for index, name in enumerate(codec.steps):
            if self.steps[-1] == f"[{index}]":
                self.steps[-1] = name
                if not name and len(self.steps) > 1:
                    self._drop()
                break
        step = self.steps[-1]
        if codec.record and step.startswith("['"):
            self.steps[-1] = f".{step[2:-2]}"

    def _drop(self) -> None:
        self.steps.pop()
        self.containers.pop()

    def error(self) -> SerializationError:
        """The public form, with the whole path; that of a cycle ends where it closes."""
        steps, containers = self.steps[::-1], self.containers[::-1]
        why = self.why
        for index, container in enumerate(containers):
            if container in containers[:index]:
                steps, why = steps[:index], "a value contains itself"
                break
        path = "".join(steps)
        where = f" at {_cut(path)}" if path else ""
        return SerializationError(f"Cannot serialise{where}: {why}", path=path, type_name=self.type_name)


def shown(key: object) -> str:
    """A dict's key in a path, whatever its class makes of `repr()`."""
    try:
        return _cut(repr(key))
    except Exception:  # such as that of an int with more than 4,300 digits
        return f"<{type(key).__name__}>"


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def too_deep(value: object) -> Refused:
    """For a container that has too many others around it."""
    return Refused(f"it is nested deeper than {MAX_DEPTH} levels", value)


def unregistered(value: object) -> Refused:
    """For a value of a type that nobody knows."""
    typ = type(value)
    return Refused(
        f"{type_name(typ)} is not a registered type. Name the class in the annotations of the graph's state, or call "
        f"graphrt.serde.register(tag, {typ.__name__}, ...). What cannot be stored (connections, locks, functions) "
        "belongs into the run's context",
        value,
    )
