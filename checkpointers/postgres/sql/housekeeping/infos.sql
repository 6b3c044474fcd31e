-- One row for each namespace of some threads.
--
-- $1 first name, $2 whether that one is left out, $3 the name that ends the list (NULL: none), $4 at most so many threads
WITH page AS MATERIALIZED (
    SELECT DISTINCT t.thread_id
    FROM {schema}.threads AS t
    WHERE t.thread_id >= $1 AND (t.thread_id > $1 OR NOT $2) AND ($3::text IS NULL OR t.thread_id < $3)
    ORDER BY t.thread_id
    LIMIT $4
)
SELECT
    t.thread_id, t.namespace, t.head, n.checkpoints, n.size + coalesce(k.size, 0) + coalesce(s.size, 0) AS bytes
FROM page AS p
JOIN {schema}.threads AS t ON t.thread_id = p.thread_id
CROSS JOIN LATERAL (
    SELECT count(*) AS checkpoints, coalesce(sum(octet_length(c.results)), 0) AS size
    FROM {schema}.checkpoints AS c WHERE c.chain = t.chain
) AS n
CROSS JOIN LATERAL (
    SELECT sum(octet_length(r.data)) AS size FROM {schema}.results AS r WHERE r.chain = t.chain
) AS k
CROSS JOIN LATERAL (
    SELECT sum(coalesce(octet_length(g.data), 0) + coalesce(octet_length(g.parts), 0)) AS size
    FROM {schema}.segments AS g WHERE g.chain = t.chain
) AS s
ORDER BY t.thread_id, t.namespace
