"""The conformance suite tests what it says: third parties enable it in three lines, and it finds what is wrong."""

import inspect
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from graphrt.checkpoint.memory import InMemorySaver
from graphrt.errors import ThreadConflict
from graphrt.testing.conformance import CheckpointerConformance
from graphrt.testing.conformance.records import Writer
from tests.testing.broken import CAUGHT_BY

CAUGHT = (AssertionError, pytest.fail.Exception, LookupError, ValueError, ThreadConflict)
ROOT = Path(__file__).parents[2]

PAGE = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")
THREE_LINES = PAGE.partition("```python\n")[2].partition("```")[0]
CLASS = THREE_LINES.partition("    def open_saver")[0]

# pytest-asyncio asks for a setting that only those need who write fixtures for several tests.
SETTINGS = """
[pytest]
filterwarnings =
    error
    ignore:The configuration option:pytest.PytestDeprecationWarning
"""

OF_EVERY_KIND = "come_back or hundreds_of_parts or one_of_two or thread_is_what or what_stays"


def run(tests: str, directory: Path, *options: str) -> subprocess.CompletedProcess[str]:
    (directory / "test_mine.py").write_text(tests, encoding="utf-8")
    (directory / "pytest.ini").write_text(SETTINGS, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-pno:cacheprovider"]
    return subprocess.run(
        [*command, *options, "test_mine.py"],
        cwd=directory,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


# ---- third parties


@pytest.mark.parity("3.1", "3.4")
@pytest.mark.parametrize(
    "options",
    [
        ["--asyncio-mode=strict"],
        ["--asyncio-mode=auto", "-k", OF_EVERY_KIND],
        ["-pno:asyncio", "-k", OF_EVERY_KIND],
        ["-pno:asyncio", "--anyio-mode=auto", "-k", OF_EVERY_KIND],
    ],
    ids=["strict", "auto", "anyio", "anyio auto"],
)
def test_three_lines_enable_the_suite(tmp_path: Path, options: list[str]) -> None:
    done = run(THREE_LINES, tmp_path, *options)
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout


@pytest.mark.parametrize(
    "opening",
    [
        "    async def open_saver(self, directory): return MySaver()",
        "    @asynccontextmanager\n    async def open_saver(self, directory): yield MySaver()",
        "    @pytest.fixture\n    def saver(self): return MySaver()",
    ],
    ids=["coroutine", "context manager", "fixture"],
)
def test_saver_may_be_opened_in_many_ways(tmp_path: Path, opening: str) -> None:
    imports = "import pytest\nfrom contextlib import asynccontextmanager\n"
    done = run(imports + CLASS + opening, tmp_path, "-k", "loaded_by_default")
    assert "1 passed" in done.stdout, done.stdout


def test_class_that_opens_nothing_is_told_so(tmp_path: Path) -> None:
    done = run(CLASS + "    pass", tmp_path, "-k", "loaded_by_default")
    assert "TestMySaver has no checkpointer to test" in done.stdout


WRONG = """
    class Wrong(MySaver):
        async def load(self, *place): return 7

    def open_saver(self, directory): return self.Wrong()
"""


def test_failure_of_a_third_partys_saver_shows_what_was_compared(tmp_path: Path) -> None:
    done = run(CLASS + WRONG, tmp_path, "-k", "thread_that_nobody_wrote")
    assert "assert 7 is None" in done.stdout


BARE = """
    class Bare:
        immediate = True

        def __init__(self):
            inner = MySaver()
            for name in ("commit", "append_results", "load", "history", "adelete_thread"):
                setattr(self, name, getattr(inner, name))

    def open_saver(self, directory): return self.Bare()
"""


def test_abilities_that_a_saver_does_not_have_are_skipped_with_a_reason(tmp_path: Path) -> None:
    done = run(CLASS + BARE, tmp_path, "-rs", "-k", "copy or prune or prefix or stats or run_are")
    assert (done.returncode, " passed" in done.stdout) == (0, False), done.stdout
    for ability in ("copy threads", "forget runs", "prune", "list threads", "measure itself"):
        assert f"Bare does not offer to {ability}" in done.stdout


def test_importing_graphrt_does_not_import_pytest() -> None:
    code = "import sys, graphrt, graphrt.testing.faults, graphrt.testing.clock; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert {"pytest", "_pytest", "hypothesis"}.isdisjoint(loaded.stdout.split())


# ---- the suite itself


def test_no_test_of_the_suite_hides_another() -> None:
    parts = CheckpointerConformance.__bases__
    names = Counter(name for part in parts for name in vars(part) if not name.startswith("__"))
    assert [name for name, times in names.items() if times > 1] == []
    assert len([name for name in names if name.startswith("test_")]) > 150


def test_every_test_of_the_suite_is_a_coroutine() -> None:
    tests = [test for name, test in vars_of(CheckpointerConformance).items() if name.startswith("test_")]
    plain = [getattr(getattr(test, "hypothesis", None), "inner_test", test) for test in tests]
    assert all(map(inspect.iscoroutinefunction, plain))


def vars_of(suite: type) -> dict[str, Any]:
    return {name: value for part in reversed(suite.__mro__) for name, value in vars(part).items()}


async def play(test: str, saver: Any) -> None:
    """Run one test of the suite, with the first of its parameters."""
    method = getattr(CheckpointerConformance(), test)
    given: dict[str, Any] = {"writer": Writer(saver)}
    for mark in getattr(method, "pytestmark", ()):
        names, values = mark.args[0], mark.args[1]
        given |= dict(zip(names.split(", "), values[-1] if "," in names else [values[-1]], strict=True))
    for name in inspect.signature(method).parameters:
        given.setdefault(name, saver)
    await method(**{name: given[name] for name in inspect.signature(method).parameters})


@pytest.mark.parametrize("broken", CAUGHT_BY, ids=lambda saver: saver.__name__)
async def test_broken_saver_is_caught(broken: type[InMemorySaver]) -> None:
    await play(CAUGHT_BY[broken], InMemorySaver())
    with pytest.raises(CAUGHT):
        await play(CAUGHT_BY[broken], broken())
