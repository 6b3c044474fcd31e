"""What every part of the suite stands on: an opened saver, a writer on a thread of the test's own, and who runs it.

The tests are coroutines. pytest-asyncio drives them if it is loaded, in whichever mode, else the plugin that comes
with anyio, which is always there.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable
from inspect import isawaitable
from pathlib import Path
from typing import Any, TypeAlias, cast

import pytest

from graphrt.checkpoint import Checkpointer
from graphrt.testing.conformance.records import Writer

__all__ = ["CheckpointerCase", "Opening", "capable"]

Opening: TypeAlias = Any
"""A checkpointer, or what gives one when it is entered (`async with`) or awaited."""

_pytest_asyncio: Any = sys.modules.get(
    "pytest_asyncio"
)  # imported by pytest itself, if it is not switched off
_driver = pytest.mark.asyncio if _pytest_asyncio else pytest.mark.anyio
_async_fixture = cast(
    "Callable[[Callable[..., Any]], Any]",
    _pytest_asyncio.fixture if _pytest_asyncio else pytest.fixture,
)


class CheckpointerCase:
    """Tests on a checkpointer that `open_saver` gives; or override the fixture `saver`."""

    pytestmark: Any = _driver

    def open_saver(self, directory: Path) -> Opening:
        """A checkpointer for one test: itself, or an async context manager or awaitable that gives it.

        It may hold threads already: tests write to threads of their own. `directory` is empty, and the test's own.
        """
        raise pytest.UsageError(
            f"{type(self).__name__} has no checkpointer to test: give it a method `open_saver(self, directory)` that "
            "returns one, or a fixture `saver`."
        )

    @pytest.fixture
    def anyio_backend(self) -> str:
        """Checkpointers run on asyncio."""
        return "asyncio"

    @_async_fixture
    async def saver(self, tmp_path: Path) -> AsyncIterator[Checkpointer]:
        """The checkpointer, open."""
        opening = self.open_saver(tmp_path)
        if hasattr(opening, "__aenter__"):
            async with opening as opened:
                yield opened
        else:
            yield await opening if isawaitable(opening) else opening

    @pytest.fixture
    def writer(self, saver: Checkpointer) -> Writer:
        """A writer of a thread that nobody has."""
        return Writer(saver)


def capable(saver: Any, capability: type, name: str) -> Any:
    """The saver as one that has an optional capability; skips the test if it has not."""
    if not isinstance(saver, capability):
        pytest.skip(f"{type(saver).__name__} does not offer to {name}")
    return saver
