-- Moves the log into the file, as far as nobody reads what was there before; waits for nobody.
PRAGMA wal_checkpoint(PASSIVE)
