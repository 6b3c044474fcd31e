"""Real processes, real files, a real Postgres that keeps its promises (fsync is on)."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from graphrt.testing.postgres import PostgresServer

if sys.platform == "win32":
    collect_ignore_glob = ["test_*.py"]  # no fork, no signals
else:
    from tests.crash.databases import KINDS, Databases
    from tests.crash.processes import Processes


@pytest.fixture(scope="session")
def forking() -> Iterator["Processes"]:
    with Processes() as opened:
        yield opened


@pytest.fixture
def processes(forking: "Processes") -> Iterator["Processes"]:
    """Starts children; those that a test leaves alive are killed."""
    yield forking
    forking.end()


@pytest.fixture(scope="session")
def durable_server() -> Iterator[PostgresServer]:
    with PostgresServer(fsync=True) as server:
        yield server
        if server.ours:
            server.kill()  # in order it would first write everything to the disk, which takes a busy one half a minute


@pytest.fixture(params=KINDS)
def databases(request: pytest.FixtureRequest, tmp_path: Path) -> "Databases":
    """Makes new databases, of each kind."""
    return Databases(request.param, tmp_path, lambda: request.getfixturevalue("durable_server"))


@pytest.fixture
def postgres(tmp_path: Path, durable_server: PostgresServer) -> "Databases":
    return Databases("postgres", tmp_path, lambda: durable_server)


@pytest.fixture
def seed() -> int:
    """Where randomness starts; a failure shows it, and GRAPHRT_CRASH_SEED sets it."""
    chosen = int(os.environ.get("GRAPHRT_CRASH_SEED", "3"))
    print(f"GRAPHRT_CRASH_SEED={chosen}")
    return chosen


@pytest.fixture
def moments() -> int:
    """At how many random moments to kill, on each database."""
    return int(os.environ.get("GRAPHRT_CRASH_ROUNDS", "200"))
