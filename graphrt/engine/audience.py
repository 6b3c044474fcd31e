"""Who is told of a run: made from what a graph or a call was given as observers (`graphrt.observers`)."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from inspect import iscoroutinefunction
from typing import Any, cast

from graphrt.callbacks import GraphCallbackHandler, Lifecycle
from graphrt.errors import GraphValidationError
from graphrt.observers import Event, Observer

__all__ = ["Audience", "InvalidObserverError", "observers_of"]

log = logging.getLogger("graphrt")


class InvalidObserverError(GraphValidationError, TypeError):
    """What was given as an observer cannot be told anything."""


class Audience:
    """The observers of an outermost run and of the runs inside it. What one of them raises harms nobody."""

    __slots__ = ("_reported", "observers")

    def __init__(self, observers: tuple[Observer, ...] = (), reported: set[int] | None = None) -> None:
        self.observers = observers
        self._reported: set[int] = set() if reported is None else reported

    def with_more(self, more: Iterable[Observer]) -> Audience:
        """The same and some more, each once."""
        known = list(self.observers)
        for observer in more:
            if not any(_who(observer) is _who(other) for other in known):
                known.append(observer)
        return self if len(known) == len(self.observers) else Audience(tuple(known), self._reported)

    def tell(self, event: Event) -> None:
        """Tell them all."""
        for observer in self.observers:
            try:
                observer.on_event(event)
            except Exception:
                if id(observer) not in self._reported:
                    self._reported.add(id(observer))
                    log.exception(
                        "Observer %r failed at %s. The run goes on; what else it raises in this run is not logged.",
                        observer,
                        type(event).__name__,
                    )


def _who(observer: Observer) -> Any:
    """Two wrappers of one handler are one observer."""
    return observer.handler if isinstance(observer, Lifecycle) else observer


def observers_of(given: Any, *, strict: bool) -> tuple[Observer, ...]:
    """Observers from what was given as such: one or several, or handlers of `graphrt.callbacks`.

    Args:
        strict: refuse anything else. A config's callbacks may have handlers among them that are meant for others.

    Raises:
        InvalidObserverError: something is no observer, or its `on_event` is async.
    """
    if given is None:
        return ()
    found: list[Observer] = []
    for item in cast("Iterable[Any]", given) if isinstance(given, (list, tuple, set)) else (given,):
        if (observer := _observer(item)) is not None:
            found.append(observer)
        elif strict:
            raise InvalidObserverError(
                "Expected an observer, which is an object with a method on_event(event), or a GraphCallbackHandler; "
                f"got {item!r}."
            )
    return tuple(found)


def _observer(item: Any) -> Observer | None:
    if isinstance(item, GraphCallbackHandler):
        return Lifecycle(item)
    if isinstance(item, type) or not isinstance(item, Observer):
        return None
    if iscoroutinefunction(item.on_event):
        raise InvalidObserverError(
            f"{type(item).__name__}.on_event is async, but observers are called inline. Make it a plain method; if it "
            "has to wait for something, let it put the event into a queue."
        )
    return item
