-- A thread and its newest checkpoint.
SELECT t.chain, t.spent, c.seq, c.id, c.start, c.earlier
FROM graphrt_threads AS t JOIN graphrt_checkpoints AS c ON c.chain = t.chain
WHERE t.thread_id = ? AND t.namespace = ? ORDER BY c.seq DESC LIMIT 1
