"""What commits made of a channel, and what checkpoints see of that.

A log is two lists that go together: the numbers of the commits that changed the channel, ascending, and what each made
of it. Reading one checkpoint looks for the newest entries that it can see; reading many of one line looks once, for the
oldest of them, and applies to that what the commits after it changed.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, TypeAlias

from checkpointers.segments import Content, Line, Ranges, Row, frames

__all__ = ["Entry", "Log", "Table", "along", "content", "log_of", "table_of", "tables"]

Entry: TypeAlias = bytes | tuple[bytes, ...] | None
"""What a commit made of a channel: a whole value, nothing, or what it held before with parts behind it."""

Log: TypeAlias = tuple[list[int], list[Entry]]

Table: TypeAlias = tuple[dict[str, bytes], dict[str, tuple[bytes, ...]]]
"""What a checkpoint sees: the value of every channel that has one, and the parts behind it where there are any."""


def log_of(rows: Iterable[Row]) -> Log:
    """The log that a database keeps in rows; these ascend.

    Raises:
        ValueError: a row is damaged.
    """
    numbers: list[int] = []
    entries: list[Entry] = []
    for row in rows:
        if row.whole:
            numbers.append(row.seq)
            entries.append(row.data)
        if row.parts:
            for number, part in frames(row.parts):
                numbers.append(number)
                entries.append((part,))
    return numbers, entries


def content(log: Log, ranges: Ranges) -> Content | None:
    """What a checkpoint with these ancestors sees; None if the channel is empty.

    Raises:
        ValueError: there are parts without a value that they belong to.
    """
    numbers, entries = log
    behind: list[list[Entry]] = []
    for low, high in ranges:
        at = top = bisect_right(numbers, high)
        if at and type(entries[at - 1]) is tuple:
            bottom = bisect_left(numbers, low, 0, top)
            while at > bottom and type(entries[at - 1]) is tuple:
                at -= 1
            behind.append(entries[at:top])
        if at and numbers[at - 1] >= low:
            whole = entries[at - 1]
            if isinstance(whole, bytes):
                return Content(whole, _joined(behind))
            break
    if any(behind):
        raise _orphaned()
    return None


def _joined(behind: list[list[Entry]]) -> tuple[bytes, ...]:
    if not behind:
        return ()
    entries: Any = chain.from_iterable(reversed(behind))  # no bytes among them, which are iterable too
    return tuple(chain.from_iterable(entries))


def _orphaned() -> ValueError:
    return ValueError("parts of a value are stored without the value that they belong to")


def table_of(held: Mapping[str, Content]) -> Table:
    """The same, from what each channel holds."""
    return (
        {name: found.data for name, found in held.items()},
        {name: found.parts for name, found in held.items() if found.parts},
    )


def tables(logs: Mapping[str, Log], lines: Iterable[Line]) -> list[Table]:
    """What checkpoints see, newest first as they are given.

    Raises:
        ValueError: as `content`.
    """
    found: list[Table] = []
    together: list[Line] = []
    for line in lines:
        if together and (line.start, line.earlier) != (together[0].start, together[0].earlier):
            found += _of_one_line(logs, together)
            together = []
        together.append(line)
    return found + _of_one_line(logs, together) if together else found


def _of_one_line(logs: Mapping[str, Log], lines: Sequence[Line]) -> list[Table]:
    return list(along(logs, lines[-1], [line.seq for line in reversed(lines)]))[::-1]


def along(logs: Mapping[str, Log], first: Line, seqs: Sequence[int]) -> Iterator[Table]:
    """What the checkpoints `seqs` see, ascending; the first stands at `first`, the others further along its line.

    Raises:
        ValueError: as `content`.
    """
    ranges = first.ranges
    held = {name: found for name, log in logs.items() if (found := content(log, ranges)) is not None}
    values, parts = table_of(held)
    changes = _changes(logs, first.seq + 1, seqs[-1])
    wanted = frozenset(seqs)
    for seq in sorted({*changes, *wanted}):
        if seq in changes:
            values, parts = _changed(values, parts, changes[seq])
        if seq in wanted:
            if parts and not parts.keys() <= values.keys():
                raise _orphaned()
            yield values, parts


def _changes(logs: Mapping[str, Log], low: int, high: int) -> dict[int, list[tuple[str, Entry]]]:
    """Entries of some commits, by the commit's number."""
    changes: dict[int, list[tuple[str, Entry]]] = defaultdict(list)
    for name, (numbers, entries) in logs.items():
        for at in range(bisect_left(numbers, low), bisect_right(numbers, high)):
            changes[numbers[at]].append((name, entries[at]))
    return changes


def _changed(
    values: dict[str, bytes], parts: dict[str, tuple[bytes, ...]], changes: Iterable[tuple[str, Entry]]
) -> Table:
    values = values.copy()
    for name, entry in changes:
        if type(entry) is tuple:
            parts = {**parts, name: parts.get(name, ()) + entry}
            continue
        if name in parts:
            parts = {other: behind for other, behind in parts.items() if other != name}
        if type(entry) is bytes:
            values[name] = entry
        else:
            values.pop(name, None)
    return values, parts
