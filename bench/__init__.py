"""Measure graphrt beside the floor and its rivals: `python -m bench`, explained in bench/README.md.

    cases.py         what is measured          nodes.py           the node functions that everybody runs
    contestants/     who is measured           environments.py    where each of them lives
    worker.py        one contestant's process  measure.py         repeats of one case, inside that process
    drive.py         rounds over all of them   importing.py       the one case that has no worker
    figures.py       what was measured         machine.py         what it was measured on
    table.py chart.py bars.py                  what the figures say
    calls.py scaling.py counts.py              counts and growth, beside the times
    durable/         the same for threads on SQLite and Postgres

A worker runs in a rival's environment: what it imports needs nothing but the standard library.
"""
