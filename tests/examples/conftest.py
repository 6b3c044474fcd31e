"""Real servers on loopback, and examples run as programs, as a reader of the README runs them."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn

ROOT = Path(__file__).parents[2]

Serve = Callable[[Any], Awaitable[str]]
RunExample = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Serve an ASGI app on loopback until the test ends; gives its URL."""
    async with AsyncExitStack() as servers:

        async def start(app: Any) -> str:
            return await servers.enter_async_context(served(app))

        yield start


@asynccontextmanager
async def served(app: Any) -> AsyncIterator[str]:
    # The socket listens before the server runs: clients connect at once and nobody has to wait for a port.
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", ws="none", log_config=None))
    running = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await running


@pytest.fixture
def run_example() -> RunExample:
    """Run examples/NAME from the root of the project, with warnings as errors."""

    def run(name: str, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-W", "error", f"examples/{name}", *args]
        environ = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.getenv("PYTHONPATH")])),
            **env,
        }
        return subprocess.run(
            command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=120, check=False
        )

    return run
