"""Where contestants live: one virtual environment per rival, filled from its pins on first use and kept.

The folder is $GRAPHRT_BENCH_HOME, or `.bench` beside the sources. A changed pin or interpreter fills it anew.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = Path(__file__).resolve().parent / "requirements"


class RivalNotInstalledError(Exception):
    """A rival could not be installed; the text is the last thing that pip said."""


def home() -> Path:
    chosen = os.environ.get("GRAPHRT_BENCH_HOME")
    return Path(chosen).expanduser().resolve() if chosen else ROOT / ".bench"


def interpreter_of(environment: str | None) -> Path:
    """Return the interpreter of an environment, which is made and filled if need be.

    None is the running one: graphrt and the floor are measured where the project is developed.

    Raises:
        RivalNotInstalledError: pip could not install the pins.
    """
    if environment is None:
        return Path(sys.executable)
    folder = home() / environment
    pins = REQUIREMENTS / f"{environment}.txt"
    stamp, wanted = folder / "filled", fingerprint(pins)
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        print(f"filling the environment of {environment} ...", file=sys.stderr, flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(folder, with_pip=False, symlinks=os.name != "nt")
        install(python, pins)
        stamp.write_text(wanted, encoding="utf-8")
    return python


def fingerprint(pins: Path) -> str:
    return hashlib.sha256(pins.read_bytes() + sys.version.encode()).hexdigest()


def install(python: Path, pins: Path) -> None:
    command = [
        *pip(),
        "--python",
        str(python),
        "--disable-pip-version-check",
        "install",
        "--quiet",
        "-r",
        str(pins),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        raise RivalNotInstalledError(said[-1] if said else f"pip ended with status {done.returncode}")


def pip() -> list[str]:
    """Return the command of a pip: this interpreter's, or that of the Python it was made from."""
    suffix = ".exe" if os.name == "nt" else f"{sys.version_info.major}.{sys.version_info.minor}"
    base = Path(sys.base_exec_prefix) / ("python.exe" if os.name == "nt" else f"bin/python{suffix}")
    for python in (sys.executable, str(base)):
        command = [python, "-m", "pip"]
        if subprocess.run([*command, "--version"], capture_output=True, check=False).returncode == 0:
            return command
    raise RivalNotInstalledError("no pip found to fill the environment with")
