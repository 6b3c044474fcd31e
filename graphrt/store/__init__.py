"""Long-term memory: what graphs keep across threads.

contract, base              what a store must do, and its methods; the same under LangGraph's path
items, ops, embedding       what goes in and comes out, and who makes vectors
values, namespaces          what can be stored, and where
filters, paths, nearness    what is found, pure
batches, index              a batch of ops, checked and taken apart; what of it is embedded
memory, table               the store in memory
batch, sweeping             ops that come together go together; expired items are deleted now and then
bridge, clock               threads without a loop; time, which is given
sqlite, postgres            the stores in databases, which are in the package `stores`; `urls` knows them by name
"""
