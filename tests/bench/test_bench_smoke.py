"""The benchmark runs, and keeps what it measured."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("bench")
    command = [sys.executable, "-m", "bench", "--quick", "--case", "chain_10", "--out", str(folder)]
    command += ["--contestant", "floor", "--contestant", "graphrt"]
    environment = {**os.environ, "GRAPHRT_BENCH_HOME": str(folder / "home")}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    kept: dict[str, Any] = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    return kept


@pytest.mark.parametrize("door", ["async", "sync"])
@pytest.mark.parametrize("contestant", ["floor", "graphrt"])
def test_every_contestant_is_measured_through_every_door(
    results: dict[str, Any], contestant: str, door: str
) -> None:
    figures = {(figure["contestant"], figure["door"]): figure for figure in results["figures"]}
    assert figures[contestant, door]["median_s"] > 0


def test_the_results_say_what_they_were_measured_on(results: dict[str, Any]) -> None:
    assert results["machine"]["python"] == sys.version.split()[0]
    assert results["contestants"]["graphrt"]["loop"].startswith(("uvloop", "asyncio"))
