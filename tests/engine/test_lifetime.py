"""What is dropped dies at once, without the cycle collector."""

import gc
import weakref
from collections.abc import Iterator
from typing import Annotated, Any, TypedDict

import pytest

from graphrt.checkpoint.memory import InMemorySaver
from tests.acceptance.graphs import graph, says, thread
from tests.engine.worlds import chain, turns


@pytest.fixture(autouse=True)
def _no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


async def read(stream: Any) -> None:
    async for chunk in stream:
        del chunk  # it may hold the error that ends this very function


class Cargo:
    """Something big in the state."""


def hold(left: Any, right: Any) -> Any:
    return right


class Hold(TypedDict, total=False):
    cargo: Annotated[Any, hold]


def carrying() -> Any:
    async def passes(state: Hold) -> Hold:
        await turns(1)
        return {"cargo": state["cargo"]}

    async def ignores(state: Hold) -> None:
        await turns(1)

    return graph(Hold, passes, ignores, paths=["START passes ignores", "START ignores"]).compile()


async def test_a_runs_state_dies_with_its_result() -> None:
    app = carrying()
    cargo = Cargo()
    alive = weakref.ref(cargo)
    result = await app.ainvoke({"cargo": cargo})
    del cargo
    assert alive() is result["cargo"]
    del result
    assert alive() is None


async def test_a_streams_states_die_with_it() -> None:
    app = carrying()
    cargo = Cargo()
    alive = weakref.ref(cargo)
    chunks = [chunk async for chunk in app.astream({"cargo": cargo}, stream_mode=["values", "tasks"])]
    del cargo
    assert alive() is not None
    del chunks
    assert alive() is None


async def test_the_state_of_a_stream_that_was_left_dies_with_it() -> None:
    app = carrying()
    cargo = Cargo()
    alive = weakref.ref(cargo)
    async with app.astream({"cargo": cargo}) as stream:
        del cargo
        await anext(stream)
    del stream
    await turns(5)
    assert alive() is None


async def test_the_state_of_a_failed_run_dies_with_its_error() -> None:
    async def fails(state: Hold) -> None:
        await turns(1)
        raise KeyError("lost")

    app = graph(Hold, fails, paths=["START fails"]).compile()
    cargo = Cargo()
    alive = weakref.ref(cargo)
    try:
        await app.ainvoke({"cargo": cargo})
    except KeyError:
        pass
    del cargo
    await turns(2)
    assert alive() is None


async def test_the_context_of_a_run_dies_with_it() -> None:
    app = carrying()
    context = Cargo()
    alive = weakref.ref(context)
    await app.ainvoke({"cargo": 1}, context=context)
    del context
    assert alive() is None


async def test_a_graph_that_was_run_dies_when_dropped() -> None:
    app = carrying()
    alive = weakref.ref(app)
    await app.ainvoke({"cargo": 1})
    await read(app.astream({"cargo": 1}))
    del app
    assert alive() is None


async def test_a_graph_with_threads_dies_when_dropped_and_its_saver_too() -> None:
    saver = InMemorySaver()
    app = chain(says("a"), saver=saver)
    alive = [weakref.ref(app), weakref.ref(saver)]
    await app.ainvoke({}, thread(), multitask_strategy="enqueue")
    await app.aget_state(thread())
    del app, saver
    assert [each() for each in alive] == [None, None]
