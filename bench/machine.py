"""What the figures were measured on: enough to repeat them and to distrust them."""

import gc
import os
import platform
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

from bench.environments import ROOT

BUSY = 0.5
"""A load average per core above which other programs are part of the figures."""


def describe() -> dict[str, Any]:
    return {
        "system": platform.system(),
        "kernel": platform.release(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "usable_cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": memory_gib(),
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "compiler": platform.python_compiler(),
        "optimised_build": "--enable-optimizations" in str(sysconfig.get_config_var("CONFIG_ARGS")),
        "gc_threshold": gc.get_threshold(),
        "revision": revision(),
        "load_average": load(),
    }


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def memory_gib() -> float | None:
    try:
        return round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1)
    except (AttributeError, OSError, ValueError):
        return None


def load() -> float | None:
    """Return how many programs wanted to run during the last minute, on average."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def is_busy() -> bool:
    return (load() or 0.0) > BUSY * (os.cpu_count() or 1)


def revision() -> str | None:
    """Return the commit of the sources, with a plus sign when they differ from it."""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty=+"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return None
    return done.stdout.strip() or None
