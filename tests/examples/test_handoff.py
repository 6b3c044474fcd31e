"""examples/handoff.py: the ticket ends up with the agent that can answer."""

import pytest

from examples.handoff import graph
from tests.examples.conftest import RunExample


@pytest.mark.parametrize(
    "text, trail, answer",
    [
        ("When are you open?", [], "We are open from 9 to 5."),
        ("Where is my refund?", ["reception"], "The refund is on its way."),
        ("My parcel never came!", ["reception"], "The parcel is at the depot."),
        ("Why?", [], "Nobody at reception knows."),
    ],
)
async def test_a_ticket_goes_to_who_can_answer(text: str, trail: list[str], answer: str):
    assert await graph.ainvoke({"text": text}) == {"text": text, "trail": trail, "answer": answer}


def test_a_hand_off_works_through_the_sync_door():
    assert graph.invoke({"text": "The invoice?"})["trail"] == ["reception"]


def test_the_program_shows_who_does_what(run_example: RunExample):
    ran = run_example("handoff.py", "Where is my refund?")
    assert ran.returncode == 0, ran.stderr
    assert [line for line in ran.stdout.splitlines() if "look_up" not in line] == [
        "desk, reception: {'trail': ['reception']}",
        "billing, decide: {'answer': 'The refund is on its way.'}",
        "desk, billing: {'answer': 'The refund is on its way.'}",
    ]


def test_the_drawing_shows_the_hand_offs():
    drawn = graph.get_graph().draw_mermaid()
    assert "reception -.-> billing" in drawn
    assert "billing -.-> shipping" in drawn
