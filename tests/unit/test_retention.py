"""What may be forgotten, decided from numbers alone."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkpointers.retention import (
    Cut,
    Keep,
    Segment,
    Sweep,
    faded,
    run_names,
    views,
    wish,
)
from checkpointers.segments import Content, Line, Ranges, Row, content, framed, line_of, within
from graphrt.core.ids import CheckpointIds
from graphrt.errors import GraphValidationError

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def wished(thread_ids: Any = None, **options: Any) -> Any:
    usual: dict[str, Any] = {"strategy": "keep_latest", "keep_last": None, "older_than": None, "now": NOW}
    return wish(thread_ids, **{**usual, **options})


def made_at(moment: datetime) -> str:
    return CheckpointIds(1).next(round(moment.timestamp()) * 1_000_000_000)


# ---- what a caller may wish


def test_by_default_only_the_newest_checkpoint_stays():
    assert wished(["a", "b", "a"]).keep == Keep(last=1)
    assert wished(["a", "b", "a"]).threads == ("a", "b")


@pytest.mark.parametrize("older_than", [timedelta(days=1), NOW - timedelta(days=1)])
def test_an_age_is_a_duration_or_a_moment(older_than: Any):
    keep = wished(older_than=older_than).keep
    assert keep.young(made_at(NOW - timedelta(hours=23)))
    assert keep.young(made_at(NOW - timedelta(days=1)))
    assert not keep.young(made_at(NOW - timedelta(hours=25)))


@pytest.mark.parametrize(
    "given_wrong, words",
    [
        ({"thread_ids": "thread"}, r"\['thread'\]"),
        ({"strategy": "keep"}, "'keep_latest', 'delete'"),
        ({"keep_last": 0}, "newest checkpoint always stays"),
        ({"keep_last": -1}, "1 or more"),
        ({"keep_last": True}, "1 or more"),
        ({"older_than": timedelta(-1)}, "negative"),
        ({"older_than": NOW.replace(tzinfo=None)}, "time zone"),
        ({"strategy": "delete"}, "every thread"),
        ({"strategy": "delete", "thread_ids": ["a"], "keep_last": 3}, "keep_last"),
    ],
)
def test_wishes_that_make_no_sense_are_refused(given_wrong: dict[str, Any], words: str):
    with pytest.raises(GraphValidationError, match=words):
        wished(**given_wrong)


def test_an_age_before_all_time_keeps_everything():
    assert wished(older_than=timedelta.max).keep.since == 0


def test_one_run_as_a_string_is_refused():
    with pytest.raises(GraphValidationError, match=r"\['run'\]"):
        run_names("run")


# ---- which checkpoints stay


def hourly(count: int) -> list[tuple[int, str]]:
    """Checkpoints made every hour until now, newest first."""
    return [(count - n, made_at(NOW - timedelta(hours=n))) for n in range(count)]


def first_kept(newest_first: list[tuple[int, str]], keep: Keep, since: int = 11) -> int:
    cut = Cut(keep, since)
    for seq, identity in newest_first:
        if not cut.stays(seq, identity):
            break
    return cut.first


@pytest.mark.parametrize(
    "keep, first",
    [
        ({}, 10),
        ({"keep_last": 3}, 8),
        ({"keep_last": 99}, 1),
        ({"older_than": timedelta(hours=4)}, 6),
        ({"older_than": timedelta(0)}, 10),
        ({"older_than": timedelta(days=9)}, 1),
        ({"older_than": NOW + timedelta(days=9)}, 10),
        ({"keep_last": 2, "older_than": timedelta(hours=4)}, 6),
        ({"keep_last": 8, "older_than": timedelta(hours=4)}, 3),
    ],
)
def test_what_is_among_the_newest_or_young_stays(keep: dict[str, Any], first: int):
    assert first_kept(hourly(10), wished(**keep).keep) == first


def test_a_checkpoint_of_unknown_age_stays_if_age_decides():
    chain = [(3, made_at(NOW)), (2, "no-uuid"), (1, made_at(NOW - timedelta(days=9)))]
    assert first_kept(chain, wished(older_than=timedelta(days=1)).keep) == 2
    assert first_kept(chain, wished().keep) == 3


def test_what_came_since_somebody_began_to_look_stays():
    assert first_kept(hourly(10), wished().keep, since=7) == 7
    assert first_kept(hourly(10), wished(keep_last=5).keep, since=7) == 6


def test_a_thread_has_faded_when_nothing_in_it_is_young():
    old, new = made_at(NOW - timedelta(days=9)), made_at(NOW)
    keep = wished(older_than=timedelta(days=1), strategy="delete").keep
    assert faded([old, old], keep)
    assert not faded([old, new], keep)
    assert faded([new], wished(["a"], strategy="delete").keep)


# ---- which rows stay


def spared(rows: list[Segment], *kept: Line) -> set[int]:
    """Numbers of the rows of one channel that go."""
    sweep = Sweep(views(kept))
    gone = {row.seq for row in sorted(rows, key=lambda row: -row.seq) if sweep.done or sweep.spare(row)}
    return gone | set(sweep.finish())


def test_only_the_newest_whole_row_and_what_follows_is_needed():
    rows = [Segment(1, True), Segment(2, False), Segment(3, True), Segment(4, False), Segment(6, False)]
    assert spared(rows, Line(5, 1)) == {1, 2, 6}


def test_a_row_is_needed_if_any_checkpoint_needs_it():
    rows = [Segment(n, True) for n in range(1, 9)]
    assert spared(rows, Line(8, 1), Line(4, 1), Line(5, 1)) == {1, 2, 3, 6, 7}


def test_a_fork_needs_what_its_ancestors_wrote_and_not_what_came_after_them():
    rows = [Segment(1, True), Segment(2, False), Segment(3, False), Segment(4, True)]
    assert spared(rows, Line(5, 5, ((1, 2),))) == {3, 4}


def test_a_row_that_empties_the_channel_stays_while_it_hides_something():
    rows = [Segment(1, True), Segment(2, True, empty=True)]
    assert spared(rows, Line(3, 1)) == {1, 2}
    assert spared(rows, Line(1, 1), Line(3, 1)) == set()
    assert spared(rows, Line(3, 1), Line(4, 4, ((1, 1),))) == set()


def test_without_checkpoints_nothing_is_needed():
    assert spared([Segment(1, True), Segment(2, False)]) == {1, 2}


def test_a_sweep_is_done_when_nothing_older_is_needed():
    sweep = Sweep(views([Line(9, 1), Line(8, 1)]))
    shown = [(sweep.spare(Segment(seq, True)), sweep.done) for seq in (10, 9, 8)]
    assert shown == [(True, False), (False, False), (False, True)]


# ---- whatever happened to a chain: what stays reads as before, and nothing is there in vain


@dataclass
class Book:
    """A chain's rows as a database has them: merged now and then, forks and all."""

    lines: dict[int, Line] = field(default_factory=dict)
    rows: dict[str, list[Row]] = field(default_factory=dict)

    def commit(self, changes: dict[str, tuple[str, bytes]], parent: int) -> None:
        seq = len(self.lines) + 1
        line = line_of(seq, self.lines.get(parent))
        if line.deep:
            for name, held in self.read(line.earlier).items():
                if held is not None:
                    self.rows[name].append(Row(seq, True, held.data, framed(seq, held.parts)))
            line = Line(seq, seq)
        self.lines[seq] = line
        for name, (how, data) in changes.items():
            self._write(name, seq, how, data, line.ranges)

    def _write(self, name: str, seq: int, how: str, data: bytes, ranges: Ranges) -> None:
        rows = self.rows.setdefault(name, [])
        held = content(rows, ranges)
        copied = bool(rows) and rows[-1].seq == seq  # by a deep fork
        if copied:
            rows.pop()
        if how != "append" or held is None:
            rows.append(Row(seq, True, None if how == "empty" else data))
        elif copied:
            rows.append(Row(seq, True, held.data, framed(seq, (*held.parts, data))))
        else:
            rows.append(Row(seq, False, None, framed(seq, [data])))

    def merge(self, at: int) -> None:
        """Merge rows of parts on the head's own line, from a place on."""
        head = self.lines[len(self.lines)]
        for name, rows in self.rows.items():
            own = [n for n, row in enumerate(rows) if row.seq >= head.start]
            after = [n for n in own if not any(row.whole for row in rows[n:])][at:]
            if len(after) > 1:
                parts = b"".join(rows[n].parts for n in after)
                self.rows[name] = [*rows[: after[0]], Row(rows[after[0]].seq, False, None, parts)]

    def read(self, ranges: Ranges) -> dict[str, Content | None]:
        return {name: content(rows, ranges) for name, rows in self.rows.items()}

    def sweep(self, kept: list[int]) -> None:
        seen = views(self.lines[seq] for seq in kept)
        for name, rows in self.rows.items():
            sweep = Sweep(seen)
            stay: list[Row] = []
            for row in reversed(rows):
                if sweep.done:
                    break
                if not sweep.spare(Segment(row.seq, row.whole, row.whole and row.data is None)):
                    stay.append(row)
            self.rows[name] = [row for row in reversed(stay) if row.seq not in sweep.finish()]


changes = st.dictionaries(
    st.sampled_from("ab"),
    st.tuples(st.sampled_from(["append", "append", "whole", "empty"]), st.binary(max_size=2)),
)
happenings = st.lists(
    st.tuples(changes, st.none() | st.none() | st.integers(0, 99), st.none() | st.integers(0, 3)),
    min_size=1,
    max_size=40,
)


def booked(history: list[Any]) -> Book:
    book = Book()
    for change, fork, merge in history:
        seqs = list(book.lines)
        parent = 0 if not seqs else seqs[-1] if fork is None else seqs[-1 - fork % len(seqs)]
        book.commit(change, parent)
        if merge is not None:
            book.merge(merge)
    return book


@given(happenings, st.sets(st.integers(0, 99), min_size=1))
def test_what_stays_reads_as_before(history: list[Any], places: set[int]):
    book = booked(history)
    kept = sorted({place % len(book.lines) + 1 for place in places})
    before = {seq: book.read(book.lines[seq].ranges) for seq in kept}
    book.sweep(kept)
    assert {seq: book.read(book.lines[seq].ranges) for seq in kept} == before


@given(happenings, st.sets(st.integers(0, 99), min_size=1))
def test_no_row_stays_in_vain(history: list[Any], places: set[int]):
    book = booked(history)
    kept = [book.lines[seq] for seq in {place % len(book.lines) + 1 for place in places}]
    book.sweep([line.seq for line in kept])
    for rows in book.rows.values():
        for at, row in enumerate(rows):
            assert any(needs(rows, at, line.ranges) for line in kept), row


def needs(rows: list[Row], at: int, ranges: Ranges) -> bool:
    """Would a checkpoint miss this row?"""
    if not within(rows[at].seq, ranges):
        return False
    if rows[at].whole and rows[at].data is None:
        return any(within(row.seq, ranges) for row in rows[:at])
    newer = [row for row in rows[at + 1 :] if row.whole and within(row.seq, ranges)]
    return not newer


@given(happenings, st.integers(1, 40))
def test_what_is_committed_later_never_needs_what_a_sweep_let_go(history: list[Any], last: int):
    book, swept = booked(history), booked(history)
    kept = list(book.lines)[-last:]
    swept.sweep(kept)
    for change, parent in zip(
        [{"a": ("append", b"x"), "b": ("append", b"y")}] * len(kept), kept, strict=True
    ):
        book.commit(change, parent)
        swept.commit(change, parent)
    new = [line.ranges for seq, line in book.lines.items() if seq > kept[-1]]
    assert [swept.read(ranges) for ranges in new] == [book.read(ranges) for ranges in new]


def test_lines_that_nothing_separates_are_one_view():
    lines = [Line(1, 1), Line(2, 1), Line(4, 4, ((1, 1),)), Line(5, 4, ((1, 1),))]
    assert [view.kept for view in views(lines)] == [(1, 2), (4, 5)]
    assert all(a < b for view in views(lines) for a, b in pairwise(view.kept))
