"""Databases for the long-term store. `graphrt.store.sqlite` and `graphrt.store.postgres` show them to users.

They stand on the contract in `graphrt.store`, and on the connections that the checkpointers have: a store and a saver
of one SQLite file share its writer, and with that their transactions.
"""
