"""Do: the run loop and everything that waits.

run.py        plan -> run -> commit -> persist -> publish
express.py    supersteps of one node that nobody watches, in one tight loop
attempt.py    one task: call the node in its own context, follow its edges
fanout.py     the tasks of one step together
workers.py    sync nodes in worker threads
intake.py     what a run is given
journal.py    the run's thread: commits in order, as durable as asked for
turns.py      who may run on a thread now
publish.py    what a subscriber is told
stream.py     the bounded buffer between a run and its consumer
consumer.py   the consumer's end: owns the run's task
door.py       the sync door
patience.py   waiting that a cancel cannot cut short
"""
