"""Mistakes in programs of bare nodes and channels (LangGraph P3)."""

from collections.abc import Callable
from typing import Any

import pytest

from graphrt.channels import EphemeralValue, LastValue
from graphrt.errors import GraphValidationError
from graphrt.pregel import NodeBuilder, Pregel


def node() -> NodeBuilder:
    return NodeBuilder().subscribe_only("a").write_to("b")


def program(*, more_channels: dict[str, Any] | None = None, **changes: Any) -> Any:
    """A correct program but for `changes`."""
    channels = {"a": EphemeralValue(str), "b": LastValue(str), "c": LastValue(str), **(more_channels or {})}
    correct: dict[str, Any] = {"nodes": {"n": node()}, "input_channels": "a", "output_channels": "b"}
    return Pregel(channels=channels, **(correct | changes))


@pytest.mark.parity("P3")
@pytest.mark.parametrize(
    "changes, phrase",
    [
        ({"more_channels": {"__interrupt__": LastValue(str)}}, "is reserved"),
        ({"more_channels": {"__pregel_tasks": LastValue(str)}}, "is reserved"),
        ({"nodes": {"__input__": node()}}, "is reserved"),
        ({"nodes": {"n": node(), "m": NodeBuilder().subscribe_only("zz").write_to("b")}}, "'zz'"),
        (
            {"nodes": {"n": NodeBuilder().subscribe_to("a").read_from("zz").write_to("b")}},
            "Node n reads channel 'zz'",
        ),
        ({"input_channels": "zz"}, "Input channel 'zz' not in known channels"),
        ({"input_channels": "c"}, "subscribed to"),
        ({"input_channels": ["b", "c"]}, "subscribed to"),
        ({"input_channels": ["a", "zz"]}, "Input channel 'zz' not in"),
        ({"output_channels": "zz"}, "Output channel 'zz' not in known channels"),
        ({"output_channels": ["b", "zz"]}, "Output channel 'zz' not in known channels"),
        ({"stream_channels": ["zz"]}, "'zz' not in known channels"),
        ({"nodes": {"n": NodeBuilder()}}, "subscribed to"),
    ],
)
def test_p3_a_program_is_checked(changes: dict[str, Any], phrase: str) -> None:
    with pytest.raises(GraphValidationError) as raised:
        program(**changes)
    assert phrase in str(raised.value)


@pytest.mark.parity("P3")
def test_p3_checking_can_wait() -> None:
    unchecked = program(input_channels="zz", auto_validate=False)
    with pytest.raises(GraphValidationError, match="'zz'"):
        unchecked.validate()


@pytest.mark.parity("P3")
@pytest.mark.parametrize(
    "build",
    [
        lambda: NodeBuilder().subscribe_only("a").subscribe_only("c"),
        lambda: NodeBuilder().subscribe_only("a").subscribe_to("c"),
        lambda: NodeBuilder().subscribe_to("a").subscribe_only("c"),
    ],
)
def test_p3_a_node_subscribes_to_one_channel_or_to_several(build: Callable[[], Any]) -> None:
    with pytest.raises(ValueError, match=r"[Cc]annot subscribe"):
        build()
