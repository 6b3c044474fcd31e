"""Decide: what runs next and what a superstep's writes make of the state. Pure: no await, clock, randomness or I/O.

plan.py       a compiled graph: names turned into indexes
shape.py      how a user's callable wants to be called
state.py      what changes during a run, and the tasks of a step
planning.py   state -> tasks
routing.py    conditional edges: what a router is asked and what its answer means
commit.py     state + finished tasks -> state and what runs next
retrying.py   which policy speaks for a failure, and how long to wait; handled.py failed tasks that hand over
joins.py      joins that a run left waiting
ids.py        task and checkpoint ids, namespaces
snapshot.py   stored records -> state; recording.py and book.py the other way
looking.py    stored records -> the snapshots that users see; sight.py what all of a graph's have in common,
              outcomes.py what they say of tasks
report.py     what streams and snapshots say
"""
