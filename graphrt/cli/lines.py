"""The view for programs: one JSON object per line, `{"type": MODE, "data": ...}`, the last one `result` or `error`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import IO, Any, TypeGuard

import msgspec

from graphrt.cli.exits import in_words
from graphrt.cli.questions import Pause

__all__ = ["JsonLines", "as_json"]


class JsonLines:
    """Writes each chunk as it comes, whole and flushed: a reader never waits for a line that is done."""

    def __init__(self, out: IO[str]) -> None:
        self._out = out

    def chunk(self, mode: str, payload: Any) -> None:
        """A chunk of a mode that was asked for."""
        self._write(mode, payload)

    def paused(self, pause: Pause) -> None:
        """The run waits."""
        for question in pause.questions:
            self._write("interrupt", question)

    def profile(self, report: Mapping[str, Any]) -> None:
        """Where the time went."""
        self._write("profile", report)

    def result(self, value: Any) -> None:
        """The run came to its end."""
        self._write("result", value)

    def error(self, error: Exception) -> None:
        """The run ended with an error."""
        self._write("error", {"type": type(error).__name__, "message": in_words(error)})

    def _write(self, kind: str, data: Any) -> None:
        self._out.write(f"{as_json({'type': kind, 'data': data})}\n")
        self._out.flush()


def as_json(value: Any) -> str:
    """JSON on one line; what JSON has no form for is shown as its `repr`."""
    try:
        return msgspec.json.encode(value, enc_hook=_shown).decode()
    except Exception:  # a key or a number that JSON cannot hold, or a type whose fields fail
        return msgspec.json.encode(_tolerant(value), enc_hook=repr).decode()


def _shown(value: Any) -> Any:
    dump = getattr(value, "model_dump", None)
    return dump(mode="json") if callable(dump) and not isinstance(value, type) else repr(value)


def _tolerant(value: Any) -> Any:
    """The same value with text for keys and with `repr` for each leaf that cannot be encoded."""
    if _is_mapping(value):
        return {k if isinstance(k, str) else repr(k): _tolerant(v) for k, v in value.items()}
    if _is_list(value):
        return [_tolerant(item) for item in value]
    try:
        return msgspec.Raw(msgspec.json.encode(value, enc_hook=_shown))
    except Exception:
        return repr(value).encode("ascii", "backslashreplace").decode()


def _is_mapping(value: object) -> TypeGuard[Mapping[Any, Any]]:
    return isinstance(value, Mapping)


def _is_list(value: object) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, (list, tuple))
