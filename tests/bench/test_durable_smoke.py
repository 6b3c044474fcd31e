"""The benchmark of durable threads runs, and keeps what it measured."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(folder: Path, *options: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench", "durable", "--quick", "--out", str(folder / "out"), *options]
    environment = {**os.environ, "GRAPHRT_BENCH_HOME": str(folder / "home")}
    environment.pop("GRAPHRT_TEST_DSN", None)  # a server with settings of its own would be refused
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    kept: dict[str, Any] = json.loads((folder / "out" / "results.json").read_text(encoding="utf-8"))
    return kept


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    chosen = ["--storage", "sqlite-normal", "--storage", "postgres-relaxed", "--case", "chain_10"]
    chosen += ["--together", "1", "--together", "3", "--durability", "sync"]
    contestants = ["--contestant", "floor", "--contestant", "floor+transaction", "--contestant", "graphrt"]
    return run(tmp_path_factory.mktemp("durable"), *chosen, *contestants)


@pytest.mark.parametrize("storage", ["sqlite-normal", "postgres-relaxed"])
@pytest.mark.parametrize("contestant", ["floor", "floor+transaction", "graphrt"])
def test_every_contestant_is_measured(steps: dict[str, Any], contestant: str, storage: str) -> None:
    measured = [
        cell["together"]
        for cell in steps["cells"]
        if (cell["contestant"], cell["storage"], cell["status"]) == (contestant, storage, "measured")
    ]
    assert measured == [1, 3]


def test_the_results_say_what_a_step_stores(steps: dict[str, Any]) -> None:
    assert len(steps["bytes_per_step"]["chain_10"]) == steps["cells"][0]["steps"] == 12


def test_a_conversation_is_measured_at_its_marks(tmp_path: Path) -> None:
    kept = run(tmp_path, "--only", "growth", "--storage", "sqlite-normal", "--contestant", "graphrt")
    last = kept["points"][-1]
    assert (last["turns"], last["storage"]) == (100, "sqlite-normal")
    assert last["rows"] > 1
    assert last["commit_s"] > 0
