"""What a commit stores of a value that grows: the parts add up to the value, and are as small as what changed."""

import operator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphrt.channels import BinaryOperatorAggregate, LastValue
from graphrt.channels.base import BaseChannel
from graphrt.core.book import SMALL, Book, Entry
from graphrt.serde import Serializer

serializer = Serializer()
LONG = "x" * SMALL


@dataclass
class Shelf:
    """One channel's stored bytes, as a checkpointer keeps them."""

    channel: BaseChannel[Any, Any, Any]
    book: Book = field(default_factory=Book)
    data: bytes = b""
    parts: list[bytes] = field(default_factory=list)

    def store(self, content: Any, *written: Any) -> Entry:
        entry = self.book.enter(0, self.channel, content, written, serializer.dumps)
        if entry.data is not None and entry.part:
            self.parts.append(entry.data)
        elif entry.data is not None:
            self.data, self.parts = entry.data, []
        return entry

    def read(self) -> Any:
        return serializer.loads_grown(self.data, self.parts)

    def reload(self) -> Any:
        """What another process finds, which goes on from there."""
        content = self.read()
        self.book = Book()
        self.book.learn(0, content, size=len(self.data) + sum(map(len, self.parts)), parts=len(self.parts))
        return content


def last() -> Shelf:
    return Shelf(LastValue(object))


def reduced(typ: Any, reducer: Any) -> Shelf:
    return Shelf(BinaryOperatorAggregate(typ, reducer))


# ---- whatever happens to a value

items = st.integers() | st.text(max_size=5) | st.just(LONG)
lists = st.lists(items, max_size=12)
dicts = st.dictionaries(st.sampled_from("abcdefgh"), items, max_size=8) | st.dictionaries(
    st.sampled_from([1, True, "a", LONG]), items
)


@st.composite
def histories(draw: st.DrawFn) -> list[Any]:
    """Values of one key, each made from the one before or of its own."""
    value: Any = draw(lists | dicts | st.text() | st.just(LONG))
    values = [value]
    for _ in range(draw(st.integers(1, 12))):
        how = draw(st.integers(0, 6))
        if how == 0 or not isinstance(value, list | dict | str):
            value = draw(lists | dicts | st.text() | st.none())
        elif isinstance(value, list):
            at, to = sorted(draw(st.tuples(st.integers(0, len(value)), st.integers(0, len(value)))))
            value = (
                [*value, *draw(lists)]
                if how < 4
                else [*value[:at], *draw(lists), *value[at if how == 4 else to :]]
            )
        elif isinstance(value, dict):
            kept = {key: item for key, item in value.items() if how < 5 or draw(st.booleans())}
            value = dict(reversed(kept.items())) if how == 6 else {**kept, **draw(dicts)}
        else:
            value = value + draw(st.text()) if how < 5 else value[: draw(st.integers(0, 5))]
        values.append(value)
    return values


def same(one: Any, other: Any) -> bool:
    return repr(one) == repr(other)  # 1 and True, and the order of keys


@given(histories(), st.sets(st.integers(0, 12)))
def test_stored_parts_add_up_to_the_value(values: list[Any], reloads: set[int]) -> None:
    shelf = last()
    for number, value in enumerate(values):
        shelf.store(value)
        assert same(shelf.read(), value)
        if number in reloads:
            shelf.reload()


@given(st.lists(st.lists(lists, max_size=3), max_size=8))
def test_added_lists_add_up(rounds: list[list[list[Any]]]) -> None:
    shelf = reduced(list, operator.add)
    value: list[Any] = [LONG]
    shelf.store(value)
    for written in rounds:
        for write in written:
            value = value + write
        shelf.store(value, *written)
        assert same(shelf.read(), value)


@given(st.lists(st.lists(dicts, max_size=3), max_size=8))
def test_merged_dicts_add_up(rounds: list[list[dict[Any, Any]]]) -> None:
    shelf = reduced(dict, operator.or_)
    value: dict[Any, Any] = {"start": LONG}
    shelf.store(value)
    for written in rounds:
        for write in written:
            value = value | write
        shelf.store(value, *written)
        assert same(shelf.read(), value)


# ---- as small as what changed


@pytest.mark.parametrize(
    "before, after",
    [
        ([LONG] * 50, [LONG] * 50 + ["new"]),
        ([LONG, *range(1000, 1100)], [LONG, "new", *range(1001, 1100)]),
        ([LONG, *range(1000, 1100)], [*range(1010, 1100), "new", "er"]),
        ([LONG, *range(1000, 1100)], [*range(1050, 1100), LONG, "new", *range(1000, 1050), "er"]),
        ({"a": LONG}, {"a": LONG, "b": "new"}),
        ({str(n): LONG for n in range(20)}, {str(n): LONG for n in range(1, 20)}),
        (LONG * 10, LONG * 10 + "new"),
    ],
    ids=["appended", "edited", "trimmed", "moved", "key set", "key dropped", "text"],
)
def test_small_change_takes_few_bytes(before: Any, after: Any) -> None:
    numbers = {n: n for n in range(1000, 1100)}
    if isinstance(before, list):  # the same objects, as in a list made from the one before
        before, after = ([numbers.get(item, item) for item in part] for part in (before, after))
    shelf = last()
    shelf.store(before)
    entry = shelf.store(after)
    assert entry.part and entry.data is not None and len(entry.data) < 80
    assert same(shelf.read(), after)


def test_unchanged_value_takes_no_bytes() -> None:
    shelf = last()
    value = [LONG, LONG]
    shelf.store(value)
    assert shelf.store(list(value)).data is None


def test_small_values_are_stored_whole() -> None:
    shelf = last()
    shelf.store([1, 2])
    assert not shelf.store([1, 2, 3]).part


def test_value_that_keeps_its_length_while_parts_pile_up_is_stored_whole_again() -> None:
    shelf = last()
    value = [LONG, LONG, LONG]
    most = 0
    for n in range(1000):
        value = [*value[1:], f"{n}"] if n else value
        value[0] = LONG
        shelf.store(list(value))
        most = max(most, len(shelf.parts))
    assert most <= 64 + len(value)


def test_known_reducer_is_taken_by_its_word() -> None:
    shelf = reduced(list, operator.add)
    value = [LONG, LONG]
    shelf.store(value)
    assert shelf.store(["not", "compared", "new"], ["new"]).as_written


# ---- values that were changed in place


def test_list_that_was_changed_in_place_and_written_again_is_stored_as_it_is() -> None:
    shelf = last()
    value = [LONG, "b"]
    shelf.store(value)
    value.append("c")
    value[1] = "B"
    shelf.store(value)
    assert shelf.read() == [LONG, "B", "c"]


def test_item_that_was_changed_in_place_stays_as_it_was_stored() -> None:
    shelf = last()
    item = {"done": False, "text": LONG}
    shelf.store([item])
    item["done"] = True
    shelf.store([item, "new"])
    assert shelf.read() == [{"done": False, "text": LONG}, "new"]


def test_list_that_a_node_changed_before_a_reducer_added_to_it_is_stored_as_it_is() -> None:
    shelf = reduced(list, operator.add)
    value = [LONG, "b"]
    shelf.store(value)
    value.append("in place")
    shelf.store([*value, "added"], ["added"])
    assert shelf.read() == [LONG, "b", "in place", "added"]
