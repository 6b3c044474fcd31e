"""Threads in an SQLite file (decision 0012).

saver.py       SqliteSaver: the checkpointer's methods
tenant.py      whoever uses a file: opening, sharing, letting go
options.py     what can be set, which file is meant
files.py       files that are open in this process
writer.py      one writer per file, whose transactions are shared
lanes.py       threads that have a connection each
borrowed.py    connections that belong to the user
opening.py     connections, and the tables they need
writing.py     what commits do to the tables
reading.py     what the tables say
housekeeping.py, chores.py    copying, pruning, counting
"""

from checkpointers.sqlite.saver import SqliteSaver

__all__ = ["SqliteSaver"]
