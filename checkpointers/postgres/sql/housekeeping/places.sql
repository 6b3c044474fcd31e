-- Numbers of checkpoints. $1 chain, $2 before this commit, $3 ids
SELECT c.seq
FROM {schema}.checkpoints AS c
WHERE c.chain = $1 AND c.seq < $2 AND c.id = ANY ($3::bytea[])
