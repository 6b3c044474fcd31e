"""A store kept the simplest way: a dict of what was put, and everything else worked out when asked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import hypot
from typing import Any, TypeAlias

from graphrt.store.base import GetOp, ListNamespacesOp, Op, PutOp, SearchOp
from graphrt.store.filters import matches
from graphrt.testing.store_conformance.case import embed

__all__ = ["Entry", "Model", "Seen"]

Address: TypeAlias = tuple[tuple[str, ...], str]
Seen: TypeAlias = tuple[Any, ...]
"""What of an item can be compared: its address, value, times, and score."""


@dataclass
class Entry:
    """An item, and how long it lives."""

    put: PutOp
    created: datetime
    updated: datetime
    ends: datetime | None = None

    def score(self, query: str | None) -> float | None:
        """How near its "text" is."""
        text = (self.put.value or {}).get("text")
        if not query or text is None or self.put.index is False:
            return None
        [one, other] = embed([query, text])
        lengths = hypot(*one) * hypot(*other)
        return sum(a * b for a, b in zip(one, other, strict=True)) / lengths if lengths else 0.0

    def seen(self, score: float | None = None) -> Seen:
        """The item as it is given back."""
        value = json.loads(json.dumps(self.put.value))
        return self.put.namespace, self.put.key, value, self.created, self.updated, score


@dataclass
class Model:
    """All items of a store."""

    entries: dict[Address, Entry] = field(default_factory=dict[Address, Entry])

    def do(self, ops: Sequence[Op], now: datetime) -> list[Any]:
        """A batch."""
        self.entries = {at: entry for at, entry in self.entries.items() if not entry.ends or entry.ends > now}
        results = [None if isinstance(op, PutOp) else self.read(op, now) for op in ops]
        before = dict(self.entries)
        for op in ops:
            if isinstance(op, PutOp):
                self.put(op, before, now)
        return results

    def put(self, op: PutOp, before: dict[Address, Entry], now: datetime) -> None:
        """One of its puts."""
        address = op.namespace, op.key
        if op.value is None:
            self.entries.pop(address, None)
            return
        created = before[address].created if address in before else now
        self.entries[address] = Entry(op, created, now)
        self.refresh(self.entries[address], now)

    def refresh(self, entry: Entry, now: datetime) -> None:
        """Begin its time anew."""
        if entry.put.ttl is not None:
            entry.ends = now + timedelta(minutes=entry.put.ttl)

    def read(self, op: GetOp | SearchOp | ListNamespacesOp, now: datetime) -> Any:
        """One of its reads."""
        match op:
            case GetOp():
                entry = self.entries.get((op.namespace, op.key))
                if entry is not None and op.refresh_ttl:
                    self.refresh(entry, now)
                return entry and entry.seen()
            case SearchOp():
                page = self.found(op)[op.offset : op.offset + op.limit]
                for entry in page if op.refresh_ttl else ():
                    self.refresh(entry, now)
                return [entry.seen(entry.score(op.query)) for entry in page]
            case ListNamespacesOp():
                return self.listed(op)

    def found(self, op: SearchOp) -> list[Entry]:
        """Everything that a search finds, in its order."""

        def place(entry: Entry) -> Any:
            score = entry.score(op.query)
            near = (1, 0.0) if score is None else (0, -round(score, 5))
            return near, now_last(entry.updated), entry.put.namespace, entry.put.key

        depth = len(op.namespace_prefix)
        return sorted(
            [
                entry
                for (namespace, _), entry in self.entries.items()
                if namespace[:depth] == op.namespace_prefix and matches(entry.put.value or {}, op.filter)
            ],
            key=place,
        )

    def listed(self, op: ListNamespacesOp) -> list[tuple[str, ...]]:
        """Namespaces, chosen by fitting each condition's labels to them one by one."""
        chosen: set[tuple[str, ...]] = set()
        for namespace, _ in self.entries:
            fits = True
            for kind, path in op.match_conditions or ():
                labels = namespace if kind == "prefix" else namespace[::-1]
                asked = path if kind == "prefix" else path[::-1]
                fits &= len(labels) >= len(asked)
                fits &= all(want in ("*", label) for want, label in zip(asked, labels, strict=False))
            if fits:
                chosen.add(namespace[: op.max_depth])
        return sorted(chosen)[op.offset : op.offset + op.limit]


def now_last(moment: datetime) -> timedelta:
    """Sorts later moments first."""
    return datetime.max.replace(tzinfo=moment.tzinfo) - moment
