-- Forgets whole chains, and tells what went with each. One that somebody commits to is left alone.
--
-- $1 chains, $2 the head that each must have
WITH held AS MATERIALIZED (
    SELECT t.chain
    FROM {schema}.threads AS t
    JOIN unnest($1::bigint[], $2::bytea[]) AS w (chain, head) ON w.chain = t.chain AND w.head = t.head
    FOR UPDATE OF t SKIP LOCKED
), gone AS (
    DELETE FROM {schema}.threads AS t USING held AS h WHERE t.chain = h.chain
)
SELECT h.chain, n.checkpoints, n.size + coalesce(k.size, 0) + coalesce(s.size, 0) AS bytes
FROM held AS h
CROSS JOIN LATERAL (
    SELECT count(*) AS checkpoints, coalesce(sum(octet_length(c.results)), 0) AS size
    FROM {schema}.checkpoints AS c WHERE c.chain = h.chain
) AS n
CROSS JOIN LATERAL (
    SELECT sum(octet_length(r.data)) AS size FROM {schema}.results AS r WHERE r.chain = h.chain
) AS k
CROSS JOIN LATERAL (
    SELECT sum(coalesce(octet_length(g.data), 0) + coalesce(octet_length(g.parts), 0)) AS size
    FROM {schema}.segments AS g WHERE g.chain = h.chain
) AS s
