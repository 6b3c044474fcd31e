"""One conversation on one thread, lengthened from mark to mark, in a contestant's process."""

import gc
import tracemalloc
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from bench.durable.cases import MEMORY, Storage
from bench.durable.contestants.contract import Contestant


async def lengthen(
    contestant: Contestant, storage: Storage, address: str, first: int, last: int
) -> dict[str, Any]:
    """Have the turns from `first` up to `last`, and time the newest of them and a load. Raises NotOfferedError."""
    async with contestant.talk(storage, address) as talk:
        timings = await talk.go_on(first, last)
        return {**asdict(timings), "load_s": await talk.load()}


async def remember(contestant: Contestant, marks: Sequence[int]) -> dict[str, Any]:
    """Return the bytes that a conversation holds in this process's memory at each mark. Raises NotOfferedError."""
    async with contestant.talk(MEMORY, "") as talk:
        await talk.go_on(0, 1)  # what the first run imports and caches is not the conversation's
        tracemalloc.start()
        held: list[int] = []
        done = 1
        for mark in marks:
            await talk.go_on(done, mark)
            done = mark
            gc.collect()
            held.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
        return {"bytes": held}
