"""Measure graphrt beside the floor and its rivals: `python -m bench`, explained in bench/README.md.

    cases.py         what is measured          nodes.py      the node functions that everybody runs
    contestants/     who is measured           environments  where each of them lives
    worker.py        one contestant's process  measure.py    repeats of one case, inside that process
    drive.py         rounds over all of them   figures.py    what was measured, and its statistics
    table.py chart.py bars.py                  calls.py scaling.py   counts and growth, beside the times

A worker runs in a rival's environment: what it imports needs nothing but the standard library.
"""
