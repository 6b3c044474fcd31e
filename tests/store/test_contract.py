"""Every store of ours passes the suite that others run on theirs."""

from pathlib import Path
from typing import Any

import pytest

from graphrt.testing.store_conformance import StoreConformance
from tests.store.backends import STORES


@pytest.mark.parametrize("backend", STORES)
class TestContract(StoreConformance):
    @pytest.fixture(autouse=True)
    def _backend(self, backend: str) -> None:
        self.backend = backend

    def open_store(self, directory: Path, **options: Any) -> Any:
        return STORES[self.backend](directory, **options)
