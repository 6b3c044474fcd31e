"""The command line as a process: Ctrl-C, a real terminal, a closed pipe, missing packages."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
Program = Callable[..., Path]

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and terminals as POSIX has them")

WAITING = """
import asyncio

async def wait(state, writer: StreamWriter):
    writer("waiting")
    try:
        await asyncio.Event().wait()
    finally:
        writer("cancelled")
        open("cancelled", "w").close()

waiting = one(wait)
"""


def start(directory: Path, *args: str, **options: Any) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "error", "-m", "graphrt", *args]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "80"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    return subprocess.Popen(command, cwd=directory, env=env, text=True, **pipes)


@posix
def test_ctrl_c_cancels_the_run_and_says_so(program: Program):
    directory = program(WAITING).parent
    process = start(directory, "run", "graphs.py:waiting", "--input", "{}", "--stream", "custom")
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == '{"type":"custom","data":"waiting"}\n'
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err == "Interrupted.\n"
    assert (directory / "cancelled").exists()


@posix
def test_on_a_terminal_nodes_are_shown_and_the_result_is_pretty(program: Program):
    import pty

    directory = program().parent
    ours, theirs = pty.openpty()
    process = start(directory, "run", "graphs.py:graph", "--input", '{"n": 1}', stdout=theirs, stderr=theirs)
    os.close(theirs)
    with process:
        shown = read_all(ours)
    assert process.returncode == 0, shown
    assert "node" in shown
    assert '"n"' in shown
    assert '{"type"' not in shown


def read_all(terminal: int) -> str:
    """Everything until the other side has closed; Linux reports that as an error."""
    parts: list[bytes] = []
    try:
        while part := os.read(terminal, 65536):
            parts.append(part)
    except OSError:
        pass
    finally:
        os.close(terminal)
    return b"".join(parts).decode()


@posix
def test_a_reader_that_stops_reading_ends_the_run_quietly(program: Program):
    directory = program("loop = one(add_one)\nloop.add_edge('node', 'node')").parent
    process = start(directory, "run", "graphs.py:loop", "--input", '{"n": 0}')
    with process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr is not None
        err = process.stderr.read()
    assert process.returncode == 1
    assert "Traceback" not in err


def test_without_its_packages_the_command_says_what_to_install():
    code = "import sys; sys.modules['click'] = None; from graphrt.cli import main; main()"
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 2
    assert ended.stderr == "Error: the command line needs more packages. Run: pip install 'graphrt[cli]'\n"
