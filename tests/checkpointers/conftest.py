"""A writer on an empty saver of each kind."""

from typing import Any

import pytest

from tests.checkpointers.records import Writer


@pytest.fixture
async def writer(saver: Any) -> Writer:
    return Writer(saver)
