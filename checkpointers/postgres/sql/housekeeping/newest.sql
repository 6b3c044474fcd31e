-- $1 chain, $2 before this commit (NULL: from the newest), $3 at most so many
SELECT c.seq, c.id
FROM {schema}.checkpoints AS c
WHERE c.chain = $1 AND ($2::integer IS NULL OR c.seq < $2)
ORDER BY c.seq DESC
LIMIT $3
