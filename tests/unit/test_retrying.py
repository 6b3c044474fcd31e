"""Which policy speaks for a failure, and how long it has wait (graphrt.core.retrying), without a run."""

from typing import Any

import pytest

from graphrt.core.retrying import Policy, combined, delay_of, policy_of, retries_of, speaks_for
from graphrt.errors import GraphDrained, GraphInterrupt, GraphValidationError, InvalidResumeError
from graphrt.types import RetryPolicy, TimeoutPolicy

KEYS = RetryPolicy(retry_on=KeyError)
ALL = RetryPolicy(retry_on=(Exception,))


def test_the_first_policy_that_fits_speaks():
    assert speaks_for((KEYS, ALL), KeyError()) is KEYS
    assert speaks_for((KEYS, ALL), OSError()) is ALL
    assert speaks_for((KEYS,), OSError()) is None
    assert speaks_for((), OSError()) is None


@pytest.mark.parametrize(
    "signal",
    [GraphInterrupt(), GraphDrained(), InvalidResumeError("no", interrupt_id="x"), KeyboardInterrupt()],
    ids=repr,
)
def test_no_policy_speaks_for_what_is_no_failure(signal: BaseException):
    assert speaks_for((ALL,), signal) is None


def test_a_function_decides_and_its_own_error_is_not_hidden():
    def decide(error: Exception) -> bool:
        return bool(error.args[0])

    policy = RetryPolicy(retry_on=decide)
    assert speaks_for((policy,), OSError(True)) is policy
    assert speaks_for((policy,), OSError(False)) is None
    with pytest.raises(IndexError):
        speaks_for((policy,), OSError())


@pytest.mark.parametrize(
    "failures, delay", [(1, 0.5), (2, 1.0), (3, 2.0), (8, 64.0), (9, 100.0), (5000, 100.0)]
)
def test_waits_double_up_to_the_limit(failures: int, delay: float):
    policy = RetryPolicy(max_interval=100.0, max_attempts=10_000, jitter=False)
    assert delay_of(policy, failures, 0.9) == delay


def test_jitter_comes_on_top_also_of_the_longest_wait():
    assert delay_of(RetryPolicy(max_interval=0.1), 1, 0.75) == pytest.approx(0.85)


def test_after_the_last_attempt_there_is_no_wait():
    assert [delay_of(RetryPolicy(max_attempts=2, jitter=False), n, 0) for n in (1, 2, 3)] == [0.5, None, None]


def test_policies_are_one_or_several_or_none():
    assert (retries_of(None), retries_of(KEYS), retries_of([KEYS, ALL])) == ((), (KEYS,), (KEYS, ALL))


@pytest.mark.parametrize("given", ["no", [1], [KEYS, None]])
def test_something_else_is_refused(given: Any):
    with pytest.raises(GraphValidationError, match="retry_policy must be RetryPolicy"):
        retries_of(given)


def test_a_node_that_says_nothing_has_no_policy():
    assert policy_of(None, None) is None
    assert policy_of((), TimeoutPolicy()) is None
    assert policy_of(KEYS, 3) == Policy((KEYS,), TimeoutPolicy(3.0))
    assert policy_of(None, None, 7) == Policy(handler=7)


def test_a_tasks_own_retries_replace_those_around_it():
    around = Policy((ALL,))
    assert combined(Policy((KEYS,)), around) == Policy((KEYS,))
    assert combined(Policy(timeout=TimeoutPolicy(3.0)), around) == Policy((ALL,), TimeoutPolicy(3.0))
    assert combined(around, None) is around
