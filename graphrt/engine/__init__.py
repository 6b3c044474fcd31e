"""Do: the run loop and everything that waits.

run.py        plan -> run -> commit -> persist -> publish
express.py    supersteps of one node that nobody watches, in one tight loop
attempt.py    one task: call the node in its own context, follow its edges
fanout.py     the tasks of one step together
attempts.py   tasks whose node has a policy: several attempts; trial.py the one at hand, deadlines.py its end
handling.py   error handlers; blame.py what a failure says of where it happened
living.py     graphs inside a task that is tried again, where nothing is stored
workers.py    sync nodes in worker threads
intake.py     what a run is given
journal.py    the run's thread: commits in order, as durable as asked for
turns.py      who may run on a thread now
publish.py    what a subscriber is told
stream.py     the bounded buffer between a run and its consumer
consumer.py   the consumer's end: owns the run's task
door.py       the sync door
clock.py      time and chance, which tests can replace
patience.py   waiting that a cancel cannot cut short
"""
