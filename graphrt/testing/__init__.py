"""What helps to test graphs and checkpointers.

graphrt.testing.nodes         one node run alone, with all that it has injected
graphrt.testing.script        runs that ask, with the answers written down beforehand
graphrt.testing.schedules     other orders, by a seed: finds what depends on who comes first
graphrt.testing.conformance   the suite that every checkpointer passes; needs pytest and Hypothesis
graphrt.testing.store_conformance    ... that every store passes
graphrt.testing.plugin        the same as a pytest plugin, for checkpointers that have a URL; fixtures
graphrt.testing.faults        a checkpointer that fails, hangs or kills the process at a call of your choosing
graphrt.testing.clock         time that moves when the test says so
graphrt.testing.ids           ids that are the same every time
graphrt.testing.postgres      a real Postgres server, on any machine
"""
