"""A process that outlives its parent, even one that was killed, to end the Postgres server that it had started.

It runs as a script, `guard.py FOLDER`, and waits for the end of its standard input, which its parent holds open. Then
it ends the server whose data are below the folder, if one runs, and removes the folder.
"""

import contextlib
import os
import shutil
import signal
import sys
import time
from pathlib import Path

PATIENCE_S = 10.0


def end_server(lock: Path) -> None:
    """Tell the server that wrote this lock file to stop at once, and wait until it has."""
    try:
        server = int(lock.read_text().splitlines()[0])
        os.kill(server, signal.SIGQUIT)
    except (OSError, ValueError, IndexError):
        return  # it has ended already
    given_up = time.monotonic() + PATIENCE_S
    while lock.exists() and time.monotonic() < given_up:
        time.sleep(0.02)
    if lock.exists():
        with contextlib.suppress(OSError):
            os.kill(server, signal.SIGKILL)


if __name__ == "__main__":
    sys.stdin.buffer.read()
    end_server(Path(sys.argv[1], "data", "postmaster.pid"))
    shutil.rmtree(sys.argv[1], ignore_errors=True)
