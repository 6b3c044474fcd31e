"""The node functions that every contestant runs, as coroutines and as plain functions, and the routers between them.

A node takes a mapping and returns an update, and does as little as a node can: what remains is the runtime's.
"""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bench.cases import Door

State = Mapping[str, Any]
Update = dict[str, Any]
Node = Callable[[State], Update] | Callable[[State], Awaitable[Update]]

AGAIN = "again"
DONE = "done"


async def count_async(state: State) -> Update:
    return {"x": state["x"] + 1}


def count_sync(state: State) -> Update:
    return {"x": state["x"] + 1}


async def wide_state_async(state: State) -> Update:
    return {"c0": state["c0"] + 1}


def wide_state_sync(state: State) -> Update:
    return {"c0": state["c0"] + 1}


async def wide_dict_async(state: State) -> Update:
    data = state["data"]
    return {"data": {**data, "k0": data["k0"] + 1}}


def wide_dict_sync(state: State) -> Update:
    data = state["data"]
    return {"data": {**data, "k0": data["k0"] + 1}}


async def work_async(state: State) -> Update:
    return {"results": [state["i"]]}


def work_sync(state: State) -> Update:
    return {"results": [state["i"]]}


async def tool_async(state: State) -> Update:
    return {"messages": [tool_message(state["messages"][-1])]}


def tool_sync(state: State) -> Update:
    return {"messages": [tool_message(state["messages"][-1])]}


COUNT: dict[Door, Node] = {"async": count_async, "sync": count_sync}
WIDE_STATE: dict[Door, Node] = {"async": wide_state_async, "sync": wide_state_sync}
WIDE_DICT: dict[Door, Node] = {"async": wide_dict_async, "sync": wide_dict_sync}
WORK: dict[Door, Node] = {"async": work_async, "sync": work_sync}
TOOL: dict[Door, Node] = {"async": tool_async, "sync": tool_sync}


async def increment_async(x: int) -> int:
    return x + 1


def increment_sync(x: int) -> int:
    return x + 1


INCREMENT: dict[Door, Any] = {"async": increment_async, "sync": increment_sync}
"""What the tasks of a functional pipeline do."""


def asking(door: Door, ask: Callable[[str], int], questions: int) -> Node:
    """Return a node that adds up what it is answered."""

    async def asking_async(state: State) -> Update:
        return {"x": state["x"] + sum(ask("how many?") for _ in range(questions))}

    def asking_sync(state: State) -> Update:
        return {"x": state["x"] + sum(ask("how many?") for _ in range(questions))}

    return asking_async if door == "async" else asking_sync


def model(door: Door, turns: int) -> Node:
    """Return a model that asks for a tool `turns` times and then answers."""

    async def model_async(state: State) -> Update:
        return {"messages": [model_message(len(state["messages"]) // 2, turns)]}

    def model_sync(state: State) -> Update:
        return {"messages": [model_message(len(state["messages"]) // 2, turns)]}

    return model_async if door == "async" else model_sync


def nap(door: Door, milliseconds: int) -> Node:
    """Return a node that sleeps before it counts."""
    seconds = milliseconds / 1_000

    async def nap_async(state: State) -> Update:
        await asyncio.sleep(seconds)
        return {"x": state["x"] + 1}

    def nap_sync(state: State) -> Update:
        time.sleep(seconds)
        return {"x": state["x"] + 1}

    return nap_async if door == "async" else nap_sync


def model_message(turn: int, turns: int) -> Update:
    if turn >= turns:
        return {"role": "assistant", "content": "The answer is 42.", "tool_calls": []}
    call = {"id": f"call-{turn}", "name": "search", "arguments": '{"query": "the question"}'}
    return {"role": "assistant", "content": "", "tool_calls": [call]}


def tool_message(request: State) -> Update:
    return {"role": "tool", "tool_call_id": request["tool_calls"][0]["id"], "content": "a page of text"}


def question() -> list[Update]:
    return [{"role": "user", "content": "What is the answer?"}]


def until(supersteps: int) -> Callable[[State], str]:
    """Return a router that goes round until the count reaches `supersteps`."""

    def route(state: State) -> str:
        return AGAIN if state["x"] < supersteps else DONE

    return route


def wants_tool(state: State) -> str:
    return AGAIN if state["messages"][-1]["tool_calls"] else DONE


def routing(door: Door, router: Callable[[State], Any]) -> Callable[[State], Any]:
    """Return the router for a door: a plain function, as every tutorial writes it.

    Through the async door LangGraph sends it to a worker thread, and what that costs depends on what else the machine
    does; `GRAPHRT_BENCH_ROUTERS=coroutine` makes routers coroutine functions there, for everybody, and so leaves it
    out.
    """
    if door != "async" or os.environ.get("GRAPHRT_BENCH_ROUTERS") != "coroutine":
        return router

    async def route(state: State) -> Any:
        return router(state)

    return route


def parcels(sends: int) -> list[Update]:
    return [{"i": i} for i in range(sends)]


def counted_parcels(sends: int) -> list[Update]:
    return [{"i": i, "x": 0} for i in range(sends)]


def wide_state(channels: int) -> Update:
    return {f"c{i}": 0 for i in range(channels)}


def wide_dict(keys: int) -> Update:
    return {"data": {f"k{i}": 0 for i in range(keys)}}
