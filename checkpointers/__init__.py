"""Implementations of `graphrt.checkpoint.Checkpointer`, one module each."""
