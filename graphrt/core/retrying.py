"""Which policy speaks for a failure, and how long to wait before the next attempt (LangGraph O1-O3)."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import TYPE_CHECKING, TypeAlias, cast

from msgspec import Struct, structs

from graphrt.errors import GraphBubbleUp, GraphDrained, GraphValidationError, InvalidResumeError
from graphrt.types import RetryPolicy, Timeout, TimeoutPolicy

if TYPE_CHECKING:
    from graphrt.core.plan import Node

__all__ = ["Policy", "Retries", "combined", "delay_of", "in_time", "policy_of", "refuse_sync", "retries_of",
           "speaks_for"]  # fmt: skip

Retries: TypeAlias = RetryPolicy | Sequence[RetryPolicy] | None
"""How users give policies: one, several, or none."""


class Policy(Struct, frozen=True):
    """How a node is run, beyond being called.

    Attributes:
        retry: the first one whose `retry_on` fits a failure speaks for it.
        timeout: for each attempt, in seconds.
        handler: index of the node that runs when this one has failed for good.
    """

    retry: tuple[RetryPolicy, ...] = ()
    timeout: TimeoutPolicy | None = None
    handler: int | None = None


def retries_of(given: Retries) -> tuple[RetryPolicy, ...]:
    """Policies as a tuple.

    Raises:
        GraphValidationError: something else was given.
    """
    if given is None:
        return ()
    policies = (given,) if isinstance(given, RetryPolicy) else tuple(given)
    for policy in cast("tuple[object, ...]", policies):
        if not isinstance(policy, RetryPolicy):
            raise GraphValidationError(
                f"retry_policy must be RetryPolicy or several of them, got {policy!r}."
            )
        if policy.max_attempts < 1:
            raise GraphValidationError(f"max_attempts must be at least 1, got {policy.max_attempts}.")
    return policies


def policy_of(retry: Retries, timeout: Timeout, handler: int | None = None) -> Policy | None:
    """The policy of a node; None for one that is just called.

    Raises:
        GraphValidationError: something else was given.
    """
    policy = Policy(retries_of(retry), TimeoutPolicy.coerce(timeout), handler)
    return None if policy == _NONE else policy


_NONE = Policy()


def in_time(node: Node, timeout: Timeout) -> Node:
    """The node with another timeout, as a `Send` may give it one (LangGraph H3).

    Raises:
        GraphValidationError: the node is not async, or the time is not positive.
    """
    limits = TimeoutPolicy.coerce(timeout)
    if limits is not None:
        refuse_sync(node.name, is_async=node.is_async)
    made = copy(node)
    made.policy = structs.replace(node.policy or _NONE, timeout=limits)
    return made


def refuse_sync(name: str, *, is_async: bool, kind: str = "Node") -> None:
    """Only what is async can be stopped (LangGraph O4).

    Raises:
        GraphValidationError: this is not.
    """
    if not is_async:
        raise GraphValidationError(
            f"{kind} timeouts are only supported for async nodes: a thread that runs sync Python code cannot be "
            f"stopped. {kind} {name!r} is sync: make it async, or leave the timeout out."
        )


def combined(own: Policy, around: Policy | None) -> Policy:
    """The policy of a task that is called in a graph with a policy for all: retries of its own replace that one's."""
    return own if own.retry or around is None else structs.replace(own, retry=around.retry)


def speaks_for(policies: Sequence[RetryPolicy], failure: BaseException) -> RetryPolicy | None:
    """The policy that says that a failure is worth another attempt: the first that fits (LangGraph O1).

    Questions, Commands for other graphs and cancellation are no failures, and never tried again.
    """
    if not isinstance(failure, Exception) or isinstance(failure, _NEVER):
        return None
    return next((policy for policy in policies if _fits(policy, failure)), None)


_NEVER = (GraphBubbleUp, GraphDrained, InvalidResumeError)


def _fits(policy: RetryPolicy, failure: Exception) -> bool:
    on = policy.retry_on
    if isinstance(on, type):
        return isinstance(failure, on)
    if callable(on):
        return bool(on(failure))
    return isinstance(failure, tuple(on))


def delay_of(policy: RetryPolicy, failures: int, jitter: float) -> float | None:
    """Seconds to wait after so many failures of a task, under whichever policy; None if it has had its attempts.

    Args:
        jitter: a random number from 0 to 1.
    """
    if failures >= policy.max_attempts:
        return None
    try:
        interval = policy.initial_interval * policy.backoff_factor ** (failures - 1)
    except OverflowError:
        interval = policy.max_interval
    interval = min(policy.max_interval, interval)
    return interval + jitter if policy.jitter else interval
