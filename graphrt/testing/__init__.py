"""What helps to test graphs and checkpointers.

graphrt.testing.conformance   the suite that every checkpointer passes; needs pytest and Hypothesis
graphrt.testing.plugin        the same as a pytest plugin, for checkpointers that have a URL
graphrt.testing.faults        a checkpointer that fails, hangs or kills the process at a call of your choosing
graphrt.testing.clock         time that moves when the test says so
graphrt.testing.postgres      a real Postgres server, on any machine
"""
