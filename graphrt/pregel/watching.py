"""Makes a run one that is observed, before anything has happened in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphrt.engine.audience import Audience, observers_of
from graphrt.engine.observed import Observed
from graphrt.engine.timed import TimedJournal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphrt.core.state import Task
    from graphrt.engine.run import Run
    from graphrt.observers import Observer

__all__ = ["observe"]


def observe(run: Run, own: Sequence[Observer], callbacks: Any, around: Task | None) -> None:
    """Have a run told to its graph's observers, those of the call, and those of the run that it is called in.

    Args:
        around: the task it is called in, be it part of it or a run of its own.

    Raises:
        InvalidObserverError: a callback is an observer, but an async one.
    """
    outer: Observed | None = around.owner.observed if around is not None else None
    audience = outer.audience if outer is not None else Audience()
    audience = audience.with_more((*own, *observers_of(callbacks, strict=False)))
    if not audience.observers:
        return
    config = run.config_ if run.config_ is not None else run.own_config
    run.observed = Observed(audience, run, around, config.get("run_id") if config else None)
    if run.journal is not None:
        run.journal = TimedJournal.of(run.journal)
        if run.publisher is not None and run.publisher.journal is not None:
            run.publisher.journal = run.journal
