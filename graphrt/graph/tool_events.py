"""What tools do, on the `tools` stream (LangGraph J9): for adapters of tools, and nodes that call them by hand."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from graphrt.config import running_task
from graphrt.engine.messenger import ToolWriter
from graphrt.engine.random_ids import random_id

__all__ = ["ToolRun", "tool_run"]


class ToolRun:
    """One call of a tool while it goes on. Set `output` to what came of it."""

    __slots__ = ("_writer", "output", "tool_call_id")

    def __init__(self, writer: ToolWriter, tool_call_id: str) -> None:
        self._writer = writer
        self.tool_call_id = tool_call_id
        self.output: Any = None

    def delta(self, delta: Any) -> None:
        """Show a piece of the output."""
        self._writer(self._event("tool-output-delta", delta=delta))

    async def adelta(self, delta: Any) -> None:
        """The same as soon as the stream's buffer has room."""
        await self._writer.asend(self._event("tool-output-delta", delta=delta))

    def _event(self, event: str, **more: Any) -> dict[str, Any]:
        return {"event": event, "tool_call_id": self.tool_call_id, **more}

    def report(self, event: str, **more: Any) -> None:
        """Show one of the stream's events."""
        self._writer(self._event(event, **more))


@contextmanager
def tool_run(
    name: str, input: Any = None, *, tool_call_id: str | None = None
) -> Generator[ToolRun, None, None]:
    """Show that a tool starts, and how it ends: with its output, or with an error.

    A tool that asks a question has not ended (LangGraph J9). Without a subscriber nothing is built.

    Raises:
        OutsideRunError: no node is running here.
        whatever the block raises.

    Example:
        >>> with tool_run("search", {"query": "bees"}, tool_call_id=call["id"]) as run:
        ...     run.output = await search("bees")
    """
    run = ToolRun(ToolWriter(running_task("tool_run").shows("tools")), tool_call_id or random_id())
    run.report("tool-started", tool_name=name, input=input)
    try:
        yield run
    except Exception as error:
        run.report("tool-error", message=str(error))
        raise
    run.report("tool-finished", output=run.output)
