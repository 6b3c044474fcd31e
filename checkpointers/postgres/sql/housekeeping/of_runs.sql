-- $1 run ids
SELECT c.chain, c.seq
FROM {schema}.checkpoints AS c
WHERE c.metadata ->> 'run_id' = ANY ($1::text[]) AND json_typeof(c.metadata -> 'run_id') = 'string'
