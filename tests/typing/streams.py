"""What users are told about the chunks of a `version="v2"` stream."""

from typing import Any, assert_type

from graphrt.types import StreamPart, TaskPayload, TaskResultPayload, ValuesStreamPart


def told(part: StreamPart[dict[str, int], list[str]]) -> None:
    assert_type(part["ns"], tuple[str, ...])
    if part["type"] == "values":
        assert_type(part["data"], list[str])
    elif part["type"] == "tasks":
        assert_type(part["data"], TaskPayload | TaskResultPayload)
    elif part["type"] == "checkpoints":
        assert_type(part["data"]["values"], dict[str, int])
    elif part["type"] == "messages":
        assert_type(part["data"], tuple[Any, dict[str, Any]])


def values(part: ValuesStreamPart) -> Any:
    return part["data"]
