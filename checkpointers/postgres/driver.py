"""asyncpg, which has no types: what comes from it is `Any`, here and nowhere else said so."""

from typing import Any, Final

import asyncpg as _asyncpg  # pyright: ignore[reportMissingTypeStubs]

__all__ = ["asyncpg"]

asyncpg: Final[Any] = _asyncpg
