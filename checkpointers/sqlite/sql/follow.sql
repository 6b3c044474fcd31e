-- Moves the head of a thread whose newest checkpoint is the last commit. No row comes back if the head is not where the
-- writer thinks it is.
UPDATE graphrt_threads SET head = ?4, tip = seq + 1, seq = seq + 1
WHERE thread_id = ?1 AND namespace = ?2 AND head = ?3 AND tip = seq
RETURNING chain, seq, start, earlier
