"""What every channel promises whatever its update rule: copies, checkpoints, configuration, idle steps."""

import copy
import operator
import pickle
from collections.abc import Sequence
from typing import Any, Self

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphrt.channels import (
    MISSING,
    AnyValue,
    BaseChannel,
    BinaryOperatorAggregate,
    EphemeralValue,
    LastValue,
    LastValueAfterFinish,
    Missing,
    NamedBarrierValue,
    NamedBarrierValueAfterFinish,
    Topic,
    UntrackedValue,
)
from graphrt.errors import EmptyChannelError

Channel = BaseChannel[Any, Any, Any]

NUMBERS = st.integers(0, 9)
NAMES = st.sampled_from(["a", "b"])
SPECS: list[tuple[Channel, st.SearchStrategy[Any]]] = [
    (LastValue(int), NUMBERS),
    (LastValueAfterFinish(int), NUMBERS),
    (AnyValue(int), NUMBERS),
    (EphemeralValue(int), NUMBERS),
    (EphemeralValue(int, guard=False), NUMBERS),
    (UntrackedValue(int), NUMBERS),
    (UntrackedValue(int, guard=False), NUMBERS),
    (Topic(int), NUMBERS | st.lists(NUMBERS, max_size=2)),
    (Topic(int, accumulate=True), NUMBERS | st.lists(NUMBERS, max_size=2)),
    (BinaryOperatorAggregate(int, operator.add), NUMBERS),
    (BinaryOperatorAggregate(int | None, operator.add), NUMBERS),
    (NamedBarrierValue(str, {"a", "b"}), NAMES),
    (NamedBarrierValueAfterFinish(str, {"a", "b"}), NAMES),
]
EVERY_CHANNEL = [channel for channel, _ in SPECS]

ONE_WRITE_PER_STEP = (LastValue, EphemeralValue, UntrackedValue)


@st.composite
def used_channels(draw: st.DrawFn) -> tuple[Channel, st.SearchStrategy[Any]]:
    """A channel after a random history, and what it takes."""
    spec, writes = draw(st.sampled_from(SPECS))
    channel = spec.fresh()
    channel.key = "x"
    at_most = 1 if isinstance(spec, ONE_WRITE_PER_STEP) and getattr(spec, "guard", True) else 3
    step = st.one_of(st.lists(writes, max_size=at_most), st.sampled_from(["consume", "finish"]))
    for event in draw(st.lists(step, max_size=6)):
        if isinstance(event, str):
            getattr(channel, event)()
        else:
            channel.update(event)
    return channel, writes


def observed(channel: Channel) -> tuple[Any, ...]:
    value = channel.get() if channel.is_available() else MISSING
    return (channel.key, value, copy.deepcopy(channel.checkpoint()))


@given(used_channels())
def test_a_checkpoint_restores_the_channel(used: tuple[Channel, st.SearchStrategy[Any]]) -> None:
    channel, _ = used
    restored = channel.from_checkpoint(channel.checkpoint())
    assert restored == channel
    if isinstance(channel, UntrackedValue):
        assert observed(restored) == ("x", MISSING, MISSING)
    else:
        assert observed(restored) == observed(channel)


@given(used_channels(), st.data())
def test_a_copy_is_independent(used: tuple[Channel, st.SearchStrategy[Any]], data: st.DataObject) -> None:
    channel, writes = used
    duplicate = channel.copy()
    before = observed(channel)
    assert duplicate == channel
    assert observed(duplicate) == before
    duplicate.update([data.draw(writes)])
    duplicate.finish()
    duplicate.consume()
    assert observed(channel) == before


@given(used_channels())
def test_availability_agrees_with_get(used: tuple[Channel, st.SearchStrategy[Any]]) -> None:
    channel, _ = used
    try:
        channel.get()
    except EmptyChannelError:
        assert not channel.is_available()
    else:
        assert channel.is_available()


@given(used_channels())
def test_update_reports_whether_an_idle_step_changed_anything(
    used: tuple[Channel, st.SearchStrategy[Any]],
) -> None:
    channel, _ = used
    before = observed(channel)
    assert channel.update(()) == (observed(channel) != before)


@given(used_channels())
def test_who_does_not_react_to_idle_steps_is_not_changed_by_them(
    used: tuple[Channel, st.SearchStrategy[Any]],
) -> None:
    channel, _ = used
    if not channel.reacts_to_idle:
        assert not channel.update(())


@given(used_channels())
def test_a_fresh_channel_has_the_configuration_and_no_history(
    used: tuple[Channel, st.SearchStrategy[Any]],
) -> None:
    channel, _ = used
    fresh = channel.fresh()
    assert fresh == channel
    assert (fresh.key, fresh.typ) == (channel.key, channel.typ)
    assert observed(fresh) == observed(channel.from_checkpoint(MISSING))


# ---- idle steps


@pytest.mark.parity("C2", "C3", "C5")
def test_channels_that_empty_themselves_react_to_idle_steps() -> None:
    reacting = {type(channel) for channel in EVERY_CHANNEL if channel.reacts_to_idle}
    assert reacting == {AnyValue, EphemeralValue, Topic}
    assert not Topic(int, accumulate=True).reacts_to_idle


class Counter(BaseChannel[int, int, int]):
    """The least a channel of one's own needs: counts steps since the last write."""

    def __init__(self, typ: Any, key: str = "") -> None:
        super().__init__(typ, key)
        self.steps = -1

    def from_checkpoint(self, checkpoint: int | Missing, /) -> Self:
        new = type(self)(self.typ, self.key)
        new.steps = -1 if checkpoint is MISSING else checkpoint
        return new

    def get(self) -> int:
        if self.steps < 0:
            raise EmptyChannelError
        return self.steps

    def update(self, values: Sequence[int], /) -> bool:
        self.steps = 0 if values else self.steps + 1
        return True


def test_a_channel_of_ones_own_gets_the_rest_from_the_base() -> None:
    channel = Counter(int, "n")
    assert channel.checkpoint() is MISSING
    channel.update([1])
    channel.update([])
    assert channel.is_available()
    assert channel.checkpoint() == channel.copy().get() == 1
    assert not channel.fresh().is_available()
    assert channel.ValueType is channel.UpdateType is int
    assert channel.reacts_to_idle


@pytest.mark.parametrize("parent", [LastValue, Topic])
def test_another_update_rule_is_assumed_to_react_to_idle_steps(parent: Any) -> None:
    class Other(parent):  # type: ignore[misc]
        def update(self, values: Sequence[Any], /) -> bool:
            return bool(super().update(values))

    class Named(parent):  # type: ignore[misc]
        __slots__ = ()

    assert Other(int).reacts_to_idle is True
    assert Named(int).reacts_to_idle is parent(int).reacts_to_idle


def test_a_subclass_of_an_aggregate_is_made_by_its_own_constructor() -> None:
    class Sum(BinaryOperatorAggregate[int]):
        def __init__(self, typ: Any, operator_: Any = operator.add) -> None:
            super().__init__(typ, operator_)
            self.label = "sum"

    assert Sum(int).fresh().label == "sum"


# ---- configuration


@pytest.mark.parity("B3")
@pytest.mark.parametrize("channel", EVERY_CHANNEL, ids=repr)
def test_b3_channels_are_equal_by_configuration_not_value(channel: Channel) -> None:
    same = [other for other in EVERY_CHANNEL if other == channel.fresh() and other.typ == channel.typ]
    assert [id(other) for other in same] == [id(channel)]


@pytest.mark.parity("B3")
def test_b3_reducers_compare_by_identity_and_lambdas_equal_everything() -> None:
    add = BinaryOperatorAggregate(int, operator.add)
    assert add == BinaryOperatorAggregate(int, operator.add)
    assert add != BinaryOperatorAggregate(int, operator.mul)
    assert add == BinaryOperatorAggregate(int, lambda a, b: a - b)
    assert BinaryOperatorAggregate(int, lambda a, b: a) == BinaryOperatorAggregate(int, lambda a, b: b)


@pytest.mark.parity("B3")
def test_b3_barriers_are_equal_if_they_wait_for_the_same_names() -> None:
    assert NamedBarrierValue(str, {"a"}) == NamedBarrierValue(str, {"a"})
    assert NamedBarrierValue(str, {"a"}) != NamedBarrierValue(str, {"b"})
    assert NamedBarrierValue(str, {"a"}) != NamedBarrierValueAfterFinish(str, {"a"})


def test_a_subclass_is_another_kind_of_channel() -> None:
    class Loud(LastValue[int]):
        pass

    assert LastValue(int) != Loud(int)
    assert Loud(int) == Loud(int)


@pytest.mark.parametrize("channel", EVERY_CHANNEL, ids=repr)
def test_channels_carry_no_dict(channel: Channel) -> None:
    assert not hasattr(channel, "__dict__")


def test_missing_stays_one_object() -> None:
    assert copy.deepcopy(MISSING) is MISSING
    assert pickle.loads(pickle.dumps(MISSING)) is MISSING
    assert repr(MISSING) == "MISSING"
    assert not MISSING


def test_a_channel_shows_its_kind_type_and_key() -> None:
    assert repr(LastValue(int, "x")) == "LastValue(int, key='x')"
