"""examples/traced.py prints the tree of spans of what it ran."""

from tests.examples.conftest import RunExample

TREES = """\
trip [interrupt]
  search
    search
      fetch [retry]
        GET /hotels
      rank
  choose [interrupt]
trip [resume] [linked to the run before]
  choose
Sun
"""


def test_the_program_prints_what_ran_inside_what(run_example: RunExample):
    ran = run_example("traced.py")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == TREES
