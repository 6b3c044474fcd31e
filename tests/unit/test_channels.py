"""The update rule of each channel, statement by statement (LangGraph C1-C9, C12)."""

import operator
from collections import abc
from typing import Any

import pytest

from graphrt.channels import (
    MISSING,
    AnyValue,
    BinaryOperatorAggregate,
    EphemeralValue,
    LastValue,
    LastValueAfterFinish,
    NamedBarrierValue,
    NamedBarrierValueAfterFinish,
    Topic,
    UntrackedValue,
)
from graphrt.errors import EmptyChannelError, ErrorCode, InvalidUpdateError


def keyed(channel: Any, key: str = "x") -> Any:
    channel.key = key
    return channel


# ---- C1 LastValue


@pytest.mark.parity("C1")
def test_c1_last_value_keeps_the_latest_write() -> None:
    channel: LastValue[int] = LastValue(int)
    assert channel.update([1])
    assert channel.update([2])
    assert channel.get() == channel.checkpoint() == 2


@pytest.mark.parity("C1")
def test_c1_last_value_stays_without_a_write() -> None:
    channel: LastValue[int] = LastValue(int)
    channel.update([1])
    assert not channel.update([])
    assert channel.get() == 1


@pytest.mark.parity("C1")
def test_c1_last_value_refuses_two_writes_in_one_step() -> None:
    channel: LastValue[int] = LastValue(int, "total")
    channel.update([0])
    with pytest.raises(InvalidUpdateError) as caught:
        channel.update([1, 2])
    assert (
        "At key 'total': Can receive only one value per step. "
        "Use an Annotated key to handle multiple values." in str(caught.value)
    )
    assert "2 values" in str(caught.value)
    assert caught.value.code is ErrorCode.INVALID_CONCURRENT_GRAPH_UPDATE
    assert caught.value.channel == "total"
    assert channel.get() == 0


def test_reading_an_empty_channel_names_it() -> None:
    with pytest.raises(EmptyChannelError, match="'x'") as caught:
        LastValue(int, "x").get()
    assert caught.value.channel == "x"


def test_none_is_a_value() -> None:
    channel: LastValue[None] = LastValue(type(None))
    channel.update([None])
    assert channel.is_available()
    assert channel.get() is None


# ---- C2 AnyValue


@pytest.mark.parity("C2")
def test_c2_any_value_keeps_the_last_of_several() -> None:
    channel: AnyValue[int] = AnyValue(int)
    assert channel.update([1, 2, 3])
    assert channel.get() == 3


@pytest.mark.parity("C2")
def test_c2_any_value_is_emptied_by_a_step_without_a_write() -> None:
    channel: AnyValue[int] = AnyValue(int)
    channel.update([1])
    assert channel.update([])
    assert not channel.is_available()
    assert not channel.update([])


# ---- C3 EphemeralValue


@pytest.mark.parity("C3")
def test_c3_ephemeral_value_lives_for_one_step() -> None:
    channel: EphemeralValue[int] = EphemeralValue(int)
    channel.update([1])
    assert channel.get() == channel.checkpoint() == 1
    assert channel.update([])
    assert channel.checkpoint() is MISSING
    assert not channel.update([])


@pytest.mark.parity("C3", "C4")
@pytest.mark.parametrize("kind", [EphemeralValue, UntrackedValue])
def test_c3_c4_a_guard_allows_one_write_per_step(kind: Any) -> None:
    channel = keyed(kind(int))
    channel.update([0])
    with pytest.raises(InvalidUpdateError, match=rf"At key 'x'.*{kind.__name__}.*guard=False") as caught:
        channel.update([1, 2])
    assert caught.value.channel == "x"
    assert channel.get() == 0


@pytest.mark.parity("C3", "C4")
@pytest.mark.parametrize("kind", [EphemeralValue, UntrackedValue])
def test_c3_c4_without_a_guard_the_last_write_wins(kind: Any) -> None:
    channel = kind(int, guard=False)
    assert channel.update([1, 2])
    assert channel.get() == 2


# ---- C4 UntrackedValue


@pytest.mark.parity("C4")
def test_c4_untracked_value_stays_without_a_write() -> None:
    channel: UntrackedValue[int] = UntrackedValue(int)
    channel.update([1])
    assert not channel.update([])
    assert channel.get() == 1


@pytest.mark.parity("C4")
def test_c4_untracked_value_is_neither_stored_nor_restored() -> None:
    channel: UntrackedValue[int] = UntrackedValue(int)
    channel.update([1])
    assert channel.checkpoint() is MISSING
    assert not channel.from_checkpoint(1).is_available()


# ---- C5 Topic


@pytest.mark.parity("C5")
def test_c5_topic_flattens_lists() -> None:
    channel: Topic[int] = Topic(int)
    assert channel.update([1, [2, 3], [], 4])
    assert channel.get() == [1, 2, 3, 4]


@pytest.mark.parity("C5")
def test_c5_topic_starts_every_step_empty() -> None:
    channel: Topic[int] = Topic(int)
    channel.update([1])
    assert channel.update([2])
    assert channel.get() == [2]
    assert channel.update([])
    assert not channel.is_available()
    assert not channel.update([])


@pytest.mark.parity("C5")
def test_c5_accumulating_topic_keeps_earlier_steps() -> None:
    channel: Topic[int] = Topic(int, accumulate=True)
    channel.update([1])
    assert not channel.update([])
    assert not channel.update([[]])
    channel.update([[2]])
    assert channel.get() == [1, 2]


@pytest.mark.parity("C5")
def test_c5_topic_hands_out_a_copy() -> None:
    channel: Topic[int] = Topic(int, accumulate=True)
    channel.update([1])
    read = channel.get()
    channel.update([2])
    assert read == [1]


def test_a_topics_checkpoint_is_safe_from_later_updates() -> None:
    channel: Topic[int] = Topic(int, accumulate=True)
    channel.update([1])
    stored = channel.checkpoint()
    restored = channel.from_checkpoint(stored)
    channel.update([2])
    restored.update([3])
    assert stored == [1]


def test_topic_says_what_it_reads_and_takes() -> None:
    assert Topic(int).ValueType == abc.Sequence[int]
    assert Topic(int).UpdateType == int | list[int]


# ---- C6 BinaryOperatorAggregate (C11 has its own file)


@pytest.mark.parity("C6")
def test_c6_aggregate_folds_writes_one_by_one() -> None:
    channel = BinaryOperatorAggregate(str, lambda value, write: f"({value}+{write})")
    assert channel.update(["a", "b"])
    assert channel.get() == "((+a)+b)"
    assert not channel.update([])


@pytest.mark.parity("C6")
@pytest.mark.parametrize(
    "typ, initial",
    [
        (list[int], []),
        (int, 0),
        (str, ""),
        (abc.Sequence, []),
        (abc.MutableSequence[int], []),
        (abc.Set, set()),
        (abc.MutableSet[int], set()),
        (abc.Mapping[str, int], {}),
        (abc.MutableMapping, {}),
    ],
)
def test_c6_aggregate_can_be_read_before_the_first_write(typ: Any, initial: Any) -> None:
    channel = BinaryOperatorAggregate(typ, operator.add)
    assert channel.is_available()
    assert channel.get() == initial
    assert type(channel.get()) is type(initial)


@pytest.mark.parity("C6")
@pytest.mark.parametrize("typ", [int | None, Any, "Forward", abc.Iterator])
def test_c6_first_write_becomes_the_value_where_the_type_constructs_nothing(typ: Any) -> None:
    channel = BinaryOperatorAggregate(typ, operator.add)
    assert not channel.is_available()
    assert channel.checkpoint() is MISSING
    channel.update([1, 2])
    assert channel.get() == 3


@pytest.mark.parity("C6")
def test_c6_every_fresh_aggregate_has_its_own_container() -> None:
    spec = BinaryOperatorAggregate(list[int], operator.iadd)
    first = spec.fresh()
    first.update([[1]])
    assert first.get() == [1]
    assert spec.get() == spec.fresh().get() == []


def test_a_reducer_that_raises_leaves_the_value() -> None:
    channel = BinaryOperatorAggregate(int, operator.add)
    channel.update([1])
    with pytest.raises(TypeError):
        channel.update([2, "not a number"])
    assert channel.get() == 1


# ---- C7 NamedBarrierValue


@pytest.mark.parity("C7")
def test_c7_barrier_opens_when_every_name_was_written() -> None:
    channel: Any = NamedBarrierValue(str, {"a", "b"})
    assert channel.update(["a", "a"])
    assert not channel.update(["a"])
    assert not channel.is_available()
    assert channel.update(["b"])
    assert channel.is_available()
    assert channel.get() is None


@pytest.mark.parity("C7")
def test_c7_closed_barrier_has_no_value() -> None:
    channel = keyed(NamedBarrierValue(str, {"a", "b"}))
    channel.update(["a"])
    with pytest.raises(EmptyChannelError, match="'x'"):
        channel.get()


@pytest.mark.parity("C7")
def test_c7_consume_empties_a_complete_barrier_only() -> None:
    channel = NamedBarrierValue(str, {"a", "b"})
    channel.update(["a"])
    assert not channel.consume()
    channel.update(["b"])
    assert channel.consume()
    assert channel.missing == {"a", "b"}


@pytest.mark.parity("C7", "C8")
@pytest.mark.parametrize("kind", [NamedBarrierValue, NamedBarrierValueAfterFinish])
def test_c7_c8_barrier_refuses_a_name_it_does_not_wait_for(kind: Any) -> None:
    channel = keyed(kind(str, {"a", "b"}))
    with pytest.raises(InvalidUpdateError, match=r"At key 'x': Value stranger not in \['a', 'b'\]"):
        channel.update(["a", "stranger"])
    assert channel.missing == {"a", "b"}


@pytest.mark.parametrize("kind", [NamedBarrierValue, NamedBarrierValueAfterFinish])
def test_a_barrier_does_not_wait_for_names_that_left_the_graph(kind: Any) -> None:
    old = kind(str, {"a", "gone"})
    old.update(["a", "gone"])
    restored = kind(str, {"a", "b"}).from_checkpoint(old.checkpoint())
    assert restored.missing == {"b"}
    restored.update(["b"])
    restored.finish()
    assert restored.is_available()


# ---- C8 NamedBarrierValueAfterFinish


@pytest.mark.parity("C8")
def test_c8_complete_barrier_waits_for_the_end_of_the_run() -> None:
    channel: Any = NamedBarrierValueAfterFinish(str, {"a", "b"})
    channel.update(["a"])
    assert not channel.finish()
    channel.update(["b"])
    assert not channel.is_available()
    assert channel.finish()
    assert channel.is_available()
    assert channel.get() is None
    assert not channel.finish()


@pytest.mark.parity("C8")
def test_c8_consume_resets_names_and_finish() -> None:
    channel = NamedBarrierValueAfterFinish(str, {"a"})
    channel.update(["a"])
    assert not channel.consume()
    channel.finish()
    assert channel.consume()
    assert channel.checkpoint() is MISSING
    channel.update(["a"])
    assert not channel.is_available()


@pytest.mark.parity("C8", "C9")
@pytest.mark.parametrize(
    "channel", [NamedBarrierValueAfterFinish(str, {"a"}), LastValueAfterFinish(str)], ids=repr
)
def test_c8_c9_finish_survives_a_checkpoint(channel: Any) -> None:
    channel.update(["a"])
    assert not channel.from_checkpoint(channel.checkpoint()).is_available()
    channel.finish()
    assert channel.from_checkpoint(channel.checkpoint()).is_available()


# ---- C9 LastValueAfterFinish


@pytest.mark.parity("C9")
def test_c9_last_value_waits_for_the_end_of_the_run() -> None:
    channel: LastValueAfterFinish[int] = LastValueAfterFinish(int)
    assert not channel.finish()
    assert channel.update([1, 2])
    assert not channel.is_available()
    assert channel.finish()
    assert channel.get() == 2


@pytest.mark.parity("C9")
def test_c9_a_new_write_takes_the_value_back() -> None:
    channel: LastValueAfterFinish[int] = LastValueAfterFinish(int)
    channel.update([1])
    channel.finish()
    channel.update([2])
    with pytest.raises(EmptyChannelError):
        channel.get()
    assert not channel.update([])


@pytest.mark.parity("C9")
def test_c9_consume_clears_a_finished_value_only() -> None:
    channel: LastValueAfterFinish[int] = LastValueAfterFinish(int)
    channel.update([1])
    assert not channel.consume()
    channel.finish()
    assert channel.consume()
    assert channel.checkpoint() is MISSING


# ---- C12 consume and finish


@pytest.mark.parity("C12")
@pytest.mark.parametrize(
    "channel", [LastValue(int), AnyValue(int), EphemeralValue(int), UntrackedValue(int), Topic(int)]
)
def test_c12_ordinary_channels_do_not_mind_being_consumed_or_finished(channel: Any) -> None:
    channel.update([1])
    assert not channel.consume()
    assert not channel.finish()
    assert channel.is_available()
