"""Entrypoints, tasks and steps. Never run: read by type checkers alone."""

import asyncio
from dataclasses import dataclass
from typing import Any, assert_type

from graphrt.func import TaskFuture, entrypoint, step, task
from graphrt.runtime import Runtime
from graphrt.types import GraphOutput, StreamWriter


@dataclass
class Context:
    user: str


@task
async def fetch(url: str, *, retries: int = 0) -> bytes:
    return url.encode()


@task
def count(text: bytes) -> int:
    return len(text)


@task(name="other")
async def named(word: str) -> str:
    return word


@task(name="other sync")
def named_sync(word: str) -> str:
    return word


@entrypoint()
async def size(url: str, *, writer: StreamWriter) -> int:
    # A call gives a future of the function's result, sync or async.
    future = assert_type(fetch(url), TaskFuture[bytes])
    assert_type(await future, bytes)
    assert_type(await fetch(url, retries=3), bytes)
    assert_type(await count(b""), int)
    assert_type([await named("a"), await named_sync("a")], list[str])
    both = await asyncio.gather(fetch(url), count(b""))
    assert_type(both, tuple[bytes, int])
    assert_type(await asyncio.wait_for(fetch(url), 1), bytes)
    await fetch(1)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    await fetch(url, 3)  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
    return both[1]


@entrypoint("memory://")
def size_sync(url: str, previous: int | None = None) -> int:
    future = fetch(url)
    assert_type(future.result(timeout=1), bytes)
    assert_type(future.done(), bool)
    assert_type(future.exception(), BaseException | None)
    return count(future.result()).result()


@entrypoint(checkpointer="memory://", context_schema=Context)
async def counts(word: str, runtime: Runtime[Context]) -> entrypoint.final[str, int]:
    return entrypoint.final(value=word, save=len(word))


async def running() -> None:
    # v1 gives plain values, v2 an output of what the function returns.
    assert_type(await size.ainvoke("a"), Any)
    assert_type(await size.ainvoke("a", version="v2"), GraphOutput[int])
    assert_type(size_sync.invoke("a", version="v2"), GraphOutput[int])
    assert_type(await counts.ainvoke("a", context=Context("Ada"), version="v2"), GraphOutput[str])
    await size.ainvoke(1)  # type: ignore[call-overload] # pyright: ignore[reportArgumentType]


async def look(url: str, times: int = 1) -> bytes:
    return url.encode()


def look_sync(url: str) -> int:
    return len(url)


async def node(state: dict[str, Any]) -> None:
    # A step takes what its function takes, and gives what it returns.
    assert_type(await step("look", look, "a", times=2), bytes)
    assert_type(await step("look sync", look_sync, "a"), int)
    assert_type(step.sync("here", look_sync, "a"), int)
    await step("look", look, 1)  # type: ignore[call-overload] # pyright: ignore[reportArgumentType, reportCallIssue]
    await step(3, look, "a")  # type: ignore[call-overload] # pyright: ignore[reportArgumentType, reportCallIssue]
