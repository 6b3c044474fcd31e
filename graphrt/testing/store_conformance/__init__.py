"""A conformance suite for stores: inherit from `StoreConformance`, say how yours is opened, run pytest.

    from graphrt.testing.store_conformance import StoreConformance

    class TestMyStore(StoreConformance):
        def open_store(self, directory, *, clock, index, ttl):
            return MyStore(directory / "memory.db", clock=clock, index=index, ttl=ttl)

It needs pytest and Hypothesis, and runs under pytest-asyncio (either mode) or anyio's plugin. What is where:

    case                  opened stores, a namespace of the test's own, a clock that the test moves
    keeping               values, addresses and times of items
    searching, listing    filters, order and pages; namespaces
    together              batches; several callers at once
    meaning               vectors
    expiring              items whose time is over
    model, random_items   the simplest possible store, and random histories against it
"""
# ruff: noqa: E402
# A failed assert shows its values only in modules that pytest rewrites, and it must be told before it imports them.

from __future__ import annotations

import pytest

pytest.register_assert_rewrite(
    *(
        f"{__name__}.{part}"
        for part in (
            "case",
            "expiring",
            "keeping",
            "listing",
            "meaning",
            "model",
            "random_items",
            "searching",
            "together",
        )
    )
)

from graphrt.testing.store_conformance.case import StoreCase
from graphrt.testing.store_conformance.expiring import Expiring, Sweeping
from graphrt.testing.store_conformance.keeping import Addresses, Times, Values
from graphrt.testing.store_conformance.listing import Listing
from graphrt.testing.store_conformance.meaning import Meaning
from graphrt.testing.store_conformance.random_items import RandomItems
from graphrt.testing.store_conformance.searching import Filters, Pages
from graphrt.testing.store_conformance.together import Batches, Callers

__all__ = ["StoreCase", "StoreConformance"]


class StoreConformance(
    Values,
    Addresses,
    Times,
    Filters,
    Pages,
    Listing,
    Batches,
    Callers,
    Meaning,
    Expiring,
    Sweeping,
    RandomItems,
):
    """Everything that every store promises.

    A store that keeps items for ever says `supports_ttl = False` here too. A test that a store is known not to pass is
    switched off in the subclass: `test_x = None`.
    """
