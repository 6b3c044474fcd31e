-- The chains of a thread, each with the id of its newest checkpoint.
SELECT
    t.chain, t.namespace,
    (SELECT c.id FROM graphrt_checkpoints AS c WHERE c.chain = t.chain ORDER BY c.seq DESC LIMIT 1)
FROM graphrt_threads AS t WHERE t.thread_id = ?1 ORDER BY t.namespace
