"""Joins that a run left waiting (docs/differences.md: LangGraph ends such a run without a word)."""

from __future__ import annotations

from graphrt.channels import NamedBarrierValue, NamedBarrierValueAfterFinish
from graphrt.core.state import State
from graphrt.errors import IncompleteJoinError

__all__ = ["check_joins"]


def check_joins(state: State) -> None:
    """Nothing is left to run: every join must have fired or not have begun.

    Raises:
        IncompleteJoinError: the graph is strict and a join has some of its parents only.
    """
    plan = state.plan
    if not plan.strict:
        return
    for i, node in plan.joins:
        channel = state.channels[i]
        if not isinstance(channel, (NamedBarrierValue, NamedBarrierValueAfterFinish)) or not channel.seen:
            continue
        missing = tuple(sorted(channel.missing))
        if missing:
            arrived = tuple(sorted(channel.seen))
            raise IncompleteJoinError(
                f"The run of graph {plan.name!r} ended while node {node!r} waited for {', '.join(missing)}: "
                f"only {', '.join(arrived)} of its join ran. Join nodes that always run together, or give {node!r} "
                "plain edges with defer=True; compile(strict=False) lets the join wait for another run.",
                join=node,
                arrived=arrived,
                missing=missing,
            )
