-- The numbers of commits that are forgotten are not given out again: their rows are still there for a while.
UPDATE graphrt_threads
SET spent = max(spent, (SELECT coalesce(max(seq), 0) FROM graphrt_checkpoints WHERE chain = ?1))
WHERE chain = ?1
