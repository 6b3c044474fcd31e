"""What the tests of streams and threads share: reading a whole stream, a node that fails once, a thread left behind."""

import asyncio
from typing import Any

import pytest

from tests.acceptance.graphs import Log, graph, says, thread


async def chunks(app: Any, input: Any, config: Any = None, **options: Any) -> list[Any]:
    """Everything `astream` yields."""
    return [chunk async for chunk in app.astream(input, config, **options)]


async def history(app: Any, config: Any, **options: Any) -> list[Any]:
    """A thread's snapshots, newest first."""
    return [snapshot async for snapshot in app.aget_state_history(config, **options)]


async def others_had_their_turn() -> None:
    """Lets siblings that wait for nothing but the loop run to their end."""
    for _ in range(10):
        await asyncio.sleep(0)


class Flaky:
    """A node that raises ConnectionError the first time and says "flaky" afterwards; it counts its calls."""

    def __init__(self) -> None:
        self.calls = 0

    async def node(self, state: Log) -> dict[str, Any]:
        self.calls += 1
        if self.calls == 1:
            await others_had_their_turn()
            raise ConnectionError("no route")
        return {"log": ["flaky"]}


async def failed_beside(sibling: Any, saver: Any) -> Any:
    """A graph whose thread "t" stopped in a step in which `sibling` finished and `flaky` failed."""
    builder = graph(Log, sibling, ("flaky", Flaky().node), says("last"), paths=["START flaky last"])
    app = builder.add_edge("__start__", sibling.__name__).compile(checkpointer=saver)
    with pytest.raises(ConnectionError):
        await app.ainvoke({"log": ["in"]}, thread())
    return app
