"""`EncryptedSaver` and its keys; loaded when they are asked for, as `cryptography` comes with an extra."""

try:
    from checkpointers.encrypted import EncryptedSaver, Keys, copy_thread
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] == "cryptography":
        error.add_note("Encryption at rest needs it. Run: pip install 'graphrt[encryption]'")
    raise

__all__ = ["EncryptedSaver", "Keys", "copy_thread"]
