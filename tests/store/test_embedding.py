"""Whatever makes embeddings is used as it can be: sync or async, from a loop or without one."""

import asyncio
import threading
from typing import Any

import pytest

from graphrt.errors import GraphValidationError, RunningLoopError
from graphrt.store.base import ensure_embeddings
from graphrt.store.index import index_of
from graphrt.store.memory import InMemoryStore


def embed(texts: Any) -> list[list[float]]:
    return [[float(len(text)), 1.0] for text in texts]


async def aembed(texts: Any) -> list[list[float]]:
    await asyncio.sleep(0)
    return embed(texts)


class Callable:
    async def __call__(self, texts: Any) -> list[list[float]]:
        return embed(texts)


class Sync:
    def embed_documents(self, texts: Any) -> list[list[float]]:
        return embed(texts)

    def embed_query(self, text: str) -> list[float]:
        return [-1.0, 0.0]


class Async:
    async def aembed_documents(self, texts: Any) -> list[list[float]]:
        return embed(texts)

    async def aembed_query(self, text: str) -> list[float]:
        return [-1.0, 0.0]


ALL = [embed, aembed, Callable(), Sync(), Async()]


@pytest.mark.parametrize("given", ALL, ids=lambda given: getattr(given, "__name__", type(given).__name__))
def test_embeddings_of_a_thread_without_a_loop(given: Any):
    made = ensure_embeddings(given)
    query = [-1.0, 0.0] if hasattr(type(given), "embed_query") or isinstance(given, Async) else [3.0, 1.0]
    assert made.embed_documents(["ab", ""]) == [[2.0, 1.0], [0.0, 1.0]]
    assert made.embed_query("abc") == query
    assert asyncio.run(made.aembed_documents(["ab"])) == [[2.0, 1.0]]
    assert asyncio.run(made.aembed_query("abc")) == query


async def test_sync_function_does_not_block_the_loop():
    threads: list[int] = []

    def blocking(texts: Any) -> list[list[float]]:
        threads.append(threading.get_ident())
        return embed(texts)

    await ensure_embeddings(blocking).aembed_documents(["a"])
    assert threads != [threading.get_ident()]


async def test_async_function_cannot_be_waited_for_in_a_running_loop():
    store = InMemoryStore(index={"dims": 2, "embed": aembed})
    with pytest.raises(RunningLoopError, match=r"store\.abatch"):
        store.put(("a",), "k", {"text": "a"})


def test_object_that_can_do_all_is_taken_as_it_is():
    class Both(Sync, Async):
        pass

    both = Both()
    assert ensure_embeddings(both) is both


def test_name_of_a_model_says_what_to_give_instead():
    with pytest.raises(GraphValidationError, match=r"some:model.*function"):
        ensure_embeddings("some:model")


@pytest.mark.parametrize("given", [None, 1, object()])
def test_what_makes_no_embeddings_is_refused(given: Any):
    with pytest.raises(GraphValidationError, match="makes no embeddings"):
        ensure_embeddings(given)


@pytest.mark.parametrize("config", [{}, {"dims": 3}, {"embed": embed}, {"dims": 0, "embed": embed}])
def test_index_without_dims_or_embed_is_refused(config: Any):
    with pytest.raises(GraphValidationError, match="dims"):
        index_of(config)
