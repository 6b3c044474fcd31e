"""The plugin runs the suite on checkpointers that are named by URL, with no test file."""

import subprocess
import sys
from pathlib import Path

FEW = "-k=(bytes_come_back_as_they_were or newest_checkpoint) and not asyncio_debug"


def pytest_in(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", FEW, *options]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def test_three_lines_of_settings_run_the_suite(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\naddopts = -p graphrt.testing.plugin\ncheckpointers = memory:// sqlite:///{directory}/t.db\n"
    )
    done = pytest_in(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout


def test_option_names_a_checkpointer(tmp_path: Path) -> None:
    done = pytest_in(tmp_path, "-p", "graphrt.testing.plugin", "--checkpointer", "memory://", "-vv")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "memory://" in done.stdout


def test_unknown_scheme_says_so(tmp_path: Path) -> None:
    done = pytest_in(tmp_path, "-p", "graphrt.testing.plugin", "--checkpointer", "nowhere://")
    assert done.returncode == 1
    assert "No checkpointer for nowhere:// is installed" in done.stdout


def test_without_urls_nothing_is_added(tmp_path: Path) -> None:
    (tmp_path / "test_own.py").write_text("def test_newest_checkpoint(): pass\n")
    done = pytest_in(tmp_path, "-p", "graphrt.testing.plugin")
    assert "1 passed" in done.stdout
