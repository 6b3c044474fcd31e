"""A traced run: a tree of spans for a graph with a graph inside, a retry, and a question.

    pip install graphrt[otel] opentelemetry-sdk
    python examples/traced.py

Spans are kept in memory and printed. For a real backend put its exporter in the place of this one; where it sends
them is its business and not graphrt's.
"""

import asyncio
from collections.abc import Sequence
from typing import TypedDict

from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from graphrt.checkpoint.memory import InMemorySaver
from graphrt.config import RunnableConfig
from graphrt.graph import START, StateGraph
from graphrt.otel import Tracing
from graphrt.types import Command, RetryPolicy, interrupt

THREAD: RunnableConfig = {"configurable": {"thread_id": "trip-1"}}


# ---- the graph: search (a graph of its own: fetch -> rank), then choose


class Trip(TypedDict, total=False):
    """What the nodes share."""

    place: str
    hotels: list[str]
    chosen: str


calls = 0


async def fetch(state: Trip) -> Trip:
    """A service that is down when it is asked first."""
    global calls  # noqa: PLW0603 - stands for the world outside
    calls += 1
    if calls == 1:
        raise ConnectionError("hotel service is down")
    with trace.get_tracer("example").start_as_current_span("GET /hotels"):
        return {"hotels": ["Sun", "Moon"]}


async def rank(state: Trip) -> Trip:
    return {"hotels": sorted(state["hotels"])}


async def choose(state: Trip) -> Trip:
    return {"chosen": interrupt(state["hotels"])}


search = (
    StateGraph(Trip)
    .add_node(fetch, retry_policy=RetryPolicy(initial_interval=0.01))
    .add_node(rank)
    .add_edge(START, "fetch")
    .add_edge("fetch", "rank")
    .compile(name="search")
)
builder = StateGraph(Trip).add_node("search", search).add_node(choose)
builder.add_edge(START, "search").add_edge("search", "choose")


# ---- the program


def show(spans: Sequence[ReadableSpan], parent: int | None = None, depth: int = 0) -> None:
    """A line for each span, below the one that it is part of."""
    for span in spans:
        if (span.parent.span_id if span.parent else None) != parent or span.context is None:
            continue
        notes = [event.name for event in span.events if event.name != "commit"]
        notes += ["linked to the run before" for _ in span.links]
        print("  " * depth + span.name, *(f"[{note}]" for note in notes))
        show(spans, span.context.span_id, depth + 1)


async def main() -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    graph = builder.compile(InMemorySaver(), name="trip", observers=[Tracing()])
    for given in ({"place": "Rome"}, Command(resume="Sun")):
        result = await graph.ainvoke(given, THREAD)
        show(sorted(exporter.get_finished_spans(), key=lambda span: span.start_time or 0))
        exporter.clear()
    print(result["chosen"])


if __name__ == "__main__":
    asyncio.run(main())
