"""The command `graphrt`: run a graph from the shell, draw it, look after threads. Needs the extra `cli`.

commands.py   the commands, their options and help: run, draw
threads.py    the commands for threads: list, show, history, copy
forgetting.py and those that ask first: delete, prune
migrate.py    the command for a database's tables
storage.py    --checkpointer -> a checkpointer that is open, and can do what is wanted
reading.py    stored records -> plain data
questions.py  what a thread waits for, and how it goes on
tables.py     plain data of threads -> tables and text
target.py     FILE_OR_MODULE:GRAPH -> a graph that can run
given.py      --input, --resume -> a value
running.py    one run: graph, input and options -> chunks -> a view
lines.py      the view for programs: JSON lines
terminal.py   the view for people: nodes as they run, then the result
progress.py   what a run has done so far, as data
exits.py      exit codes, and errors in words
"""

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line; says what to install if that is missing.

    Raises:
        SystemExit: always; its code is one of `graphrt.cli.exits.Exit`.
    """
    try:
        from graphrt.cli.commands import graphrt
    except ModuleNotFoundError as error:
        if error.name not in ("click", "rich"):
            raise
        sys.stderr.write("Error: the command line needs more packages. Run: pip install 'graphrt[cli]'\n")
        raise SystemExit(2) from None
    graphrt(prog_name="graphrt")
