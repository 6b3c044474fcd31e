"""Every checkpointer of ours passes the suite that others run on theirs, on every loop."""

from typing import Any

import pytest

from graphrt.testing.conformance import CheckpointerConformance


class TestContract(CheckpointerConformance):
    @pytest.fixture
    def saver(self, saver: Any) -> Any:
        """The one that all tests here get: each of `SAVERS` in turn."""
        return saver
