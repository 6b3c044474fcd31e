"""examples/quickstart.py does what it says."""

import pytest

from examples.quickstart import graph
from tests.examples.conftest import RunExample


def test_the_program_shows_the_graph_the_steps_and_the_memory(run_example: RunExample):
    ran = run_example("quickstart.py", "37")
    assert ran.returncode == 0, ran.stderr
    assert "|   guess   |" in ran.stdout
    assert "{'narrow': {'low': 26}}\n{'guess': {'guesses': [37]}}\n" in ran.stdout
    assert "guesses of both games: [50, 25, 37, 50, 25, 12, 6, 3, 1]" in ran.stdout


def test_a_number_out_of_range_is_refused(run_example: RunExample):
    ran = run_example("quickstart.py", "101")
    assert (ran.returncode, ran.stderr) == (1, "The number must be between 1 and 100.\n")


@pytest.mark.parametrize("secret", [1, 50, 100])
async def test_every_number_is_found_in_seven_guesses(secret: int):
    config = {"configurable": {"thread_id": f"quickstart-{secret}"}}
    result = await graph.ainvoke({"secret": secret, "low": 1, "high": 100}, config)
    assert result["guesses"][-1] == secret
    assert len(result["guesses"]) <= 7
