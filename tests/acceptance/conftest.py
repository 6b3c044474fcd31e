"""What acceptance tests may ask for."""

from collections.abc import Iterator

import pytest

from graphrt.testing.clock import FakeClock


@pytest.fixture
def clock() -> Iterator[FakeClock]:
    """The clock that the engine goes by: it stands still until the test moves it."""
    fake = FakeClock()
    with fake.installed():
        yield fake
