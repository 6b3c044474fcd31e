"""What a durable step costs and what is left of it on the disk: `python -m bench durable`, see bench/README.md.

cases.py         what is measured, on which storage    messages.py     what is said in a conversation
contestants/     who is measured                       recording.py    what our saver is given to store
databases.py     a fresh database for each of them     disk.py         bytes and rows that it holds
worker.py        one contestant's process              measure.py      repeats of one case in that process
growing.py       one long conversation in that process memory.py       the same in its own memory
drive.py         rounds over all contestants           lengthen.py     conversations up to their marks
figures.py       what was measured                     table.py chart.py curves.py bars.py   what it says
command.py       the command line
"""
