-- Forgets checkpoints, the results that were appended to them, and those that later commits brought for them.
--
-- $1 chain, $2 seqs
WITH gone AS (
    DELETE FROM {schema}.checkpoints AS c
    WHERE c.chain = $1 AND c.seq = ANY ($2::integer[])
    RETURNING octet_length(c.results) AS size
), kept AS (
    DELETE FROM {schema}.results AS r
    WHERE r.chain = $1 AND r.seq = ANY ($2::integer[])
    RETURNING octet_length(r.data) AS size
), child AS MATERIALIZED (
    SELECT c.seq, octet_length(c.results) AS size
    FROM unnest($2::integer[]) AS p (seq)
    JOIN {schema}.checkpoints AS c ON c.chain = $1 AND c.seq = p.seq + 1 AND c.parent IS NULL
    WHERE c.results IS NOT NULL AND c.seq <> ALL ($2::integer[])
    UNION ALL
    SELECT c.seq, octet_length(c.results)
    FROM {schema}.checkpoints AS c
    WHERE
        c.chain = $1 AND c.parent = ANY ($2::integer[]) AND c.results IS NOT NULL AND c.seq <> ALL ($2::integer[])
), orphaned AS (
    UPDATE {schema}.checkpoints AS c SET results = NULL FROM child WHERE c.chain = $1 AND c.seq = child.seq
)
SELECT
    (SELECT count(*) FROM gone) AS checkpoints,
    coalesce((SELECT sum(g.size) FROM gone AS g), 0)
    + coalesce((SELECT sum(k.size) FROM kept AS k), 0)
    + coalesce((SELECT sum(c.size) FROM child AS c), 0) AS bytes
