"""What stores in databases are put through, besides the contract."""

from typing import Any

import pytest

from graphrt.errors import GraphError
from graphrt.store.base import BaseStore, IndexConfig, PutOp
from graphrt.store.memory import InMemoryStore
from graphrt.testing.clock import FakeClock

__all__ = ["INDEX", "WORDS", "exercise", "same_as_memory"]

WORDS = [a + b + c for a in "aeiouxy" for b in "aeiouxy" for c in "aex"]


def embed(texts: Any) -> list[list[float]]:
    return [[float(text.count(letter)) for letter in "aeiou"] for text in texts]


async def aembed(texts: Any) -> list[list[float]]:
    return embed(texts)


INDEX: IndexConfig = {"dims": 5, "embed": aembed, "fields": ["text"]}


async def exercise(store: Any, text: str) -> None:
    """Everything that a store can do, with one string wherever there can be one."""
    value = {"text": text, "other": 1}
    for namespace in [("all", text), (text,), ("all",)]:
        try:
            await store.aput(namespace, text, {**value, text: text}, ttl=5)
        except GraphError:
            continue
        item = await store.aget(namespace, text)
        assert item.value == {**value, text: text} and (item.namespace, item.key) == (namespace, text)
        assert text in [
            found.key for found in await store.asearch(namespace, filter={"text": text}, limit=99)
        ]
        assert namespace in await store.alist_namespaces(prefix=namespace, limit=999)
        await store.asearch(namespace, query=text, filter={"text": {"$gte": text}})
        await store.adelete(namespace, text)
        assert await store.aget(namespace, text) is None


async def same_as_memory(store: BaseStore, clock: FakeClock) -> None:
    """Search finds what it finds in memory, with the same scores."""
    memory = InMemoryStore(index=INDEX, clock=clock)
    puts = [PutOp((f"{n % 3}",), word, {"text": word, "n": n % 4}) for n, word in enumerate(WORDS)]
    puts += [PutOp(("0",), "plain", {"n": 1}, False)]
    for each in (memory, store):
        await each.abatch(puts)
    for prefix in [(), ("1",)]:
        for options in [{}, {"filter": {"n": 1}}, {"offset": 7, "limit": 30}, {"limit": 500}]:
            for query in ("a", "xi", "xx"):
                expected = await memory.asearch(prefix, query=query, **options)  # type: ignore[arg-type]
                found = await store.asearch(prefix, query=query, **options)  # type: ignore[arg-type]
                assert [item.key for item in found] == [item.key for item in expected]
                assert [item.score for item in found] == pytest.approx([item.score for item in expected])
