"""What may be forgotten: decided from numbers alone, before anything is touched.

Three questions, in the order in which they come up:

1. `wish` and `Cut`: which checkpoints of a chain go. By age and number it is always the oldest ones, but for those that
   other namespaces need (`ties`).
2. `views`: what the checkpoints that stay can see.
3. `Sweep`: which rows of a channel none of them needs. It is shown the rows newest first, and says when all that are
   older can go without being looked at.

A checkpoint needs the newest whole row that it sees and what was appended behind it. Whether it sees a row follows from
the row's number: rows are merged within one line only, and a line is seen from its start or not at all. So a row that
holds parts of several commits needs no special care.

Rows that a sweep lets go may be deleted at any later time: what is committed meanwhile descends from a checkpoint that
stays, sees what that one sees, and writes rows with numbers of its own. That is why checkpoints are deleted first and
rows afterwards, in transactions as small as one likes.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, get_args

from msgspec import Struct

from checkpointers.segments import Line, Ranges, within
from graphrt.checkpoint import PruneStrategy
from graphrt.checkpoint.times import tick_of, time_of
from graphrt.errors import GraphValidationError

__all__ = ["Cut", "Keep", "Segment", "Sweep", "View", "Wish", "faded", "run_names", "views", "wish"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class Keep(Struct, frozen=True):
    """Which checkpoints of a chain stay: the `last` ones, and those made at `since` (100 ns since 1970) or later."""

    last: int = 1
    since: int | None = None

    def young(self, identity: str) -> bool:
        """Does a checkpoint stay whatever its number is? One whose id does not tell its age does."""
        if self.since is None:
            return False
        return time_of(identity) is None or tick_of(identity) >= self.since


class Wish(Struct, frozen=True):
    """What a caller of `aprune` wants.

    Attributes:
        threads: in these threads; None for all.
        delete: forget whole threads, which must have faded if `keep.since` is there.
    """

    threads: tuple[str, ...] | None
    delete: bool
    keep: Keep


def wish(
    thread_ids: Sequence[str] | None,
    *,
    strategy: PruneStrategy,
    keep_last: int | None,
    older_than: datetime | timedelta | None,
    now: datetime,
) -> Wish:
    """The arguments of `aprune`, if they make sense.

    Raises:
        GraphValidationError: they do not.
    """
    if isinstance(thread_ids, str):
        raise GraphValidationError(f"Pass thread_ids as a list: [{thread_ids!r}].")
    if strategy not in get_args(PruneStrategy):
        raise GraphValidationError(
            f"There is no strategy {strategy!r} to prune by. Choose from "
            f"{', '.join(map(repr, get_args(PruneStrategy)))}."
        )
    if keep_last is not None and (isinstance(keep_last, bool) or keep_last < 1):
        raise GraphValidationError(
            f"keep_last must be 1 or more, got {keep_last!r}: the newest checkpoint always stays. "
            "To forget whole threads, pass strategy='delete'."
        )
    since = None if older_than is None else _tick(older_than, now)
    threads = None if thread_ids is None else tuple(dict.fromkeys(thread_ids))
    if strategy == "delete":
        if keep_last is not None:
            raise GraphValidationError("strategy='delete' forgets whole threads; it cannot keep_last.")
        if threads is None and since is None:
            raise GraphValidationError(
                "This would delete every thread there is. Name the threads to delete, or pass older_than."
            )
    return Wish(threads, strategy == "delete", Keep(keep_last or 1, since))


def run_names(run_ids: Sequence[str]) -> frozenset[str]:
    """The argument of `adelete_for_runs`.

    Raises:
        GraphValidationError: it is one string.
    """
    if isinstance(run_ids, str):
        raise GraphValidationError(f"Pass run_ids as a list: [{run_ids!r}].")
    return frozenset(run_ids)


def _tick(older_than: datetime | timedelta, now: datetime) -> int:
    if isinstance(older_than, timedelta):
        if older_than < timedelta(0):
            raise GraphValidationError(f"older_than must not be negative, got {older_than}.")
        older_than = now - older_than if older_than <= now - _EPOCH else _EPOCH
    if older_than.tzinfo is None:
        raise GraphValidationError(
            f"older_than must say its time zone, got {older_than.isoformat()}. Use datetime.now(UTC), for example."
        )
    return (older_than - _EPOCH) // _MICROSECOND * 10


class Cut:
    """Where a chain's history begins from now on. Show it the checkpoints, newest first, until one does not stay.

    Args:
        since: this one and those after it stay, whatever their age: they were made since somebody began to look.

    Attributes:
        first: number of the oldest checkpoint so far that stays, 0 before the first one; `oldest` is its id.
    """

    __slots__ = ("_count", "_keep", "_since", "first", "oldest")

    def __init__(self, keep: Keep, since: int) -> None:
        self._keep = keep
        self._since = since
        self._count = 0
        self.first = 0
        self.oldest = ""

    def stays(self, seq: int, identity: str) -> bool:
        """Does this checkpoint stay? If it does not, no older one does."""
        if seq < self._since and self._count >= self._keep.last and not self._keep.young(identity):
            return False
        self._count += 1
        self.first = seq
        self.oldest = identity
        return True


def faded(heads: Iterable[str], keep: Keep) -> bool:
    """Has nothing happened to a thread since `keep.since`? The heads are those of all its namespaces."""
    return keep.since is None or not any(keep.young(head) for head in heads)


class View(Struct, frozen=True):
    """What checkpoints on one line can see: their numbers, ascending; where the line starts, and what was before it."""

    kept: tuple[int, ...]
    start: int
    earlier: Ranges

    def sees(self, seq: int) -> bool:
        """Does any of them see what commit `seq` wrote?"""
        return self.start <= seq <= self.kept[-1] or (seq < self.start and within(seq, self.earlier))

    def first(self, seq: int) -> int:
        """The oldest of them that is not older than commit `seq`, which one of them sees."""
        return self.kept[bisect_left(self.kept, seq)]


def views(kept: Iterable[Line]) -> tuple[View, ...]:
    """What the checkpoints that stay can see, each line once."""
    lines: dict[tuple[int, Ranges], list[int]] = {}
    for line in kept:
        lines.setdefault((line.start, line.earlier), []).append(line.seq)
    return tuple([View(tuple(sorted(seqs)), start, earlier) for (start, earlier), seqs in lines.items()])


class Segment(Struct, frozen=True, gc=False):
    """A row of a channel, without its data. `empty`: it is a whole row that empties the channel."""

    seq: int
    whole: bool
    empty: bool = False


class Sweep:
    """One channel's rows, shown newest first: which of them nobody needs.

    A row that empties a channel is needed only while a row that it hides is there, which is known when that row comes.

    Attributes:
        done: nobody needs any row older than those shown so far.
    """

    __slots__ = ("_bases", "_hiding", "done")

    def __init__(self, views: Sequence[View]) -> None:
        # For each view the oldest whole row that it has been shown: checkpoints from there on need nothing older.
        self._bases: list[tuple[View, int | None]] = [(view, None) for view in views]
        self._hiding: list[tuple[int, list[View]]] = []
        self.done = not views

    def spare(self, row: Segment) -> bool:
        """May this row go? False also for one that empties the channel and may be needed; see `finish`."""
        needing = [view for view, base in self._bases if _needs(view, base, row.seq)]
        if not needing:
            return True
        if row.whole:
            self._close(needing, row.seq)
        if row.empty:
            self._hiding.append((row.seq, needing))
        else:
            self._hiding = [
                (seq, who) for seq, who in self._hiding if not any(view.sees(row.seq) for view in who)
            ]
        return False

    def _close(self, needing: list[View], seq: int) -> None:
        """A whole row: checkpoints from it on need nothing older."""
        bases = [(view, seq if view in needing else base) for view, base in self._bases]
        self._bases = [(view, base) for view, base in bases if base is None or view.kept[0] < base]
        self.done = not self._bases

    def finish(self) -> list[int]:
        """All rows were shown, or it is `done`: the rows that empty the channel and hide nothing that stays."""
        return [seq for seq, _ in self._hiding]


def _needs(view: View, base: int | None, seq: int) -> bool:
    return view.sees(seq) and (base is None or view.first(seq) < base)
