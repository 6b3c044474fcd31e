-- The namespaces of a thread: number of the chain, of its oldest and of its newest checkpoint, and the id of that one.
--
-- $1 thread_id, $2 after this namespace (NULL: from the first), $3 at most so many
SELECT t.chain, t.namespace, o.seq AS oldest, n.seq AS newest, n.id
FROM {schema}.threads AS t
CROSS JOIN LATERAL (
    SELECT c.seq FROM {schema}.checkpoints AS c WHERE c.chain = t.chain ORDER BY c.seq LIMIT 1
) AS o
CROSS JOIN LATERAL (
    SELECT c.seq, c.id FROM {schema}.checkpoints AS c WHERE c.chain = t.chain ORDER BY c.seq DESC LIMIT 1
) AS n
WHERE t.thread_id = $1 AND ($2::text IS NULL OR t.namespace > $2)
ORDER BY t.namespace
LIMIT $3
