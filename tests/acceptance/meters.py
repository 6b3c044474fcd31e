"""What commits weigh."""

from typing import Any

from graphrt.checkpoint import Commit

__all__ = ["Meter"]


class Meter:
    """A checkpointer that weighs each commit it passes on."""

    immediate = False

    def __init__(self, saver: Any) -> None:
        self.saver = saver
        self.weights: list[int] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.saver, name)

    async def commit(self, commit: Commit) -> None:
        writes = [write for result in commit.results for write in result.writes]
        self.weights.append(sum(len(x.data or b"") for x in (*commit.channels, *commit.appends, *writes)))
        await self.saver.commit(commit)
