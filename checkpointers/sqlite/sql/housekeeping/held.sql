SELECT max(t.spent, c.seq), c.seq, coalesce(c.start, 1), c.earlier
FROM graphrt_threads AS t JOIN graphrt_checkpoints AS c ON c.chain = t.chain WHERE t.chain = ?1
