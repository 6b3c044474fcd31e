#!/usr/bin/env python3
"""The project's commands, for a machine that has Python 3.11 or newer and pip, and nothing else.

    python3 dev.py demo [ARGS]         the README's main example, on the project's own docs
    python3 dev.py test [ARGS]         the test suite, or what ARGS to pytest say
    python3 dev.py check [--no-tests]  format, lint, types, layers, parity, then the tests: what CI runs
    python3 dev.py fix                 format, and repair what the linter can
    python3 dev.py run ARGS            python ARGS in the project's environment
    python3 dev.py lock [ARGS]         resolve requirements/*.txt again; ARGS go to uv, for example --upgrade

The environment is `.venv`, made and filled once; a changed pin, pyproject.toml or interpreter fills it again.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
STAMP = VENV / "filled.json"
REQUIREMENTS = ROOT / "requirements"
PYTEST: list[str | Path] = [PYTHON, "-m", "pytest"]
# The whole suite, on all cores: a file's tests stay together, and each worker has its own Postgres.
EVERYTHING = ["-n", "auto", "--maxprocesses", "4", "--dist", "loadfile"]

# Each file holds everything the one before it holds, and what its command needs besides.
LEVELS = {
    "runtime": ["--extra=uvloop", "--extra=cli", "--group=build"],
    "test": ["--all-extras", "--group=build", "--group=test"],
    "check": ["--all-extras", "--group=dev"],
}
MINIMUM = (3, 11)


def main(argv: list[str]) -> int:
    """Run the command that `argv` names."""
    if sys.version_info < MINIMUM:
        return restart_with_newer_python(argv)
    commands = {"demo": demo, "test": test, "check": check, "fix": fix, "run": run, "lock": lock}
    if not argv or argv[0] not in commands:
        print(__doc__)
        return 0 if argv and argv[0] in ("-h", "--help", "help") else 2
    os.chdir(ROOT)
    return commands[argv[0]](argv[1:])


def demo(args: list[str]) -> int:
    fill("runtime")
    return call([PYTHON, "examples/text_statistics.py", *args])


def test(args: list[str]) -> int:
    fill("test")
    return call([*PYTEST, *(args or EVERYTHING)])


def fix(args: list[str]) -> int:
    fill("check")
    status = call([BIN / "ruff", "check", "--fix", *args])
    return call([BIN / "ruff", "format", *args]) or status


def run(args: list[str]) -> int:
    fill("check")
    return call([PYTHON, *args])


def check(args: list[str]) -> int:
    """Run every check, however many fail, with the tests last so that their closing line is the last one."""
    fill("check")
    typed = ["graphrt", "checkpointers", "stores"] + [
        path for path in ("tests/typing",) if (ROOT / path).is_dir()
    ]
    steps: dict[str, list[str | Path]] = {
        "format": [BIN / "ruff", "format", "--check", "--quiet"],
        "lint": [BIN / "ruff", "check", "--quiet"],
        "layers": [BIN / "lint-imports"],
        "parity": [PYTHON, "scripts/parity.py", "--check"],
        "mypy": [PYTHON, "-m", "mypy", *typed, "scripts", "dev.py"],
        "pyright": [PYTHON, "-m", "pyright", "--pythonpath", PYTHON, *typed],
    }
    if "--no-tests" not in args:
        steps["tests"] = [*PYTEST, *(args or EVERYTHING)]
    failed = [name for name, command in steps.items() if not passes(name, command)]
    if failed:
        print("failed: " + ", ".join(failed), file=sys.stderr)
    return 1 if failed else 0


def passes(name: str, command: list[str | Path]) -> bool:
    print("== " + name, flush=True)
    return call(command) == 0


def fill(level: str) -> None:
    """Make `.venv` hold what `level` needs; a glance at a stamp when it already does."""
    wanted = fingerprints()
    found = read_stamp()
    if found.get("python") != wanted["python"]:
        found = {"python": wanted["python"]}
        make_environment(found)
    if found.get(level) == wanted[level]:
        return
    print("filling .venv with requirements/" + level + ".txt ...", flush=True)
    pip("install", "--require-hashes", "--no-deps", "-r", REQUIREMENTS / (level + ".txt"))
    pip("install", "--no-deps", "--no-index", "--no-build-isolation", "--editable", ROOT)
    held = list(LEVELS)[: list(LEVELS).index(level) + 1]
    found.update({name: wanted[name] for name in held})
    STAMP.write_text(json.dumps(found), encoding="utf-8")


def make_environment(stamp: dict[str, str]) -> None:
    if VENV.exists() and not STAMP.exists():
        raise SystemExit(str(VENV) + " is not of this script's making: move it away, and run this again")
    shutil.rmtree(VENV, ignore_errors=True)
    # pip need not live in there: the pip of the calling Python fills it, also where ensurepip is not installed.
    venv.create(VENV, with_pip=False, symlinks=os.name != "nt")
    STAMP.write_text(json.dumps(stamp), encoding="utf-8")


def fingerprints() -> dict[str, str]:
    """Return what `.venv` should be made from: the interpreter, and each level's pins and package metadata."""
    package = (ROOT / "pyproject.toml").read_bytes()
    prints = {
        level: hashlib.sha256((REQUIREMENTS / (level + ".txt")).read_bytes() + package).hexdigest()
        for level in LEVELS
    }
    prints["python"] = sys.version + sys.base_prefix + str(ROOT)
    return prints


def read_stamp() -> dict[str, str]:
    try:
        stamp: dict[str, str] = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # not made yet, or interrupted while being made
        return {}
    return stamp


def lock(args: list[str]) -> int:
    """Resolve the pins for every supported Python and platform at once, names and hashes only."""
    with tempfile.TemporaryDirectory() as scratch:
        venv.create(scratch, with_pip=False)
        python = Path(scratch) / BIN.name / PYTHON.name
        pip("install", "uv", python=python)
        constraint: list[str | Path] = []
        for level, selection in LEVELS.items():
            file = Path("requirements") / (level + ".txt")
            resolve: list[str | Path] = [python.parent / "uv", "pip", "compile", "--quiet", "--universal"]
            resolve += ["--python-version=3.11", "--generate-hashes", "--no-header", "--no-annotate"]
            resolve += [*selection, *constraint, *args, "--output-file", file, "pyproject.toml"]
            if status := call(resolve):
                return status
            constraint = ["--constraint", file]
    return 0


def pip(*args: str | Path, python: Path = PYTHON) -> None:
    command = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "--disable-pip-version-check",
        "--quiet",
        *args,
    ]
    if call(command):
        raise SystemExit("pip could not fill the environment; the command was:\n  " + shown(command))


def call(command: list[str | Path]) -> int:
    # Its weekly look for a newer release would make the type check depend on the network.
    environment = {**os.environ, "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
    try:
        return subprocess.run(
            [str(part) for part in command], cwd=ROOT, env=environment, check=False
        ).returncode
    except KeyboardInterrupt:
        return 130


def shown(command: list[str | Path]) -> str:
    return shlex.join(str(part) for part in command)


def restart_with_newer_python(argv: list[str]) -> int:
    for minor in (13, 12, 11):
        newer = shutil.which("python3.%d" % minor)
        # Version managers put commands on the path for interpreters that are not enabled: they only fail.
        if newer and subprocess.call([newer, "-c", ""], stderr=subprocess.DEVNULL) == 0:
            return subprocess.call([newer, __file__, *argv])
    print("graphrt needs Python 3.11 or newer; this is " + sys.version.split()[0], file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
