-- $1 run ids
SELECT t.thread_id, c.chain, c.seq
FROM {schema}.checkpoints AS c JOIN {schema}.threads AS t ON t.chain = c.chain
WHERE c.metadata ->> 'run_id' = ANY ($1::text[]) AND json_typeof(c.metadata -> 'run_id') = 'string'
