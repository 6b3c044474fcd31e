"""An exchange rate from a source that is often down: tried again, given up in time, then taken from last week's list.

    python examples/fallback.py [EUR] [--down]

The source is made up. With `--down` it never answers, and the run ends with the old rate and says so.
"""

import asyncio
import sys
from typing import Annotated, Any, Literal, TypedDict

from graphrt import END, START, Command, StateGraph
from graphrt.errors import NodeError, NodeTimeoutError
from graphrt.runtime import Runtime
from graphrt.types import RetryPolicy, TimeoutPolicy

LAST_WEEK = {"EUR": 1.08, "GBP": 1.27}


def joined(old: list[str], new: list[str]) -> list[str]:
    """What is said adds up."""
    return [*old, *new]


class Source:
    """A made-up service: each call does what comes next of `script`."""

    def __init__(self, *script: str) -> None:
        self.script = list(script)

    async def rate(self, currency: str) -> float:
        """The rate of today."""
        comes = self.script.pop(0)
        if comes == "hang":
            await asyncio.Event().wait()
        if comes == "refuse":
            raise ConnectionError("The source closed the connection")
        return {"EUR": 1.1, "GBP": 1.3}[currency]


class Asked(TypedDict):
    """What a run is given."""

    currency: str


class Rate(Asked, total=False):
    """The state: what has come of it, too."""

    rate: float
    notes: Annotated[list[str], joined]


async def ask(state: Rate, runtime: Runtime[Source]) -> dict[str, Any]:
    """Ask the source; errors and silence are tried again, a currency that it does not know is not."""
    rate = await runtime.context.rate(state["currency"])
    return {"rate": rate, "notes": [f"asked {runtime.execution_info.node_attempt} times"]}


async def look_up(state: Rate, error: NodeError) -> Command[Literal["warn"]]:
    """The error handler: an old rate is better than none, but somebody has to look at it."""
    if state["currency"] not in LAST_WEEK:
        raise error.error
    why = "no answer" if isinstance(error.error, NodeTimeoutError) else str(error.error)
    return Command(
        update={"rate": LAST_WEEK[state["currency"]], "notes": [f"rate of last week: {why}"]}, goto="warn"
    )


async def warn(state: Rate) -> dict[str, Any]:
    """Where a real program would call somebody."""
    return {"notes": [f"please check {state['currency']}"]}


graph = (
    StateGraph(Rate, context_schema=Source, input_schema=Asked)
    .add_node(
        ask,
        retry_policy=RetryPolicy(initial_interval=0.05, max_attempts=3, jitter=False),
        timeout=TimeoutPolicy(run_timeout=0.2),
        error_handler=look_up,
    )
    .add_node(warn)
    .add_edge(START, "ask")
    .add_edge("ask", END)
    .compile(name="rates")
)


async def main(*arguments: str) -> None:
    """Ask for the rate of a currency, EUR by default."""
    script = ["hang"] * 3 if "--down" in arguments else ["refuse", "hang", "answer"]
    currency = next((word for word in arguments if not word.startswith("-")), "EUR")
    found = await graph.ainvoke({"currency": currency}, context=Source(*script))
    print(f"{currency} {found['rate']}; {', '.join(found['notes'])}")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
