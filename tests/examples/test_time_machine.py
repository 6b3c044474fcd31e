"""examples/time_machine.py: a past decision is seen, changed and replayed, and nothing of it is lost."""

import pytest

from examples.time_machine import graph, moment_before
from tests.examples.conftest import RunExample

RAIN = ["We wanted sun.", "Bergen: rain all week.", "Never again."]
SUN = ["We wanted sun.", "Lisbon: sun all week.", "Again!"]


def test_the_program_shows_every_branch(run_example: RunExample):
    ran = run_example("time_machine.py")
    assert ran.returncode == 0, ran.stderr
    told = ran.stdout.splitlines()
    assert told[:4] == [
        f"first:     {RAIN}",
        f"otherwise: {SUN}",
        f"replayed:  {RAIN}",
        f"the first: {RAIN}",
    ]
    made = [line.split()[0] for line in told[4:]]
    assert made == ["loop", "loop", "fork", "loop", "loop", "update", "loop", "loop", "loop", "loop", "input"]


def test_a_city_without_weather_is_refused(run_example: RunExample):
    ran = run_example("time_machine.py", "Atlantis")
    assert (ran.returncode, ran.stderr) == (1, "Choose from Bergen, Lisbon, Oslo.\n")


@pytest.mark.parametrize("city", ["Lisbon", "Oslo"])
async def test_a_fork_leaves_the_branch_it_came_from(city: str):
    thread = {"configurable": {"thread_id": f"fork to {city}"}}
    await graph.ainvoke({"wish": "sun"}, thread)
    before = [snapshot async for snapshot in graph.aget_state_history(thread)]
    decision = await moment_before("travel", thread)
    ended = await graph.ainvoke(None, await graph.aupdate_state(decision.config, {"city": city}))
    assert ended["city"] == city
    after = [snapshot async for snapshot in graph.aget_state_history(thread)]
    assert after[-len(before) :] == before
