"""Spans of OpenTelemetry: the tree of spans is the tree of what ran (pain B8)."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from graphrt.func import entrypoint, task
from graphrt.observers import Recorder
from graphrt.otel import Tracing, link_back
from graphrt.types import Command, RetryPolicy, Send
from tests.acceptance.graphs import Log, graph, says, thread
from tests.acceptance.nested import asks, calls, chain, hands_over, parent
from tests.acceptance.watched import Tree, span_tree, tree_of


class World:
    """A program that exports its spans to a list."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.told = Recorder()
        self.observers = [Tracing(self.provider), self.told]

    def restart(self) -> None:
        """Another process: it exports to the same place and knows nothing."""
        self.exporter.clear()
        self.observers[0] = Tracing(self.provider)

    @property
    def spans(self) -> list[ReadableSpan]:
        return sorted(self.exporter.get_finished_spans(), key=lambda span: span.start_time or 0)

    def span(self, name: str) -> Any:
        (found,) = [span for span in self.spans if span.name == name]
        return found

    @property
    def tree(self) -> Tree:
        return span_tree(self.spans)


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    yield world
    world.provider.shutdown()


def assert_same(world: World, expected: Tree) -> None:
    assert world.tree == expected
    assert world.tree == tree_of(world.told.events)


# ---- trees


@pytest.mark.parametrize(
    "nest", [lambda child: ("child", child), lambda child: calls("child", child)], ids=["as node", "called"]
)
async def test_y1_spans_of_graphs_inside_are_below_the_node_that_runs_them(world: World, nest: Any) -> None:
    app = chain(
        nest(chain(nest(chain(says("a"), name="c")), name="b")), observers=world.observers, name="top"
    )
    await app.ainvoke({"log": []})
    assert_same(world, {"top": {"child": {"b": {"child": {"c": {"a": {}}}}}}})


def test_y1_the_same_through_the_sync_door(world: World) -> None:
    def plain(state: Log) -> dict[str, Any]:
        return {"log": []}

    def calling(state: Log) -> dict[str, Any]:
        return {"log": inner.invoke({"log": []})["log"]}

    inner = chain(plain, name="inner")
    chain(calling, ("child", inner), says("a"), observers=world.observers, name="top").invoke({"log": []})
    assert_same(
        world, {"top": {"calling": {"inner": {"plain": {}}}, "child": {"inner": {"plain": {}}}, "a": {}}}
    )
    assert not trace.get_current_span().get_span_context().is_valid


async def test_y1_spans_of_parallel_nodes_and_their_graphs_do_not_mix(world: World) -> None:
    inner = chain(says("a"), name="inner")
    builder = graph(Log, ("child", inner), paths=[])
    builder.add_conditional_edges("__start__", lambda state: [Send("child", state)] * 3, ["child"])
    await builder.compile(observers=world.observers, name="top").ainvoke({"log": []})
    below = {"inner": {"a": {}}}
    assert_same(world, {"top": {"child": below, "child'": below, "child''": below}})


async def test_y1_spans_of_called_tasks_are_below_their_caller(world: World) -> None:
    @task
    async def leaf(number: int) -> int:
        await asyncio.sleep(0)
        return number

    @task
    async def branch(number: int) -> int:
        return sum(await asyncio.gather(leaf(number), leaf(number)))

    @entrypoint(observers=world.observers)
    async def flow(number: int) -> int:
        return await branch(number) + await leaf(number)

    assert await flow.ainvoke(1) == 3
    assert_same(world, {"flow": {"flow": {"branch": {"leaf": {}, "leaf'": {}}, "leaf": {}}}})


async def test_y1_a_command_for_the_graph_around_is_no_error(world: World) -> None:
    await parent(chain(hands_over("b"))).compile(observers=world.observers, name="top").ainvoke({"log": []})
    assert_same(world, {"top": {"child": {"graphrt": {"hands_over": {}}}, "b": {}}})


async def test_y1_a_users_own_spans_are_below_the_nodes_and_the_run_below_the_users(world: World) -> None:
    tracer = world.provider.get_tracer("user")
    inner = chain(says("a"), name="inner")

    async def node(state: Log) -> dict[str, Any]:
        with tracer.start_as_current_span("mine"):
            await asyncio.sleep(0)
            return {"log": (await inner.ainvoke({"log": []}))["log"]}

    app = chain(node, says("b"), observers=world.observers, name="top")
    with tracer.start_as_current_span("request"):
        await app.ainvoke({"log": []})
    assert world.tree == {"request": {"top": {"node": {"mine": {"inner": {"a": {}}}}, "b": {}}}}


# ---- errors, retries


async def test_y1_an_exception_is_recorded_once_where_it_came_from(world: World) -> None:
    async def fail(state: Log) -> None:
        raise ValueError("no")

    app = chain(("child", chain(fail, name="inner")), observers=world.observers, name="top")
    with pytest.raises(ValueError, match="no"):
        await app.ainvoke({"log": []})
    assert_same(
        world, {"top:ValueError": {"child:ValueError": {"inner:ValueError": {"fail:ValueError": {}}}}}
    )
    recorded = [(span.name, event.name) for span in world.spans for event in span.events]
    assert recorded == [("fail", "exception")]
    assert "raise ValueError" in world.span("fail").events[0].attributes["exception.stacktrace"]


async def test_y1_retries_are_events_of_one_span_which_stays_the_current_one(world: World) -> None:
    seen: list[int] = []

    async def flaky(state: Log) -> dict[str, Any]:
        seen.append(trace.get_current_span().get_span_context().span_id)
        if len(seen) < 3:
            raise ConnectionError(f"number {len(seen)}")
        return {"log": []}

    builder = graph(Log, paths=[])
    policy = RetryPolicy(initial_interval=0, jitter=False)
    builder.add_node(flaky, retry_policy=policy).add_edge("__start__", "flaky")
    await builder.compile(observers=world.observers, name="top").ainvoke({"log": []})
    assert_same(world, {"top": {"flaky": {}}})
    span = world.span("flaky")
    assert [event.attributes["exception.message"] for event in span.events] == ["number 1", "number 2"]
    assert span.attributes["graphrt.attempts"] == 3
    assert set(seen) == {span.context.span_id}


# ---- interrupts


async def test_y3_going_on_is_linked_to_where_it_stopped(saver: Any, world: World) -> None:
    app = chain(
        ("child", chain(asks("q"), name="inner")), checkpointer=saver, observers=world.observers, name="top"
    )
    await app.ainvoke({"log": []}, thread())
    assert_same(
        world, {"top:interrupted": {"child:interrupted": {"inner:interrupted": {"q:interrupted": {}}}}}
    )
    stopped = {span.name: span.context for span in world.spans}
    world.exporter.clear()
    world.told.events.clear()
    await app.ainvoke(Command(resume="yes"), thread())
    assert_same(world, {"top": {"child": {"inner": {"q": {}}}}})
    for name in ("top", "inner"):
        assert [link.context for link in world.span(name).links] == [stopped[name]]


async def test_y3_in_another_process_it_is_linked_by_what_the_checkpoint_says(
    saver: Any, world: World
) -> None:
    tracer = world.provider.get_tracer("user")
    builder = graph(Log, asks("q"), paths=["START q"])
    with tracer.start_as_current_span("request") as request:
        app = builder.compile(saver, observers=world.observers)
        await app.ainvoke({"log": []}, thread(metadata=link_back()))
    world.restart()
    app = builder.compile(saver, observers=world.observers)
    await app.ainvoke(Command(resume="yes"), thread())
    (link,) = world.span("graphrt").links
    assert (link.context.trace_id, link.context.span_id) == (
        request.get_span_context().trace_id,
        request.get_span_context().span_id,
    )


# ---- what spans say, and to whom


async def test_y2_spans_say_which_run_thread_step_and_task(saver: Any, world: World) -> None:
    app = chain(says("a"), checkpointer=saver, observers=world.observers, name="top")
    await app.ainvoke({"log": []}, thread(metadata={"tenant": "x"}, tags=["t1"]))
    top, node = world.span("top"), world.span("a")
    assert top.attributes["graphrt.thread_id"] == "t"
    assert top.attributes["graphrt.metadata.tenant"] == "x"
    assert top.attributes["graphrt.tags"] == ("t1",)
    assert node.attributes["graphrt.step"] == 1
    assert node.attributes["graphrt.run_id"] == top.attributes["graphrt.run_id"]
    assert [event.name for event in top.events] == ["commit", "commit"]
    assert top.start_time <= node.start_time <= node.end_time <= top.end_time


PROGRAM = """
import sys
opened = []
sys.addaudithook(lambda name, args: opened.append(name) if name.startswith("socket.") else None)
from graphrt.graph import StateGraph
from graphrt.otel import Tracing
builder = StateGraph(dict).add_node("a", lambda state: state).add_edge("__start__", "a")
assert builder.compile(observers=[Tracing()]).invoke({"x": 1}) == {"x": 1}
print(opened)
"""


def test_y1_nothing_is_sent_anywhere_unless_the_program_says_where() -> None:
    ran = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"
