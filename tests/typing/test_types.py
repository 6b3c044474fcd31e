"""The files beside this one, through mypy and pyright: what must be accepted, inferred and refused.

A line that must be refused carries an ignore for each checker. Both checkers report an ignore that is not needed, so a
line that begins to pass fails the test like one that stops passing.
"""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HERE = "tests/typing"
CHECKERS = {
    # Only what is said about these files: the sources have a check of their own.
    "mypy": ["--follow-imports=silent", "--no-error-summary", HERE],
    "pyright": ["--pythonpath", sys.executable, HERE],
}


@pytest.mark.slow
@pytest.mark.parametrize("checker", CHECKERS)
def test_public_types_are_what_users_are_told(checker: str) -> None:
    if importlib.util.find_spec(checker) is None:
        pytest.skip(f"{checker} is not installed")
    command = [sys.executable, "-m", checker, *CHECKERS[checker]]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
