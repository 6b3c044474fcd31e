"""What a page of checkpoints sees is what each of them sees by itself."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkpointers.logs import content, log_of, table_of, tables
from checkpointers.segments import Line, Row
from tests.unit.test_retention import Book, booked, happenings


def logs_of(book: Book) -> dict[str, Any]:
    return {name: log_of(rows) for name, rows in book.rows.items()}


def seen(book: Book, line: Line) -> Any:
    return table_of({name: held for name, held in book.read(line.ranges).items() if held is not None})


@given(happenings)
def test_a_log_says_what_its_rows_say(history: list[Any]):
    book = booked(history)
    for line in book.lines.values():
        assert {name: content(log, line.ranges) for name, log in logs_of(book).items()} == book.read(
            line.ranges
        )


@given(happenings, st.sets(st.integers(0, 99), min_size=1))
def test_a_page_is_what_its_checkpoints_are_one_by_one(history: list[Any], places: set[int]):
    book = booked(history)
    page = [
        book.lines[seq] for seq in sorted({place % len(book.lines) + 1 for place in places}, reverse=True)
    ]
    assert tables(logs_of(book), page) == [seen(book, line) for line in page]


@given(happenings, st.sets(st.integers(0, 99), min_size=1))
def test_a_page_of_what_stays_is_what_it_was(history: list[Any], places: set[int]):
    book = booked(history)
    kept = sorted({place % len(book.lines) + 1 for place in places}, reverse=True)
    before = [seen(book, book.lines[seq]) for seq in kept]
    book.sweep(kept)
    assert tables(logs_of(book), [book.lines[seq] for seq in kept]) == before


def test_no_checkpoints_see_nothing():
    assert tables({"a": ([1], [b"x"])}, []) == []


@pytest.mark.parametrize("rows", [[Row(2, False, None, b"")], [Row(1, True, None), Row(3, False, None, b"")]])
def test_parts_of_nothing_are_refused(rows: list[Row]):
    numbers, entries = log_of(rows)
    with pytest.raises(ValueError, match="without the value"):
        tables({"a": ([*numbers, 4], [*entries, (b"part",)])}, [Line(4, 1), Line(1, 1)])
