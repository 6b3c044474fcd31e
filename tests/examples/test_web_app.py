"""examples/web_app.py: a run streams to a browser, and ends when the browser has gone."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, TypedDict

import httpx

from examples import web_app
from examples.web_app import make_app
from graphrt.graph import START, StateGraph
from graphrt.types import StreamWriter
from tests.examples.conftest import Serve

SOON_S = 20


class State(TypedDict, total=False):
    text: str
    words: int


def graph_of(node: Any) -> Any:
    return StateGraph(State).add_node("node", node).add_edge(START, "node").compile()


class Probe:
    """A graph that reports once and then waits for ever; it tells whether it was cancelled."""

    def __init__(self) -> None:
        self.cancelled = asyncio.Event()
        self.never = asyncio.Event()
        self.graph = graph_of(self.node)

    async def node(self, state: State, writer: StreamWriter) -> State:
        writer({"started": state["text"]})
        try:
            await self.never.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        return {}


async def events(lines: AsyncIterator[str]) -> AsyncIterator[tuple[str, str]]:
    """(kind, data) of each server-sent event."""
    kind = ""
    async for line in lines:
        field, _, value = line.partition(": ")
        if field == "event":
            kind = value
        elif field == "data":
            yield kind, value


async def all_events(url: str) -> list[tuple[str, str]]:
    async with httpx.AsyncClient(timeout=SOON_S) as client, client.stream("GET", url) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        return [received async for received in events(response.aiter_lines())]


async def test_chunks_come_as_events_and_the_end_is_told(serve: Serve):
    async def node(state: State, writer: StreamWriter) -> State:
        writer({"word": state["text"]})
        return {"words": 1}

    url = await serve(make_app(graph_of(node)))
    assert await all_events(f"{url}/run?text=hello") == [
        ("custom", '{"word": "hello"}'),
        ("updates", '{"node": {"words": 1}}'),
        ("end", "null"),
    ]


async def test_a_client_that_goes_away_in_mid_stream_cancels_the_run(serve: Serve):
    probe = Probe()
    url = await serve(make_app(probe.graph))
    async with httpx.AsyncClient(timeout=SOON_S) as client:
        async with client.stream("GET", f"{url}/run?text=hello") as response:
            received = events(response.aiter_lines())
            assert await anext(received) == ("custom", '{"started": "hello"}')
            assert not probe.cancelled.is_set()
        await asyncio.wait_for(probe.cancelled.wait(), SOON_S)


async def test_one_clients_leaving_does_not_disturb_another(serve: Serve):
    leaving, staying = Probe(), Probe()
    leaving_url, staying_url = await serve(make_app(leaving.graph)), await serve(make_app(staying.graph))
    async with httpx.AsyncClient(timeout=SOON_S) as client:
        async with client.stream("GET", f"{staying_url}/run?text=b") as stays:
            kept = events(stays.aiter_lines())  # dropping it would close the response
            await anext(kept)
            async with client.stream("GET", f"{leaving_url}/run?text=a") as goes:
                await anext(events(goes.aiter_lines()))
            await asyncio.wait_for(leaving.cancelled.wait(), SOON_S)
            assert not staying.cancelled.is_set()
        await asyncio.wait_for(staying.cancelled.wait(), SOON_S)


async def test_a_failing_node_is_told_as_an_event(serve: Serve):
    async def node(state: State) -> State:
        raise ValueError("no such word")

    url = await serve(make_app(graph_of(node)))
    kinds = await all_events(f"{url}/run?text=x")
    assert kinds == [("error", '"ValueError: no such word"'), ("end", "null")]


async def test_the_page_is_served(serve: Serve):
    url = await serve(web_app.app)
    async with httpx.AsyncClient(timeout=SOON_S) as client:
        page = await client.get(url)
    assert page.status_code == 200 and "EventSource" in page.text
