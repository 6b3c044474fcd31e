"""An hour of fuzzing, condensed: mutated values and threads, each in a process that an audit hook looks at.

Seeds are fixed, so a failure here is the same everywhere; a message names the seed and the case. With
`GRAPHRT_FUZZ_SECONDS` every kind runs for so many seconds instead, from another seed each time.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from random import SystemRandom
from typing import Any

import pytest

from graphrt.checkpoint.postgres import PostgresSaver
from tests.conftest import postgres_server

ROOT = Path(__file__).parent.parent.parent
SECONDS = float(os.environ.get("GRAPHRT_FUZZ_SECONDS", "0"))


def fuzz(module: str, *kind: str, cases: int, **environment: str) -> dict[str, Any]:
    seed = SystemRandom().randrange(2**32) if SECONDS else 1
    command = [sys.executable, "-m", module, *kind, str(seed), str(0 if SECONDS else cases), str(SECONDS)]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300 + 2 * SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
def test_mutated_values_do_nothing_but_fail() -> None:
    report = fuzz("tests.hostile.fuzz_values", cases=40_000)
    assert report["wrong"] == []
    assert report["cases"] > 1_000


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind, cases",
    [("memory", 1_500), ("memory+encrypted", 800), ("sqlite", 150), ("sqlite+encrypted", 80)],
)
def test_changed_threads_do_nothing_but_fail(kind: str, cases: int) -> None:
    report = fuzz("tests.hostile.fuzz_threads", kind, cases=cases)
    assert report["wrong"] == []
    assert report["cases"] >= 80


@pytest.mark.slow
@pytest.mark.parametrize("kind, cases", [("postgres", 120), ("postgres+encrypted", 80)])
def test_changed_tables_do_nothing_but_fail(kind: str, cases: int) -> None:
    url = postgres_server().create_database()
    PostgresSaver.from_conn_string(url).setup()
    report = fuzz("tests.hostile.fuzz_threads", kind, cases=cases, GRAPHRT_FUZZ_DSN=url)
    assert report["wrong"] == []
    assert report["cases"] >= 80


# ---- the watch itself sees what it is there for


@pytest.mark.parametrize(
    "act",
    [
        "compile('1', '', 'eval')",
        "eval('1')",
        "exec('1')",
        "open('/dev/null')",
        "__import__('xdrlib_')",
        "importlib.import_module('this')",
        "os.system('true')",
        "socket.socket()",
        "subprocess.Popen(['true'])",
        "pickle.loads(pickle.dumps(print))",
        "types.FunctionType((lambda: 0).__code__, {})",
    ],
)
def test_watch_sees(act: str) -> None:
    program = (
        "import contextlib, importlib, os, pickle, socket, subprocess, types\n"
        "from tests.hostile import watch\n"
        "watch.begin()\n"
        "with contextlib.suppress(Exception), watch.watched():\n"
        f"    {act}\n"
        "assert watch.happened\n"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], cwd=ROOT, check=True, capture_output=True)
