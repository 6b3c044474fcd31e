"""What every cache does, whatever it keeps its entries in."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from graphrt.cache import BaseCache, InMemoryCache
from graphrt.cache.sqlite import SqliteCache
from graphrt.errors import SerializationError
from graphrt.testing.clock import FakeClock

A, B = ("prefix", "a"), ("prefix", "b")
World = tuple[BaseCache[Any], FakeClock]


def in_memory(clock: FakeClock, path: Path) -> BaseCache[Any]:
    return InMemoryCache(clock=clock.time_ns)


def in_sqlite(clock: FakeClock, path: Path) -> BaseCache[Any]:
    return SqliteCache(path=path / "cache.db", clock=clock.time_ns)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=[in_memory, in_sqlite])
def cache(request: pytest.FixtureRequest, clock: FakeClock, tmp_path: Path) -> Iterator[BaseCache[Any]]:
    """An empty cache of each kind."""
    make: Callable[[FakeClock, Path], BaseCache[Any]] = request.param
    cache = make(clock, tmp_path)
    yield cache
    if isinstance(cache, SqliteCache):
        cache.close()


def test_what_was_set_is_there(cache: BaseCache[Any]) -> None:
    cache.set({(A, "1"): ("one", None), (A, "2"): ({"n": (1, 2)}, None)})
    assert cache.get([(A, "1"), (A, "2"), (A, "3"), (B, "1")]) == {(A, "1"): "one", (A, "2"): {"n": (1, 2)}}


def test_nothing_is_asked_and_nothing_found(cache: BaseCache[Any]) -> None:
    assert cache.get([]) == {}
    cache.set({})
    assert cache.get([(A, "1")]) == {}


def test_the_last_value_counts(cache: BaseCache[Any]) -> None:
    cache.set({(A, "1"): ("old", None)})
    cache.set({(A, "1"): ("new", None)})
    assert cache.get([(A, "1")]) == {(A, "1"): "new"}


def test_none_is_a_value(cache: BaseCache[Any]) -> None:
    cache.set({(A, "1"): (None, None)})
    assert cache.get([(A, "1")]) == {(A, "1"): None}


@pytest.mark.parametrize("name", ["ä|\0:,[\"']", "\n", "\ud800", "", "x" * 2000])
def test_names_may_hold_any_character(cache: BaseCache[Any], name: str) -> None:
    cache.set({((name, name), name): (name, None), ((name,), name): ("other", None)})
    assert cache.get([((name, name), name)]) == {((name, name), name): name}


async def test_a_value_is_gone_when_its_time_is_over(cache: BaseCache[Any], clock: FakeClock) -> None:
    await cache.aset({(A, "1"): ("short", 2.5), (A, "2"): ("long", None)})
    await clock.advance(timedelta(seconds=2.4))
    assert len(await cache.aget([(A, "1"), (A, "2")])) == 2
    await clock.advance(timedelta(seconds=0.1))
    assert await cache.aget([(A, "1"), (A, "2")]) == {(A, "2"): "long"}


async def test_setting_it_again_gives_a_value_new_time(cache: BaseCache[Any], clock: FakeClock) -> None:
    await cache.aset({(A, "1"): ("x", 2)})
    await clock.advance(timedelta(seconds=1.5))
    await cache.aset({(A, "1"): ("x", 2)})
    await clock.advance(timedelta(seconds=1.5))
    await cache.aset({(A, "2"): ("y", None)})
    assert await cache.aget([(A, "1")]) == {(A, "1"): "x"}


def test_namespaces_are_cleared_one_by_one(cache: BaseCache[Any]) -> None:
    cache.set({(A, "1"): (1, None), (B, "1"): (2, None), (("prefix",), "1"): (3, None)})
    cache.clear([A, ("prefix",), ("unknown",)])
    assert cache.get([(A, "1"), (B, "1"), (("prefix",), "1")]) == {(B, "1"): 2}


def test_everything_is_cleared_if_nothing_is_named(cache: BaseCache[Any]) -> None:
    cache.set({(A, "1"): (1, 60), (B, "1"): (2, None)})
    cache.clear()
    assert cache.get([(A, "1"), (B, "1")]) == {}
    cache.set({(A, "1"): (3, 60)})
    assert cache.get([(A, "1")]) == {(A, "1"): 3}


def test_clearing_no_namespaces_clears_nothing(cache: BaseCache[Any]) -> None:
    cache.set({(A, "1"): (1, None)})
    cache.clear([])
    assert cache.get([(A, "1")]) == {(A, "1"): 1}


def test_a_value_that_cannot_be_stored_is_refused(cache: BaseCache[Any]) -> None:
    with pytest.raises(SerializationError):
        cache.set({(A, "1"): (object(), None)})


def test_nobody_can_change_what_others_get(cache: BaseCache[Any]) -> None:
    value = [1]
    cache.set({(A, "1"): (value, None)})
    value.append(2)
    cache.get([(A, "1")])[A, "1"].append(3)
    assert cache.get([(A, "1")]) == {(A, "1"): [1]}


async def test_coroutines_do_the_same_without_blocking(cache: BaseCache[Any]) -> None:
    await cache.aset({(A, "1"): (1, None), (B, "1"): (2, None)})
    await cache.aclear([B])
    assert await cache.aget([(A, "1"), (B, "1")]) == {(A, "1"): 1}


async def test_many_may_use_it_at_once(cache: BaseCache[Any]) -> None:
    async def use(n: int) -> Any:
        await cache.aset({(A, str(n)): (n, None)})
        return (await cache.aget([(A, str(n))]))[A, str(n)]

    assert await asyncio.gather(*map(use, range(20))) == list(range(20))


def test_threads_may_use_it_at_once(cache: BaseCache[Any]) -> None:
    def use(n: int) -> Any:
        cache.set({(A, str(n % 5)): (n % 5, 60)})
        return cache.get([(A, str(n % 5))]) == {(A, str(n % 5)): n % 5}

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(use, range(200)))


# ---- one kind alone


async def test_memory_is_bounded_by_the_time_values_have(clock: FakeClock) -> None:
    cache: InMemoryCache[int] = InMemoryCache(clock=clock.time_ns)
    for n in range(50):
        cache.set({(A, str(n)): (n, 10)})
        await clock.advance(timedelta(seconds=1))
    assert [len(entries) for entries in cache._entries.values()] == [10]


def test_a_file_is_shared(tmp_path: Path) -> None:
    first: SqliteCache[Any] = SqliteCache(path=tmp_path / "c.db")
    second: SqliteCache[Any] = SqliteCache(path=tmp_path / "c.db")
    with first, second:
        first.set({(A, "1"): ("x", None)})
        assert second.get([(A, "1")]) == {(A, "1"): "x"}


def test_a_file_that_is_no_cache_is_refused_and_let_go(tmp_path: Path) -> None:
    (tmp_path / "c.db").write_text("this is no database, and long enough for one to look at it " * 20)
    with SqliteCache[Any](path=tmp_path / "c.db") as cache, pytest.raises(sqlite3.DatabaseError):
        cache.get([(A, "1")])


def test_many_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    together = Barrier(8)

    def use(n: int) -> Any:
        with SqliteCache[Any](path=tmp_path / "c.db") as cache:
            together.wait()
            cache.set({(A, str(n)): (n, 60)})
            return cache.get([(A, str(n))])

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(use, range(8))) == [{(A, str(n)): n} for n in range(8)]


def test_a_file_outlives_who_wrote_it(tmp_path: Path) -> None:
    cache: SqliteCache[Any] = SqliteCache(path=tmp_path / "c.db")
    cache.set({(A, "1"): ("x", None)})
    cache.close()
    assert cache.get([(A, "1")]) == {(A, "1"): "x"}
    cache.close()


def test_a_file_loses_what_has_outlived_its_time(clock: FakeClock, tmp_path: Path) -> None:
    with SqliteCache[Any](path=tmp_path / "c.db", clock=clock.time_ns) as cache:
        cache.set({(A, "1"): ("x", 10), (A, "2"): ("y", None)})
        asyncio.run(clock.advance(timedelta(seconds=61)))
        cache.set({(A, "3"): ("z", None)})
    connection = sqlite3.connect(tmp_path / "c.db")
    assert connection.execute("SELECT key FROM graphrt_cache ORDER BY key").fetchall() == [('"2"',), ('"3"',)]
    connection.close()


def test_a_class_of_ones_own_needs_the_three_plain_methods_alone() -> None:
    class Mine(BaseCache[Any]):
        def __init__(self) -> None:
            super().__init__()
            self.entries: dict[Any, Any] = {}

        def get(self, keys: Any) -> Any:
            return {key: self.entries[key][0] for key in keys if key in self.entries}

        def set(self, pairs: Any) -> None:
            self.entries.update(pairs)

        def clear(self, namespaces: Any = None) -> None:
            self.entries.clear()

    async def use() -> Any:
        cache = Mine()
        await cache.aset({(A, "1"): (1, None)})
        found = await cache.aget([(A, "1")])
        await cache.aclear()
        return found, await cache.aget([(A, "1")])

    assert asyncio.run(use()) == ({(A, "1"): 1}, {})
