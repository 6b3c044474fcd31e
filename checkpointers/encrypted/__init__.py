"""Encryption at rest, for any checkpointer: AES-GCM, keys by id, every value tied to its place.

`keys` says which keys there are, `envelope` what an encrypted value looks like, `places` what it is tied to, `sealing`
what is encrypted of each record and what vouches for the rest; `saver` does it, `copying` reads and commits again.
"""

from checkpointers.encrypted.copying import copy_thread
from checkpointers.encrypted.keys import Keys
from checkpointers.encrypted.saver import EncryptedSaver

__all__ = ["EncryptedSaver", "Keys", "copy_thread"]
