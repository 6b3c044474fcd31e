"""A conformance suite for checkpointers: inherit from `CheckpointerConformance`, say how yours is opened, run pytest.

    from graphrt.testing.conformance import CheckpointerConformance

    class TestMySaver(CheckpointerConformance):
        def open_saver(self, directory): return MySaver(directory / "threads.db")

It needs pytest and Hypothesis, and runs under pytest-asyncio (either mode) or anyio's plugin. Tests of optional
abilities are skipped where a checkpointer does not have them. What is where:

    case, records         an opened saver, a writer that knows its head, records to write
    reading, committing   what comes back; what a commit changes; when it is refused
    growth, forks         channels that grow; branches
    results               of tasks: appended before their step is committed, or brought by the commit
    history, namespaces   pages of the past; what stands apart; what is forgotten
    races                 several at once, and cancelled ones
    model, random_threads the simplest possible thread, and random histories against it
    copying, runs, pruning, nesting, listing    optional abilities
"""
# ruff: noqa: E402
# A failed assert shows its values only in modules that pytest rewrites, and it must be told before it imports them.

from __future__ import annotations

import pytest

pytest.register_assert_rewrite(
    *(
        f"{__name__}.{part}"
        for part in (
            "case", "committing", "copying", "forks", "growth", "history", "listing", "model", "namespaces", "nesting",
            "pruning", "races", "random_threads", "reading", "records", "results", "runs",
        )
    )
)  # fmt: skip

from graphrt.testing.conformance.case import CheckpointerCase
from graphrt.testing.conformance.committing import Changes, Heads
from graphrt.testing.conformance.copying import Copying
from graphrt.testing.conformance.forks import Forks
from graphrt.testing.conformance.growth import Growth
from graphrt.testing.conformance.history import History
from graphrt.testing.conformance.listing import Listing, Measuring
from graphrt.testing.conformance.namespaces import Forgetting, Namespaces
from graphrt.testing.conformance.nesting import Nesting
from graphrt.testing.conformance.pruning import Pruning
from graphrt.testing.conformance.races import Races
from graphrt.testing.conformance.random_threads import RandomThreads
from graphrt.testing.conformance.reading import Reading
from graphrt.testing.conformance.results import AppendedResults, BroughtResults
from graphrt.testing.conformance.runs import Runs

__all__ = ["CheckpointerCase", "CheckpointerConformance"]


class CheckpointerConformance(
    Reading,
    Changes,
    Heads,
    Growth,
    Forks,
    AppendedResults,
    BroughtResults,
    History,
    Namespaces,
    Forgetting,
    Races,
    RandomThreads,
    Copying,
    Runs,
    Pruning,
    Nesting,
    Listing,
    Measuring,
):
    """Everything that every checkpointer promises, and what its optional abilities do.

    A test that a checkpointer is known not to pass is switched off in the subclass: `test_x = None`.
    """
