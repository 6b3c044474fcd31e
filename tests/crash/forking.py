"""A process that has everything imported and forks a child for each job: a child costs milliseconds, not a start of
the interpreter.

It runs as `python -m tests.crash.forking` with a socket as its standard input. A request is `[job, arguments]` in JSON,
with three files: what the child tells, what it is told, and its stderr. The answer is the child's process id. The files
are how the tests hear of everything else: a pipe that is at its end means that the child is gone, whatever it was that
ended it. When the socket is closed, or this process is killed, so are all children.
"""

import ctypes
import gc
import importlib
import json
import os
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from tests.crash.line import Line

PR_SET_PDEATHSIG = 1
MODULES = ("tests.crash.asking", "tests.crash.jobs", "tests.crash.racing", "tests.crash.shooting", "asyncpg")


def serve(requests: socket.socket) -> None:
    """Fork a child for each request until there are no more; then end, with all children."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    for module in [*MODULES, *modules_of_a_run()]:
        importlib.import_module(module)
    assert threading.active_count() == 1, "a process with threads must not fork"
    gc.freeze()
    while True:
        request, files, _, _ = socket.recv_fds(requests, 1 << 20, 3)
        if not request:
            os.killpg(0, signal.SIGKILL)
        parent = os.getpid()
        child = os.fork()
        if child == 0:
            requests.close()
            become(parent, files, *json.loads(request))
        for file in files:
            os.close(file)
        requests.sendall(b"%d\n" % child)


def modules_of_a_run() -> list[str]:
    """What else a run imports, found out by a child: here no loop and no thread may ever run."""
    from tests.crash.jobs import run_to_the_end

    found, tells = os.pipe()
    if os.fork() == 0:
        nowhere = os.open(os.devnull, os.O_RDWR)
        database = {"kind": "sqlite", "url": ":memory:"}
        run_to_the_end(
            Line(nowhere, nowhere), database=database, thread="t", durability="sync", streams=["updates"]
        )
        os.write(tells, json.dumps(list(sys.modules)).encode())
        os._exit(0)
    os.close(tells)
    with open(found, "rb") as answer:
        modules: list[str] = json.load(answer)
    return [module for module in modules if module != "__main__"]


def become(parent: int, files: list[int], job: str, arguments: dict[str, Any]) -> None:
    """The child's whole life."""
    die_with(parent)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    tells, hears, errors = files
    os.dup2(errors, 2)
    line = Line(tells, hears)
    try:
        find(job)(line, **arguments)
    except BaseException:
        line.tell("failed", traceback.format_exc())
    finally:
        sys.stderr.flush()
        os._exit(0)


def find(job: str) -> Callable[..., None]:
    module, _, name = job.partition(":")
    found: Callable[..., None] = getattr(importlib.import_module(module), name)
    return found


def die_with(parent: int) -> None:
    """Be killed when the parent dies; where the system cannot do that, its process group must do."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


if __name__ == "__main__":
    serve(socket.socket(fileno=os.dup(0)))
