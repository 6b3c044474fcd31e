"""What every part of the suite stands on: an opened store, a namespace of the test's own, a clock the test moves."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from inspect import isawaitable
from pathlib import Path
from typing import Any, Final, TypeAlias, cast
from uuid import uuid4

import pytest

from graphrt.store.base import BaseStore, IndexConfig, SearchItem, TTLConfig
from graphrt.testing.clock import FakeClock

__all__ = ["INDEX", "Opening", "Root", "StoreCase", "embed", "keys"]

Opening: TypeAlias = Any
"""A store, or what gives one when it is entered (`async with`) or awaited."""
Root: TypeAlias = tuple[str, ...]
"""The namespace that a test has for itself."""

_pytest_asyncio: Any = sys.modules.get(
    "pytest_asyncio"
)  # imported by pytest itself, if it is not switched off
_driver = pytest.mark.asyncio if _pytest_asyncio else pytest.mark.anyio
_async_fixture = cast(
    "Callable[[Callable[..., Any]], Any]",
    _pytest_asyncio.fixture if _pytest_asyncio else pytest.fixture,
)


def embed(texts: Any) -> list[list[float]]:
    """Texts that have the same letters are near; three numbers say how many of a, b and c there are."""
    return [[float(text.count(letter)) for letter in "abc"] for text in texts]


async def _aembed(texts: Any) -> list[list[float]]:
    return embed(texts)


INDEX: Final[IndexConfig] = {"dims": 3, "embed": _aembed, "fields": ["text"]}
"""The index of the stores that have one."""


def keys(found: list[SearchItem]) -> list[str]:
    """The keys of what was found, in its order."""
    return [item.key for item in found]


class StoreCase:
    """Tests on stores that `open_store` gives."""

    pytestmark: Any = _driver

    def open_store(
        self, directory: Path, *, clock: FakeClock, index: IndexConfig | None, ttl: TTLConfig | None
    ) -> Opening:
        """A store for one test: itself, or an async context manager or awaitable that gives it.

        It may hold items already: tests write below a namespace of their own. `directory` is empty, and the test's
        own. What time it is the store must ask `clock`.
        """
        raise pytest.UsageError(
            f"{type(self).__name__} has no store to test: give it a method "
            "`open_store(self, directory, *, clock, index, ttl)` that returns one."
        )

    @pytest.fixture
    def anyio_backend(self) -> str:
        """Stores run on asyncio."""
        return "asyncio"

    @pytest.fixture
    def clock(self) -> FakeClock:
        """The time of all stores of the test."""
        return FakeClock()

    @pytest.fixture
    def root(self) -> Root:
        """A namespace that nobody has."""
        return (f"test-{uuid4()}",)

    @_async_fixture
    async def opened(self, tmp_path: Path, clock: FakeClock) -> AsyncIterator[Any]:
        """Opens stores that are closed after the test: `await opened(index=..., ttl=...)`."""
        async with AsyncExitStack() as stack:

            async def open_one(
                *, index: IndexConfig | None = None, ttl: TTLConfig | None = None
            ) -> BaseStore:
                opening = self.open_store(tmp_path, clock=clock, index=index, ttl=ttl)
                if hasattr(opening, "__aenter__"):
                    return cast("BaseStore", await stack.enter_async_context(opening))
                return cast("BaseStore", await opening if isawaitable(opening) else opening)

            yield open_one

    @_async_fixture
    async def store(self, opened: Any) -> BaseStore:
        """A store without an index, whose items live for ever unless a test says otherwise."""
        return cast("BaseStore", await opened())

    @_async_fixture
    async def indexed(self, opened: Any) -> BaseStore:
        """A store that finds items by the letters of their "text"."""
        return cast("BaseStore", await opened(index=INDEX))
