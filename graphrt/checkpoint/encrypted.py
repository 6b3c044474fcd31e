"""`EncryptedSaver` and its keys; loaded when they are asked for, as `cryptography` comes with an extra."""

from checkpointers.encrypted import EncryptedSaver, Keys, copy_thread

__all__ = ["EncryptedSaver", "Keys", "copy_thread"]
