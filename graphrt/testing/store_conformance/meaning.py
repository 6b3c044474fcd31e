"""Finding items by what they mean: nearest first (LangGraph S4). The test's index counts letters."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from graphrt.errors import GraphValidationError
from graphrt.store.base import BaseStore, PutOp, SearchItem, SearchOp
from graphrt.testing.clock import FakeClock
from graphrt.testing.store_conformance.case import INDEX, Root, StoreCase, embed, keys

__all__ = ["Meaning"]


async def put_texts(store: BaseStore, root: Root, *texts: str) -> None:
    """Items whose keys are their texts."""
    await store.abatch([PutOp(root, text, {"text": text}) for text in texts])


def scores(found: list[SearchItem]) -> dict[str, float | None]:
    """How near each is."""
    return {item.key: item.score for item in found}


class Meaning(StoreCase):
    """A query orders what prefix and filter let through; it hides nothing."""

    async def test_nearest_comes_first(self, indexed: BaseStore, root: Root) -> None:
        await put_texts(indexed, root, "c", "aab", "ab", "a")
        found = await indexed.asearch(root, query="aaa")
        assert keys(found) == ["a", "aab", "ab", "c"]

    async def test_score_is_the_cosine(self, indexed: BaseStore, root: Root) -> None:
        await put_texts(indexed, root, "c", "ab", "a")
        found = scores(await indexed.asearch(root, query="aaa"))
        assert found == {
            "a": pytest.approx(1),
            "ab": pytest.approx(0.5**0.5),
            "c": pytest.approx(0, abs=1e-6),
        }

    async def test_without_a_query_the_last_put_comes_first(
        self, indexed: BaseStore, root: Root, clock: FakeClock
    ) -> None:
        await put_texts(indexed, root, "a")
        clock.move(1)
        await put_texts(indexed, root, "b")
        for query in (None, ""):
            assert scores(await indexed.asearch(root, query=query)) == {"b": None, "a": None}
            assert keys(await indexed.asearch(root, query=query)) == ["b", "a"]

    async def test_equally_near_the_last_put_comes_first(
        self, indexed: BaseStore, root: Root, clock: FakeClock
    ) -> None:
        for key in ("1", "3", "2"):
            await indexed.aput(root, key, {"text": "abc"})
            clock.move(timedelta(microseconds=1))
        assert keys(await indexed.asearch(root, query="ab")) == ["2", "3", "1"]

    async def test_filter_prefix_and_page_choose_among_the_near(self, indexed: BaseStore, root: Root) -> None:
        texts = ["a", "aab", "ab", "abb", "b"]
        for n, text in enumerate(texts):
            await indexed.aput((*root, "in"), text, {"text": text, "n": n})
            await indexed.aput((*root, "out"), text, {"text": text, "n": n})
        below = (*root, "in")
        assert keys(await indexed.asearch(below, query="a", limit=2)) == ["a", "aab"]
        assert keys(await indexed.asearch(below, query="a", limit=2, offset=2)) == ["ab", "abb"]
        assert keys(await indexed.asearch(below, query="a", filter={"n": {"$gte": 2}}, limit=2)) == [
            "ab",
            "abb",
        ]

    async def test_what_has_no_vector_comes_last(
        self, indexed: BaseStore, root: Root, clock: FakeClock
    ) -> None:
        await indexed.aput(root, "not indexed", {"text": "a"}, index=False)
        clock.move(1)
        await indexed.aput(root, "no text", {"number": 1})
        await indexed.aput(root, "far", {"text": "b"})
        found = await indexed.asearch(root, query="a")
        assert keys(found) == ["far", "no text", "not indexed"]
        assert [item.score for item in found] == [pytest.approx(0, abs=1e-6), None, None]
        assert keys(await indexed.asearch(root, query="a", limit=1, offset=1)) == ["no text"]

    async def test_put_names_its_own_paths(self, indexed: BaseStore, root: Root) -> None:
        await indexed.aput(root, "k", {"text": "a", "other": {"title": "b"}}, index=["other.title"])
        assert scores(await indexed.asearch(root, query="b")) == {"k": pytest.approx(1)}
        assert scores(await indexed.asearch(root, query="a")) == {"k": pytest.approx(0, abs=1e-6)}

    async def test_best_of_several_texts_counts(self, indexed: BaseStore, root: Root) -> None:
        parts = [{"text": "b"}, {"text": "c"}, {"text": "b"}]
        await indexed.aput(root, "parts", {"text": "a", "parts": parts}, index=["text", "parts[*].text"])
        await indexed.aput(root, "whole", {"text": "abc"})
        assert scores(await indexed.asearch(root, query="c")) == {
            "parts": pytest.approx(1),
            "whole": pytest.approx(1 / 3**0.5),
        }
        assert len(await indexed.asearch(root, query="b")) == 2

    async def test_put_replaces_its_vectors(self, indexed: BaseStore, root: Root) -> None:
        await indexed.aput(root, "k", {"text": "a", "more": "c"}, index=["text", "more"])
        await put_texts(indexed, root, "ab")
        await indexed.aput(root, "k", {"text": "b"})
        assert keys(await indexed.asearch(root, query="a")) == ["ab", "k"]
        await indexed.aput(root, "k", {"text": "b"}, index=False)
        assert scores(await indexed.asearch(root, query="b"))["k"] is None
        await indexed.adelete(root, "k")
        assert keys(await indexed.asearch(root, query="b")) == ["ab"]

    async def test_each_search_of_a_batch_has_its_query(self, indexed: BaseStore, root: Root) -> None:
        await put_texts(indexed, root, "a", "b")
        ops = [
            SearchOp(root, query="a"),
            SearchOp(root, query="b"),
            SearchOp(root),
            SearchOp(root, query="a"),
        ]
        results: list[Any] = await indexed.abatch(ops)
        assert [keys(found) for found in results] == [["a", "b"], ["b", "a"], ["a", "b"], ["a", "b"]]

    async def test_same_text_is_embedded_for_each_item(self, indexed: BaseStore, root: Root) -> None:
        await indexed.abatch([PutOp(root, key, {"text": "ab"}) for key in ("1", "2")])
        found = await indexed.asearch(root, query="ab")
        assert [item.score for item in found] == [pytest.approx(1), pytest.approx(1)]

    async def test_texts_of_a_batch_are_embedded_in_one_call(self, opened: Any, root: Root) -> None:
        asked: list[list[str]] = []

        async def heard(texts: list[str]) -> list[list[float]]:
            asked.append(texts)
            return embed(texts)

        store = await opened(index={**INDEX, "embed": heard})
        await store.abatch([PutOp(root, str(n), {"text": text}) for n, text in enumerate("abab")])
        assert asked == [["a", "b"]]

    async def test_whole_value_is_embedded_unless_fields_are_named(self, opened: Any, root: Root) -> None:
        store = await opened(index={**INDEX, "fields": None})
        await store.aput(root, "k", {"x": ["aa", {"y": "b"}]})
        [found] = await store.asearch(root, query="aab")
        assert found.score == pytest.approx(1)

    async def test_texts_without_direction_do_no_harm(self, indexed: BaseStore, root: Root) -> None:
        await put_texts(indexed, root, "xyz", "a")
        found = await indexed.asearch(root, query="a")
        assert scores(found) == {"a": pytest.approx(1), "xyz": pytest.approx(0, abs=1e-6)}
        assert len(await indexed.asearch(root, query="xyz")) == 2

    async def test_embedding_of_other_dims_stores_nothing(self, opened: Any, root: Root) -> None:
        async def wrong(texts: list[str]) -> list[list[float]]:
            return [[1.0]] * len(texts)

        store = await opened(index={**INDEX, "embed": wrong})
        with pytest.raises(GraphValidationError, match="dims=3"):
            await store.aput(root, "k", {"text": "a"})
        assert await store.aget(root, "k") is None
