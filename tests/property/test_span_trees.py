"""For random graphs in graphs: the tree of spans is the tree of what was built, and so is that of events."""

import asyncio
from typing import Any, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from graphrt.func import task
from graphrt.observers import Recorder
from graphrt.otel import Tracing
from tests.acceptance.graphs import Log, graph, named
from tests.acceptance.watched import Tree, assert_well_formed, span_tree, tree_of


class Nest(NamedTuple):
    """A node: a leaf, or one that runs a graph of `children`, in one of several ways."""

    way: str
    children: "list[Nest]"
    beside: bool = False


LEAVES = st.sampled_from(["async", "waits", "sync"]).map(lambda way: Nest(way, []))
NESTS = st.recursive(
    LEAVES,
    lambda inner: st.builds(
        Nest,
        st.sampled_from(["node", "called", "called in a thread", "called by a task"]),
        st.lists(inner, min_size=1, max_size=3),
        st.booleans(),
    ),
    max_leaves=8,
)


def built(nest: Nest, **options: Any) -> Any:
    """The graph of a nest's children, one after the other or all at once."""
    names = [f"n{i}" for i in range(len(nest.children))]
    nodes = [(name, node_of(child)) for name, child in zip(names, nest.children, strict=True)]
    paths = [f"START {name}" for name in names] if nest.beside else ["START " + " ".join(names)]
    return graph(Log, *nodes, paths=paths).compile(name="g", **options)


def node_of(nest: Nest) -> Any:
    if nest.way in ("async", "waits"):

        async def leaf(state: Any) -> None:
            if nest.way == "waits":
                await asyncio.sleep(0)

        return leaf
    if nest.way == "sync":
        return named("leaf", lambda state: None)
    child = built(nest)
    if nest.way == "called in a thread":
        return named("caller", lambda state: {"log": child.invoke({"log": []})["log"]})

    async def call(state: Any) -> dict[str, Any]:
        return {"log": (await child.ainvoke({"log": []}))["log"]}

    async def call_task(state: Any) -> dict[str, Any]:
        result: dict[str, Any] = await task(call)(state)
        return result

    return {"node": child, "called": call, "called by a task": call_task}[nest.way]


def expected(nest: Nest) -> Tree:
    """What runs inside a nest's node."""
    if not nest.children:
        return {}
    inside = {"g": {f"n{i}": expected(child) for i, child in enumerate(nest.children)}}
    return {"call": inside} if nest.way == "called by a task" else inside


@settings(max_examples=60)
@given(st.lists(NESTS, min_size=1, max_size=3), st.booleans(), st.booleans())
def test_spans_and_events_are_the_tree_that_ran(children: list[Nest], beside: bool, sync: bool) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    told = Recorder()
    top = Nest("node", children, beside)
    app = built(top, observers=[Tracing(provider), told])
    if sync:
        app.invoke({"log": []})
    else:
        asyncio.run(app.ainvoke({"log": []}))
    assert span_tree(exporter.get_finished_spans()) == expected(top)
    assert tree_of(told.events) == expected(top)
    assert_well_formed(told.events)
