"""The tests that `graphrt.testing.plugin` adds: the conformance suite on each checkpointer that it was given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from graphrt.checkpoint.urls import saver_from_url
from graphrt.testing.conformance import CheckpointerConformance
from graphrt.testing.plugin import URLS

__all__ = ["TestCheckpointer", "pytest_generate_tests"]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One round of the suite for each URL."""
    if "checkpointer_url" in metafunc.fixturenames:
        urls = metafunc.config.stash[URLS]
        metafunc.parametrize("checkpointer_url", urls, scope="class")


class TestCheckpointer(CheckpointerConformance):
    """A checkpointer that is known by its URL."""

    @pytest.fixture(autouse=True)
    def named(self, checkpointer_url: str) -> None:
        """Which one it is."""
        self.url = checkpointer_url

    def open_saver(self, directory: Path) -> Any:
        return saver_from_url(self.url.replace("{directory}", str(directory)))
