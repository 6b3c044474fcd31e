"""How many Python and C calls one more superstep costs: counted by cProfile, so the machine does not matter.

A graph is run in two sizes; the difference, divided by what the larger one has more, is free of fixed costs.
Calls in other threads, and inside C++ or Cython, are not seen: only runtimes in Python can be compared.
"""

import cProfile
from typing import Any, Literal

from bench.contestants.contract import Contestant, Job, NotOfferedError
from bench.measure import run_on_loop

Kind = Literal["plain superstep", "superstep through a router", "one more Send"]
KINDS: tuple[Kind, ...] = ("plain superstep", "superstep through a router", "one more Send")
SMALL, LARGE = 50, 150


def count_calls(contestant: Contestant, kind: Kind) -> float:
    """Return the calls per unit of `kind`, with async nodes. Raises NotOfferedError."""
    shape = {
        "plain superstep": contestant.chain,
        "superstep through a router": contestant.loop,
        "one more Send": contestant.fan_out,
    }[kind]
    small, large = (calls_of_one_run(shape("async", size)) for size in (SMALL, LARGE))
    if large <= small:
        raise NotOfferedError("nodes run in other threads, where cProfile does not count")
    return (large - small) / (LARGE - SMALL)


def calls_of_one_run(job: Job) -> int:
    async def main() -> int:
        await job.start()  # what is made once and kept is no cost of a superstep
        profile = cProfile.Profile()
        profile.enable()
        try:
            await job.start()
        finally:
            profile.disable()
        entries: list[Any] = profile.getstats()
        return sum(entry.callcount for entry in entries)

    calls: int = run_on_loop(main())
    return calls
