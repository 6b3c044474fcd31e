"""examples/approval.py: the question outlives its process, and is answered in another."""

import json
from pathlib import Path

import pytest

from tests.examples.conftest import RunExample

ITEM = "a very long table"
OPEN = "Buy a very long table for 204?"


@pytest.fixture
def file(tmp_path: Path, run_example: RunExample) -> str:
    """A database in which a question is open; the process that asked it is gone."""
    path = str(tmp_path / "purchases.db")
    asked = run_example("approval.py", "ask", path, ITEM)
    assert asked.returncode == 0, asked.stderr
    assert asked.stdout.splitlines() == [f"asking the shop for {ITEM}", f"open: {OPEN}"]
    return path


def test_the_program_does_both_halves(run_example: RunExample):
    ran = run_example("approval.py")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines()[-1] == "a very long table, 204, approved by Ada"


@pytest.mark.parametrize(
    "approved, outcome", [(True, f"{ITEM}, 204, approved by Bob"), (False, "not bought")], ids=["yes", "no"]
)
def test_another_process_goes_on_with_the_answer_and_repeats_nothing(
    file: str, run_example: RunExample, *, approved: bool, outcome: str
):
    answered = run_example("approval.py", "answer", file, json.dumps({"approved": approved, "by": "Bob"}))
    assert answered.returncode == 0, answered.stderr
    assert answered.stdout.splitlines() == [f"answering: {OPEN}", outcome]


def test_an_answer_of_the_wrong_form_leaves_the_question_open(file: str, run_example: RunExample):
    refused = run_example("approval.py", "answer", file, '"yes"')
    assert refused.returncode == 1
    assert "InvalidResumeError" in refused.stderr
    answered = run_example("approval.py", "answer", file, '{"approved": true, "by": "Eve"}')
    assert answered.stdout.splitlines()[-1].endswith("approved by Eve")


def test_what_is_cheap_needs_nobody(tmp_path: Path, run_example: RunExample):
    asked = run_example("approval.py", "ask", str(tmp_path / "purchases.db"), "tea")
    assert (asked.returncode, asked.stdout) == (0, "asking the shop for tea\n")
