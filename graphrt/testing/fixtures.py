"""Fixtures that come with `graphrt.testing.plugin`."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from graphrt.testing.clock import FakeClock

__all__ = ["fake_clock"]


@pytest.fixture
def fake_clock() -> Generator[FakeClock, None, None]:
    """A clock that stands still until the test moves it; the engine takes the time from it."""
    clock = FakeClock()
    with clock.installed():
        yield clock
