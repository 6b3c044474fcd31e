"""Every public channel type in a program of bare nodes (LangGraph C1-C9, C11, E8, E9)."""

import operator
from typing import Any

import pytest

from graphrt.channels import (
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
from graphrt.errors import InvalidUpdateError
from graphrt.pregel import NodeBuilder, Pregel
from graphrt.types import Overwrite


def shared_by_two(channel: Any, first: Any = 1, second: Any = 2) -> Any:
    """Two nodes write `channel` in one step; `reader` reads it in the next, `late` in the one after."""
    nodes = {
        "one": NodeBuilder().subscribe_only("in").write_to(x=first, go=True),
        "two": NodeBuilder().subscribe_only("in").write_to(x=second),
        "reader": NodeBuilder()
        .subscribe_to("go", read=False)
        .read_from("x")
        .write_to(seen=get_x, go_on=True),
        "late": NodeBuilder().subscribe_to("go_on", read=False).read_from("x").write_to(late=get_x),
    }
    channels = {
        "in": EphemeralValue(int), "x": channel, "go": EphemeralValue(bool), "go_on": EphemeralValue(bool),
        "seen": LastValue(object), "late": LastValue(object),
    }  # fmt: skip
    return Pregel(nodes=nodes, channels=channels, input_channels="in", output_channels=["seen", "late"])


def get_x(read: dict[str, Any]) -> Any:
    return read.get("x", "nothing")


@pytest.mark.parity("C2", "C3", "C4", "C5", "C6")
@pytest.mark.parametrize(
    "channel, seen, late",
    [
        (AnyValue(int), 2, "nothing"),
        (EphemeralValue(int, guard=False), 2, "nothing"),
        (UntrackedValue(int, guard=False), 2, 2),
        (Topic(int), [1, 2], "nothing"),
        (Topic(int, accumulate=True), [1, 2], [1, 2]),
        (BinaryOperatorAggregate(int, operator.add), 3, 3),
    ],
    ids=["any", "ephemeral", "untracked", "topic", "accumulating topic", "aggregate"],
)
async def test_c_two_writes_in_one_step(channel: Any, seen: Any, late: Any) -> None:
    assert await shared_by_two(channel).ainvoke(0) == {"seen": seen, "late": late}


@pytest.mark.parity("C1", "C3", "C4")
@pytest.mark.parametrize("channel", [LastValue(int), EphemeralValue(int), UntrackedValue(int)])
async def test_c_channels_that_take_one_write_a_step(channel: Any) -> None:
    with pytest.raises(InvalidUpdateError):
        await shared_by_two(channel).ainvoke(0)


@pytest.mark.parity("C11")
async def test_c11_overwrite_wins_in_an_aggregate() -> None:
    app = shared_by_two(BinaryOperatorAggregate(int, operator.add), 5, Overwrite(7))
    assert await app.ainvoke(0) == {"seen": 7, "late": 7}


def joined(channel: Any, *, starts: tuple[str, ...]) -> Any:
    """Nodes a and b follow one another and write their names into `channel`, which triggers `joined`."""
    nodes = {
        "a": NodeBuilder().subscribe_only("in").write_to(log="a", next=True, **_join("a", starts)),
        "b": NodeBuilder().subscribe_only("next").write_to(log="b", after=True, **_join("b", starts)),
        "c": NodeBuilder().subscribe_only("after").write_to(log="c"),
        "joined": NodeBuilder().subscribe_to("join", read=False).write_to(log="joined"),
    }
    channels = {
        "in": EphemeralValue(int), "next": EphemeralValue(bool), "after": EphemeralValue(bool),
        "log": Topic(str, accumulate=True), "join": channel,
    }  # fmt: skip
    return Pregel(nodes=nodes, channels=channels, input_channels="in", output_channels="log")


def _join(name: str, starts: tuple[str, ...]) -> dict[str, str]:
    return {"join": name} if name in starts else {}


@pytest.mark.parity("C7")
async def test_c7_a_barrier_opens_when_all_names_came() -> None:
    app = joined(NamedBarrierValue(str, {"a", "b"}), starts=("a", "b"))
    assert await app.ainvoke(0) == ["a", "b", "c", "joined"]


@pytest.mark.parity("C7")
async def test_c7_a_barrier_stays_shut_while_a_name_is_missing() -> None:
    app = joined(NamedBarrierValue(str, {"a", "b"}), starts=("a",))
    assert await app.ainvoke(0) == ["a", "b", "c"]


@pytest.mark.parity("C7")
async def test_c7_a_barrier_refuses_other_names() -> None:
    with pytest.raises(InvalidUpdateError):
        await joined(NamedBarrierValue(str, {"a"}), starts=("a", "b")).ainvoke(0)


@pytest.mark.parity("C8", "E9")
async def test_c8_a_barrier_after_finish_opens_when_nothing_else_is_left() -> None:
    app = joined(NamedBarrierValueAfterFinish(str, {"a"}), starts=("a",))
    assert await app.ainvoke(0) == ["a", "b", "c", "joined"]


@pytest.mark.parity("C9", "E9")
async def test_c9_a_last_value_after_finish_shows_when_nothing_else_is_left() -> None:
    app = joined(LastValueAfterFinish(str), starts=("a",))
    assert await app.ainvoke(0) == ["a", "b", "c", "joined"]


@pytest.mark.parity("C1")
async def test_c1_a_last_value_triggers_at_once() -> None:
    app = joined(LastValue(str), starts=("a",))
    assert await app.ainvoke(0) == ["a", "b", "joined", "c"]
