"""What happened to one thread over several processes, and whether that may happen.

The processes that ran the thread one after the other are its attempts; all but the last were killed.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, TypeAlias

Told: TypeAlias = Sequence[Sequence[Any]]
"""What one attempt told, in order."""

History: TypeAlias = list[dict[str, Any]]
"""Checkpoints as `jobs.history` gives them, newest first."""


def check(attempts: Sequence[Told], history: History, unbroken: History, *, durability: str) -> None:
    """Compare a thread that was killed with one that was not.

    Raises:
        AssertionError: something was lost, happened twice or came in the wrong order.
    """
    nothing_ran_again(attempts)
    for told in attempts:
        no_step_overtook_storage(told, lead=1 if durability == "sync" else 2)
    for told, following in pairwise(attempts):
        if durability == "sync":
            no_update_was_lost(told, following)
    no_checkpoint_was_lost(attempts, history)
    one_chain(history)
    assert without_ids(history) == without_ids(unbroken), "it went another way than without a crash"


def nothing_ran_again(attempts: Sequence[Told]) -> None:
    """A task whose result was stored, as far as the process had heard, never begins again."""
    stored: set[tuple[Any, ...]] = set()
    for number, told in enumerate(attempts):
        begun: set[tuple[Any, ...]] = set()
        for what, *task in told:
            if what == "begin":
                assert tuple(task) not in stored, f"attempt {number} ran {task} again, which had been stored"
                assert tuple(task) not in begun or conflicts(told), f"attempt {number} ran {task} twice"
                begun.add(tuple(task))
            elif what == "acknowledged":
                stored.add(tuple(task))


def conflicts(told: Told) -> int:
    """How often an attempt found that a commit of a killed one had arrived after it had loaded the thread."""
    return sum(what == "conflict" for what, *_ in told)


def no_step_overtook_storage(told: Told, *, lead: int) -> None:
    """When a step begins, those `lead` before it are stored."""
    begun: set[tuple[int, str]] = set()
    stored: set[tuple[int, str]] = set()
    for what, *task in told:
        if what == "acknowledged":
            stored.add((task[0], task[1]))
        elif what == "begin":
            begun.add((task[0], task[1]))
            late = {other for other in begun - stored if other[0] <= task[0] - lead}
            assert not late, f"{task} began before {late} were stored"


def no_update_was_lost(told: Told, following: Told) -> None:
    """With "sync" durability, what was streamed is there for whoever looks next."""
    streamed = [
        word
        for what, *rest in told
        if what == "streamed" and rest[0] == "updates"
        for node, update in rest[1].items()
        if node != "__metadata__"  # how a result is marked that an earlier attempt brought
        for word in update["log"]
    ]
    found = [rest[0] for what, *rest in following if what == "found"]
    if not found or not streamed:
        return
    assert found[0], "the thread is gone"
    newest = found[0][0]
    kept = {word for result in newest["results"] if result is not None for word in result["log"]}
    missing = set(streamed) - set(newest["values"]["log"]) - kept
    assert not missing, f"streamed and lost: {missing}"


def no_checkpoint_was_lost(attempts: Sequence[Told], history: History) -> None:
    """Every checkpoint that was acknowledged or streamed is in the history, as it was streamed."""
    there = {shown["id"]: shown for shown in history}
    for told in attempts:
        for what, *rest in told:
            if what in ("committed", "streamed checkpoint"):
                identity, step, *values = rest
                assert identity in there, f"{what} and lost: step {step}"
                assert not values or values == [there[identity]["values"]], f"step {step} changed"


def one_chain(history: History) -> None:
    """Each checkpoint's parent is the next in the list; steps have no gap."""
    assert [shown["parent"] for shown in history] == [*(shown["id"] for shown in history[1:]), None]
    assert [shown["step"] for shown in reversed(history)] == list(range(-1, len(history) - 1))


def without_ids(history: History) -> History:
    return [{key: value for key, value in shown.items() if key not in ("id", "parent")} for shown in history]
