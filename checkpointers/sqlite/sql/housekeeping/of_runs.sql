-- ?1 run ids, as JSON
SELECT t.thread_id, c.chain, c.seq
FROM graphrt_checkpoints AS c JOIN graphrt_threads AS t ON t.chain = c.chain
WHERE
    CASE WHEN json_valid(c.metadata) THEN json_type(c.metadata, '$.run_id') = 'text' END
    AND json_extract(c.metadata, '$.run_id') IN (SELECT value FROM json_each(?1))
