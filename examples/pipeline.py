"""Which modules a program imports: a pipeline of functions that reads many files at once, and each of them only once.

    python examples/pipeline.py [PATH ...]               report on files and directories, this project's by default
    python examples/pipeline.py --db FILE.db [PATH ...]  the same; the next report reads only what has changed

Needs nothing besides graphrt.
"""

import argparse
import ast
import asyncio
import hashlib
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphrt.checkpoint.memory import InMemorySaver
from graphrt.config import RunnableConfig, get_stream_writer
from graphrt.func import entrypoint, task

THREAD: RunnableConfig = {"configurable": {"thread_id": "imports"}, "max_concurrency": 16}


@dataclass(frozen=True)
class Source:
    """What is known of one file."""

    digest: str
    imports: list[str]


@dataclass(frozen=True)
class Report:
    """What the pipeline returns: how many files import each module, the most imported first."""

    files: int
    read: int
    modules: list[tuple[str, int]]


# ---- the tasks: plain functions; as they are not async, each call runs in a worker thread


@task
def find(paths: list[str]) -> list[str]:
    """All Python files, in a fixed order: the calls below are numbered by it."""
    found = {file for path in map(Path, paths) for file in ([path] if path.is_file() else path.rglob("*.py"))}
    return sorted(map(str, found))


@task
def digest(file: str) -> str:
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()


@task
def imports(file: str) -> list[str]:
    """The top-level names of the modules that a file imports."""
    names: set[str] = set()
    for statement in ast.walk(ast.parse(Path(file).read_bytes(), file)):
        if isinstance(statement, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in statement.names}
        elif isinstance(statement, ast.ImportFrom) and statement.module and not statement.level:
            names.add(statement.module.partition(".")[0])
    get_stream_writer()(f"read {file}")
    return sorted(names)


# ---- the pipeline


@entrypoint(checkpointer=InMemorySaver())
async def pipeline(
    paths: list[str], *, previous: dict[str, Source] | None = None
) -> entrypoint.final[Report, dict[str, Source]]:
    """Report on the files below `paths`; what was read the last time and is the same now is not read again."""
    known = previous or {}
    files = await find(paths)
    digests = dict(zip(files, await asyncio.gather(*map(digest, files)), strict=True))
    changed = [file for file in files if file not in known or known[file].digest != digests[file]]
    found = dict(zip(changed, await asyncio.gather(*map(imports, changed)), strict=True))
    sources = {file: Source(digests[file], found[file]) if file in found else known[file] for file in files}
    counted = Counter(name for source in sources.values() for name in source.imports)
    modules = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    return entrypoint.final(value=Report(len(files), len(changed), modules), save=sources)


# ---- the program


async def report(app: Any, paths: list[str]) -> Report:
    """Run the pipeline, and tell on the way what it reads."""
    result = None
    async for mode, chunk in app.astream(paths, THREAD, stream_mode=["custom", "values"]):
        if mode == "custom":
            print(chunk, file=sys.stderr)
        else:
            result = chunk
    assert isinstance(result, Report)
    return result


async def main(paths: list[str], db: str | None) -> None:
    if db is None:
        told = await report(pipeline, paths)
    else:
        from graphrt.checkpoint.sqlite import SqliteSaver

        async with SqliteSaver.from_conn_string(db) as saver:
            told = await report(pipeline.copy({"checkpointer": saver}), paths)
    for name, count in told.modules[:10]:
        print(f"{count:5}  {name}")
    print(f"{told.files} files, {told.read} of them read now")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Which modules a program imports.")
    parser.add_argument("paths", nargs="*", metavar="PATH", default=["graphrt"])
    parser.add_argument("--db", metavar="FILE.db")
    arguments = parser.parse_args()
    missing = [path for path in arguments.paths if not Path(path).exists()]
    if missing:
        sys.exit(f"There is no file or directory {missing[0]}.")
    asyncio.run(main(arguments.paths, arguments.db))
