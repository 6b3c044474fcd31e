"""The test's side of the processes that it starts, watches, stops and kills."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0
"""After this a process hangs. It is the difference between a failure and a test run that never ends, nothing else."""


class Child:
    """A process that does one job.

    Attributes:
        told: what it has told, each a name and more.
        ended: it is gone; `told` and `errors` are complete.
        errors: what it wrote to stderr.
    """

    def __init__(self, pid: int, tells: int, hears: int, errors: Any) -> None:
        self.pid = pid
        self.told: list[list[Any]] = []
        self.ended = False
        self.errors = ""
        self._tells = tells
        self._hears = hears
        self._stderr = errors
        self._rest = b""

    def until(self, reached: Callable[[], bool], *, patience_s: float = PATIENCE_S) -> None:
        """Read what it tells until something is reached or it has ended.

        Raises:
            TimeoutError: neither. It was killed, and had to say where its threads were.
        """
        given_up = time.monotonic() + patience_s
        while not reached() and not self.ended:
            if not select.select([self._tells], [], [], max(0.0, given_up - time.monotonic()))[0]:
                self._abort()
                raise TimeoutError(f"A process hung for {patience_s} s after {self.told[-5:]}\n{self.errors}")
            self._read()

    def until_it_told(self, number: int) -> None:
        """Wait until it has told so many things, or has ended."""
        self.until(lambda: len(self.told) >= number)

    def has_told(self, what: str, *more: Any) -> bool:
        return any(told[: 1 + len(more)] == [what, *more] for told in self.told)

    def until_told(self, what: str, *more: Any) -> None:
        """Wait until it says so.

        Raises:
            AssertionError: it ended and never said it.
        """
        self.until(lambda: self.has_told(what, *more))
        assert self.has_told(what, *more), f"never told {what!r}, but {self.told[-3:]}\n{self.errors}"

    def report(self) -> Any:
        """Wait until it has ended well; what it reported at last."""
        self.until(lambda: False)
        assert not self.has_told("failed"), self.told[-1][1]
        assert not self.errors, self.errors
        assert self.told, "the process ended without a word"
        assert self.told[-1][0] == "report", f"the process ended after {self.told[-3:]}"
        return self.told[-1][1]

    def tell(self) -> None:
        """Let it go on where it waits for the test."""
        os.write(self._hears, b".")

    def signal(self, number: int) -> None:
        """Send it a signal if it is still there: nobody waits for it, so its number may soon be somebody else's."""
        while not self.ended and select.select([self._tells], [], [], 0)[0]:
            self._read()
        if not self.ended:
            with suppress(ProcessLookupError):  # it ends just now
                os.kill(self.pid, number)

    def kill(self, *, after_s: float = 0.0) -> None:
        """Kill it, at once or at a moment that the dice chose, and read what it had told."""
        if after_s:
            time.sleep(after_s)
        self.signal(signal.SIGKILL)
        self.until(lambda: False)

    def _abort(self) -> None:
        """End it by a signal at which faulthandler tells where it is."""
        for number in (signal.SIGCONT, signal.SIGABRT):
            self.signal(number)
        if not select.select([self._tells], [], [], 5.0)[0]:
            self.signal(signal.SIGKILL)
        self.until(lambda: False)

    def _read(self) -> None:
        received = os.read(self._tells, 1 << 16)
        if not received:
            self.ended = True
            os.close(self._tells)
            os.close(self._hears)
            with self._stderr as stderr:
                stderr.seek(0)
                self.errors = stderr.read().decode(errors="replace")
            return
        *lines, self._rest = (self._rest + received).split(b"\n")
        self.told += map(json.loads, lines)


class Processes:
    """Starts children, each forked from one process that has everything imported. Safe to use from several threads."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._forking = subprocess.Popen(
                [sys.executable, "-X", "faulthandler", "-W", "default", "-m", "tests.crash.forking"],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                cwd=ROOT,
                start_new_session=True,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )
        self._requests = ours
        self._requests.settimeout(PATIENCE_S)
        self._lock = threading.Lock()
        self._started: list[Child] = []

    def start(self, job: Callable[..., None], **arguments: Any) -> Child:
        """Start a child that does a job, a function of a module that can be imported, with data that JSON can carry."""
        we_read, it_tells = os.pipe()
        it_hears, we_write = os.pipe()
        errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the child that it belongs to
        request = json.dumps([f"{job.__module__}:{job.__name__}", arguments]).encode()
        with self._lock:
            socket.send_fds(self._requests, [request], [it_tells, it_hears, errors.fileno()])
            pid = int(self._requests.recv(32))
        os.close(it_tells)
        os.close(it_hears)
        child = Child(pid, we_read, we_write, errors)
        self._started.append(child)
        return child

    def end(self) -> None:
        """Kill those that are still alive."""
        started, self._started = self._started, []
        for child in started:
            child.kill()

    def close(self) -> None:
        """End, with all children."""
        self.end()
        self._requests.close()
        self._forking.wait(PATIENCE_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
