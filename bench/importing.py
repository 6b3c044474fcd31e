"""How long a fresh interpreter takes to import a contestant, beyond what the interpreter itself takes."""

import subprocess
import time
from pathlib import Path
from typing import Any

from bench.contestants.roster import Entry
from bench.environments import ROOT, RivalNotInstalledError, interpreter_of
from bench.measure import Effort

STARTS_PER_ROUND = 3


class ImportTimer:
    """Starts interpreters in pairs, one that imports and one that does not, and keeps the difference."""

    def __init__(self, effort: Effort) -> None:
        self.starts = min(STARTS_PER_ROUND, effort.most_samples)

    def measure(self, entry: Entry) -> dict[str, Any]:
        try:
            python = interpreter_of(entry.environment)
            start(python, entry.import_line)  # the files come from the disk only once
            seconds = [start(python, entry.import_line) - start(python, "pass") for _ in range(self.starts)]
        except RivalNotInstalledError as error:
            return {"failed": f"no environment: {error}"}
        except subprocess.CalledProcessError as error:
            said = str(error.stderr).strip().splitlines()
            return {"failed": said[-1] if said else str(error)}
        # A pair that differs by less than the noise of two starts would give a negative time.
        return {"seconds": [max(each, 0.0) for each in seconds], "runs_per_sample": 1}


def start(python: Path, line: str) -> float:
    began = time.perf_counter()
    subprocess.run([str(python), "-c", line], cwd=ROOT, check=True, capture_output=True, text=True)
    return time.perf_counter() - began
