"""examples/fallback.py: a rate in any case, and a word of where it is from."""

from typing import Any

import pytest

from examples.fallback import Source, graph
from graphrt.testing.clock import FakeClock
from tests.examples.conftest import RunExample


async def ask(currency: str, *script: str) -> Any:
    """What the graph finds out, in no time."""
    clock = FakeClock()
    with clock.installed():
        async with clock.jumping():
            found = await graph.ainvoke({"currency": currency}, context=Source(*script))
    return found["rate"], found["notes"]


async def test_an_answer_is_an_answer():
    assert await ask("EUR", "answer") == (1.1, ["asked 1 times"])


async def test_refusals_and_silence_are_tried_again():
    assert await ask("GBP", "refuse", "hang", "answer") == (1.3, ["asked 3 times"])


@pytest.mark.parametrize("last, why", [("hang", "no answer"), ("refuse", "The source closed the connection")])
async def test_then_the_old_rate_has_to_do_and_somebody_is_warned(last: str, why: str):
    notes = [f"rate of last week: {why}", "please check EUR"]
    assert await ask("EUR", "refuse", "refuse", last) == (1.08, notes)


async def test_what_nobody_knows_is_asked_once_and_is_an_error():
    with pytest.raises(KeyError, match="XXX"):
        await ask("XXX", "answer")


def test_the_program_says_what_it_did(run_example: RunExample):
    ran, down = run_example("fallback.py"), run_example("fallback.py", "GBP", "--down")
    assert ran.returncode == down.returncode == 0, ran.stderr + down.stderr
    assert ran.stdout.startswith("EUR 1.1; ")
    assert ran.stdout.endswith("; asked 3 times\n")
    assert down.stdout.endswith("; rate of last week: no answer, please check GBP\n")
